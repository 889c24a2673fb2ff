//go:build race

package e2e

// crowd is smaller under the race detector, which multiplies the cost of every packet.
const crowd = 60
