//go:build !linux

package transport

// NewUDP opens the shared socket. The error names the address and what to do, and wraps the system's.
func NewUDP(o Options) (Transport, error) { return newPortable(o) }
