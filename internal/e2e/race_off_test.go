//go:build !race

package e2e

// crowd is the number of calls that are up at once.
const crowd = 500
