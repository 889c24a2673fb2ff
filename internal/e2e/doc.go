// Package e2e holds the tests of the whole program: the built binary against the real sipp and coturn, and against peers that
// misbehave. It contains nothing but tests.
package e2e
