package media

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

const (
	// maxDatagram is the longest datagram that is read: no audio packet comes near it.
	maxDatagram = 2048
	// sharedReadBuffer is asked of the kernel for sockets that all calls share.
	sharedReadBuffer = 4 << 20
	// pairAttempts is how often the system is asked for a port that has a free neighbour.
	pairAttempts = 64
)

// datagramHandler takes what arrives at a socketPair. The datagram is reused when it returns.
type datagramHandler func(datagram []byte, from netip.AddrPort, rtcp bool, at time.Time)

// socketPair is an even port for RTP and the next one for RTCP (RFC 3550 11), each with a goroutine that reads.
type socketPair struct {
	rtp, rtcp *net.UDPConn
	local     netip.AddrPort // of RTP
	readers   sync.WaitGroup
}

// read starts the readers. They end with close.
func (p *socketPair) read(handle datagramHandler) {
	p.readers.Go(func() { readAll(p.rtp, false, handle) })
	p.readers.Go(func() { readAll(p.rtcp, true, handle) })
}

func readAll(conn *net.UDPConn, rtcp bool, handle datagramHandler) {
	buffer := make([]byte, maxDatagram)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // of one datagram: an ICMP error, for example
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		handle(buffer[:n], from, rtcp || isRTCP(buffer[:n]), time.Now())
	}
}

// close closes the sockets and waits for the readers. It can be called again.
func (p *socketPair) close() {
	_ = p.rtp.Close() // nothing is buffered, and closing again does no harm
	_ = p.rtcp.Close()
	p.readers.Wait()
}

// portRange hands out socket pairs of one address.
type portRange struct {
	ip       netip.Addr
	min, max uint16 // 0: the system chooses

	mu   sync.Mutex
	next uint16 // the port to try next, even
}

func newPortRange(ip netip.Addr, least, most uint16) (*portRange, error) {
	if least == 0 && most == 0 {
		return &portRange{ip: ip}, nil
	}
	even := uint32(least) + uint32(least%2)
	if least == 0 || even+1 > uint32(most) {
		return nil, fmt.Errorf("the media port range %d-%d has no pair of an even port and the next one", least, most)
	}
	return &portRange{ip: ip, min: uint16(even), max: most, next: uint16(even)}, nil
}

// open returns a pair of free ports. With a range it goes round, so that a port rests before it is used again: packets of the
// call before may still be under way.
func (r *portRange) open() (*socketPair, error) {
	if r.min == 0 {
		return r.openAny()
	}
	var lastErr error
	for range (int(r.max) - int(r.min) + 1) / 2 {
		pair, err := r.openAt(r.take())
		if err == nil {
			return pair, nil
		}
		lastErr = err
		if !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	if errors.Is(lastErr, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("no pair of ports is free for media from %d to %d at %s: widen the range or lower the number of calls at once: %w",
			r.min, r.max, r.ip, lastErr)
	}
	return nil, fmt.Errorf("opening media sockets: %w", lastErr)
}

func (r *portRange) take() uint16 {
	r.mu.Lock()
	defer r.mu.Unlock()
	port := r.next
	if next := uint32(port) + 2; next+1 <= uint32(r.max) {
		r.next = uint16(next)
	} else {
		r.next = r.min
	}
	return port
}

func (r *portRange) openAt(port uint16) (*socketPair, error) {
	rtp, err := r.listen(port)
	if err != nil {
		return nil, err
	}
	rtcp, err := r.listen(port + 1)
	if err != nil {
		_ = rtp.Close() // unused
		return nil, err
	}
	return &socketPair{rtp: rtp, rtcp: rtcp, local: netip.AddrPortFrom(r.ip, port)}, nil
}

// openAny lets the system choose one port and takes its neighbour.
func (r *portRange) openAny() (*socketPair, error) {
	var lastErr error
	for range pairAttempts {
		first, err := r.listen(0)
		if err != nil {
			return nil, fmt.Errorf("opening media sockets: %w", err)
		}
		port := first.LocalAddr().(*net.UDPAddr).AddrPort().Port()
		second, err := r.listen(port ^ 1)
		if err != nil {
			lastErr = err
			_ = first.Close() // unused
			continue
		}
		if port%2 == 1 {
			first, second = second, first
		}
		return &socketPair{rtp: first, rtcp: second, local: netip.AddrPortFrom(r.ip, port&^1)}, nil
	}
	return nil, fmt.Errorf("opening media sockets: no two neighbouring ports are free: %w", lastErr)
}

func (r *portRange) listen(port uint16) (*net.UDPConn, error) {
	network := "udp4"
	if r.ip.Is6() {
		network = "udp6"
	}
	return net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(r.ip, port)))
}
