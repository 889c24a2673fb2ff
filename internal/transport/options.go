package transport

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
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
	// ReadBuffer and WriteBuffer are the kernel's buffers of the shared socket in bytes, 0: 4 MiB. The kernel may grant less.
	// A call's own socket keeps the system's default: it holds the messages of one call.
	ReadBuffer, WriteBuffer int
	// MaxMessage is the longest datagram taken whole, 0: 64 KiB. What is longer is cut, and counted in Stats.Truncated.
	MaxMessage int
}

const (
	defaultTick    = time.Millisecond
	defaultBuffer  = 4 << 20
	defaultMessage = 64 << 10
)

// checked fills in the defaults.
func (o Options) checked() (Options, error) {
	if !o.Local.IsValid() {
		return o, errors.New("cannot listen on udp: no local address")
	}
	o.Local = netip.AddrPortFrom(o.Local.Addr().Unmap(), o.Local.Port())
	if o.ReadBuffer < 0 || o.WriteBuffer < 0 || o.MaxMessage < 0 {
		return o, errors.New("cannot listen on udp: a buffer size is negative")
	}
	if o.Tick == 0 {
		o.Tick = defaultTick
	}
	o.ReadBuffer = orDefault(o.ReadBuffer, defaultBuffer)
	o.WriteBuffer = orDefault(o.WriteBuffer, defaultBuffer)
	o.MaxMessage = orDefault(o.MaxMessage, defaultMessage)
	return o, nil
}

func orDefault(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// errClosed is what every method says once the transport, or the flow, is closed.
var errClosed = fmt.Errorf("transport: %w", net.ErrClosed)

// listenError says why the shared socket could not be opened, and what to do.
func listenError(local netip.AddrPort, err error) error {
	hint := ""
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		hint = ": choose another port with --local"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		hint = ": this machine does not have that address, choose one of its own with --local"
	case errors.Is(err, syscall.EACCES):
		hint = ": ports below 1024 need privileges, choose another with --local"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		hint = ": raise the limit of open files (ulimit -n)"
	}
	return fmt.Errorf("cannot listen on udp %s: %w%s", local, err, hint)
}

// openError says why a call got no socket of its own, and what to do.
func openError(addr netip.Addr, err error) error {
	hint := ""
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		hint = ": raise the limit of open files (ulimit -n), each call has its own socket"
	case errors.Is(err, syscall.EADDRINUSE):
		hint = ": no port is left in the system's local range (net.ipv4.ip_local_port_range)"
	}
	return fmt.Errorf("cannot open a udp socket for a call on %s: %w%s", addr, err, hint)
}

// usableRemote returns the address as flows carry it, without the form that maps IPv4 into IPv6, or says why nothing can be sent there
// from the local address.
func usableRemote(local netip.Addr, remote netip.AddrPort) (netip.AddrPort, error) {
	if !remote.IsValid() || remote.Port() == 0 {
		return netip.AddrPort{}, fmt.Errorf("cannot send to %q: address and port are needed", remote)
	}
	to := remote.Addr().Unmap()
	dual := local.Is6() && local.IsUnspecified()
	if !dual && to.Is4() != local.Is4() {
		return netip.AddrPort{}, fmt.Errorf("cannot send from %s to %s: one is IPv4, the other IPv6; choose a local address of the same kind with --local", local, to)
	}
	return netip.AddrPortFrom(to, remote.Port()), nil
}

// sendError turns the system's error for one message into what happened.
func sendError(length int, remote netip.AddrPort, err error) error {
	if errors.Is(err, syscall.EMSGSIZE) {
		return fmt.Errorf("cannot send %d bytes to udp %s: %w: it does not fit one datagram", length, remote, err)
	}
	return fmt.Errorf("cannot send to udp %s: %w", remote, err)
}

// receiveError says which socket can no longer be read.
func receiveError(local netip.AddrPort, err error) error {
	return fmt.Errorf("cannot receive on udp %s: %w", local, err)
}
