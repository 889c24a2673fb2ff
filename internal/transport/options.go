package transport

import (
	"net/netip"
	"time"
)

// Options describe a UDP transport. The zero value of each but Local is a good default.
type Options struct {
	// Local is the address of the shared socket. Port 0: the system chooses. The unspecified IPv6 address takes IPv4 too.
	Local netip.AddrPort
	// PerCall gives each flow of Open a socket of its own, on Local's address with a port that the system chooses.
	PerCall bool
	// Tick is how long traffic gathers before it is looked at, 0: 1 ms. Negative: be woken for each arrival, which costs
	// more CPU and reacts sooner.
	Tick time.Duration
	// ReadBuffer and WriteBuffer are the kernel's socket buffers in bytes, 0: 4 MiB. The kernel may grant less.
	ReadBuffer, WriteBuffer int
	// MaxMessage is the longest datagram taken whole, 0: 64 KiB. What is longer is cut, and counted in Stats.Truncated.
	MaxMessage int
}

// NewUDP opens the shared socket. The error names the address and what to do, and wraps the system's.
func NewUDP(o Options) (Transport, error) { return nil, nil }
