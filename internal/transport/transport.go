// Package transport moves SIP messages between the engine's loop and the network.
//
// A Transport belongs to one loop, which polls it; nothing else may call it, but for Wake. UDP sockets are plain
// non-blocking file descriptors outside Go's netpoller, drained on a tick: waking a goroutine for each datagram costs more than
// everything else that a call does. The package knows how messages are framed, not what they mean.
package transport

import (
	"errors"
	"net/netip"
	"time"
)

// Transport is a loop's set of sockets.
type Transport interface {
	// Poll waits at most wait for the first message, then hands everything that has arrived to h. It returns early after Wake.
	// While there is traffic it sleeps for a tick rather than being woken for each datagram (Options.Tick).
	Poll(wait time.Duration, h Handler) error
	// Open returns the flow on which to send to remote: through the shared socket, or through a socket opened for this call.
	Open(remote netip.AddrPort) (Flow, error)
	// Local is the address of the shared socket: where this side is reached.
	Local() netip.AddrPort
	Protocol() Protocol
	// Wake makes a Poll in progress, or the next one, return. It may be called from any goroutine.
	Wake()
	Stats() Stats
	// Close closes every socket, those of open flows too.
	Close() error
}

// Handler receives what Poll found.
type Handler interface {
	// Received hands over one message. Data are valid until it returns.
	Received(Message)
	// Closed tells that a flow ended without being released: a connection that the peer closed, a socket that failed.
	Closed(Flow, error)
}

// Message is one message as it came from the network, one datagram or one framed part of a stream.
type Message struct {
	Data []byte
	Flow Flow
	// Received is the kernel's receive timestamp where there is one, so that the tick does not blur response times.
	Received time.Time
}

// Flow is where a message came from and where its answer goes: socket and remote address, or a connection. It is a small
// comparable value; the zero Flow is not valid.
type Flow struct {
	endpoint endpoint
	remote   netip.AddrPort
}

// endpoint is a socket or a connection.
type endpoint interface {
	send(b []byte, remote netip.AddrPort) error
	local() netip.AddrPort
	protocol() Protocol
	// release closes the endpoint if it belongs to one call.
	release()
}

// Valid reports whether the flow can be used.
func (f Flow) Valid() bool { return f.endpoint != nil }

// Send sends one message. ErrCongested means that the kernel's buffer is full: nothing was sent, try again later.
func (f Flow) Send(b []byte) error { return f.endpoint.send(b, f.remote) }

// Local is the address this side sends from.
func (f Flow) Local() netip.AddrPort { return f.endpoint.local() }

// Remote is the peer's address.
func (f Flow) Remote() netip.AddrPort { return f.remote }

// Protocol is the flow's transport protocol.
func (f Flow) Protocol() Protocol { return f.endpoint.protocol() }

// Release gives up a flow of Open. It closes a socket that belongs to one call and does nothing to a shared one.
func (f Flow) Release() {
	if f.endpoint != nil {
		f.endpoint.release()
	}
}

// ErrCongested is returned by Send when the socket's send buffer is full.
var ErrCongested = errors.New("send buffer full")

// Protocol is a transport protocol of SIP.
type Protocol uint8

// The protocols.
const (
	UDP Protocol = iota + 1
)

// String returns the name as it stands in a Via header (RFC 3261 20.42): UDP.
func (p Protocol) String() string {
	if p == UDP {
		return "UDP"
	}
	return "unknown"
}

// Reliable reports whether the protocol itself repeats what was lost, so that SIP need not (RFC 3261 17).
func (p Protocol) Reliable() bool { return p != UDP }

// Stats count what a transport moved.
type Stats struct {
	MessagesSent, MessagesReceived uint64
	BytesSent, BytesReceived       uint64
	// Dropped counts datagrams that the kernel discarded because a receive buffer was full (SO_RXQ_OVFL).
	Dropped uint64
	// Congested counts sends that the kernel refused because a send buffer was full.
	Congested uint64
	// Full counts Polls that handed over as much as one may, so that more was left.
	Full uint64
	// Truncated counts datagrams that were longer than Options.MaxMessage and were handed over cut.
	Truncated uint64
}
