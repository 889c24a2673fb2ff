package webrtc

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
)

// muxQueue bounds the packets of a call that wait to be read: a second and more of audio.
const muxQueue = 128

// muxReadBuffer is asked of the kernel for the one socket of all calls; it gives what it may.
const muxReadBuffer = 4 << 20

// maxDatagram is the longest packet that is read: nothing in ICE, DTLS or RTP is longer on a usual path.
const maxDatagram = 2048

// udpMux lets the host candidates of all bridges share one socket.
//
// A packet is dispatched by the user name in ICE checks (RFC 8445 7.2.2), and otherwise by its source: it goes to the call that
// last sent to there, or, if none did, was first checked from there: some peers begin DTLS before our answer to their check. So two calls at once must not have the same remote address: the other side must not share one, too.
//
// Pion's own mux is not used. To interrupt a call that ends, this version of it sets a write deadline on the shared socket, which loses packets
// of all others; it keeps the source of a call that ended for as long as that takes; and it cannot give a user name to a second
// peer right after the first.
type udpMux struct {
	conn    *net.UDPConn
	address *net.UDPAddr
	done    chan struct{} // closed when the reader has ended
	// dropped counts packets of calls that did not keep up.
	dropped atomic.Uint64
	// onConflict is told once if two calls have the same remote address.
	onConflict func(remote netip.AddrPort)
	conflict   sync.Once

	mu       sync.RWMutex
	closed   bool
	byUfrag  map[string]*muxedConn
	bySource map[netip.AddrPort]*muxedConn
}

var _ ice.UDPMux = (*udpMux)(nil)

// maxSources bounds the addresses of one call: whoever knows its user name could send from any number of them.
const maxSources = 2 * maxRemote

// packet is a datagram on its way to a call.
type packet struct {
	from netip.AddrPort
	n    int
	data [maxDatagram]byte
}

var packetPool = sync.Pool{New: func() any { return new(packet) }}

func newUDPMux(at netip.AddrPort, onConflict func(remote netip.AddrPort)) (*udpMux, error) {
	network := "udp4"
	if at.Addr().Is6() {
		network = "udp6"
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, fmt.Errorf("WebRTC: opening the UDP port that all calls share: %w", err)
	}
	_ = conn.SetReadBuffer(muxReadBuffer)
	address, _ := conn.LocalAddr().(*net.UDPAddr)
	m := &udpMux{
		conn: conn, address: address, done: make(chan struct{}), onConflict: onConflict,
		byUfrag: map[string]*muxedConn{}, bySource: map[netip.AddrPort]*muxedConn{},
	}
	go m.read()
	return m, nil
}

// read dispatches what arrives until the socket is closed.
func (m *udpMux) read() {
	defer close(m.done)
	for {
		p, _ := packetPool.Get().(*packet)
		n, from, err := m.conn.ReadFromUDPAddrPort(p.data[:])
		if err != nil {
			packetPool.Put(p)
			m.mu.RLock()
			closed := m.closed
			m.mu.RUnlock()
			if closed {
				return
			}
			continue // an ICMP error to something sent before
		}
		p.n, p.from = n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		c := m.find(p)
		if c != nil && c.enqueue(p) {
			continue
		}
		if c != nil {
			m.dropped.Add(1)
		}
		packetPool.Put(p)
	}
}

func (m *udpMux) find(p *packet) *muxedConn {
	ufrag, check := checkedUfrag(p.data[:p.n])
	m.mu.RLock()
	c := m.bySource[p.from]
	known := c != nil
	if check {
		c = m.byUfrag[string(ufrag)]
	}
	m.mu.RUnlock()
	if check && c != nil && !known {
		c.register(p.from)
	}
	return c
}

// checkedUfrag finds whom an ICE check is for: USERNAME is the receiver's ufrag, a colon and the sender's (RFC 8445 7.2.2).
func checkedUfrag(p []byte) ([]byte, bool) {
	const magic, attributeUsername = 0x2112A442, 0x0006 // RFC 8489 5 and 18.3
	if len(p) < stunHeader || p[0]&0xc0 != 0 || binary.BigEndian.Uint32(p[4:]) != magic {
		return nil, false
	}
	for rest := p[stunHeader:]; len(rest) >= 4; {
		kind, length := binary.BigEndian.Uint16(rest), int(binary.BigEndian.Uint16(rest[2:]))
		rest = rest[4:]
		if length > len(rest) {
			break
		}
		if kind == attributeUsername {
			for i, c := range rest[:length] {
				if c == ':' {
					return rest[:i], true
				}
			}
			break
		}
		rest = rest[min(len(rest), (length+3)&^3):]
	}
	return nil, false
}

// GetConn implements ice.UDPMux.
func (m *udpMux) GetConn(ufrag string, _ net.Addr) (net.PacketConn, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, net.ErrClosed
	}
	if m.byUfrag[ufrag] != nil {
		return nil, fmt.Errorf("WebRTC: the ICE user name %q is in use", ufrag)
	}
	c := &muxedConn{mux: m, ufrag: ufrag, queue: make(chan *packet, muxQueue), closed: make(chan struct{})}
	m.byUfrag[ufrag] = c
	return c, nil
}

// RemoveConnByUfrag implements ice.UDPMux. Nothing is to be done: who closes a connection has removed it.
func (*udpMux) RemoveConnByUfrag(string) {}

// GetListenAddresses implements ice.UDPMux.
func (m *udpMux) GetListenAddresses() []net.Addr { return []net.Addr{m.address} }

// Close implements ice.UDPMux. The calls have been closed before.
func (m *udpMux) Close() error {
	m.mu.Lock()
	first := !m.closed
	m.closed = true
	m.mu.Unlock()
	var err error
	if first {
		err = m.conn.Close()
	}
	<-m.done
	return err
}

// muxedConn is a call's part of the socket.
type muxedConn struct {
	mux       *udpMux
	ufrag     string
	queue     chan *packet
	closed    chan struct{}
	closeOnce sync.Once
	// last is where the call last sent to, and is registered for.
	last atomic.Pointer[netip.AddrPort]
	// sources are guarded by the mux's lock.
	sources []netip.AddrPort
}

var (
	_ net.PacketConn           = (*muxedConn)(nil)
	_ ice.AddrPortReaderWriter = (*muxedConn)(nil)
)

// enqueue reports false if the packet was not taken: the call does not keep up.
func (c *muxedConn) enqueue(p *packet) bool {
	select {
	case c.queue <- p:
		return true
	default:
		return false
	}
}

// ReadFromAddrPort implements ice.AddrPortReaderWriter.
func (c *muxedConn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case p := <-c.queue:
		n, from := copy(b, p.data[:p.n]), p.from
		packetPool.Put(p)
		return n, from, nil
	case <-c.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	}
}

// WriteToAddrPort implements ice.AddrPortReaderWriter.
func (c *muxedConn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	select {
	case <-c.closed:
		return 0, io.ErrClosedPipe
	default:
	}
	to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	if last := c.last.Load(); last == nil || *last != to {
		c.register(to)
		c.last.Store(&to)
	}
	return c.mux.conn.WriteToUDPAddrPort(b, to)
}

// register makes what comes from an address the call's, unless the call has ended.
func (c *muxedConn) register(from netip.AddrPort) {
	m := c.mux
	m.mu.Lock()
	before := m.bySource[from]
	if m.byUfrag[c.ufrag] == c && before != c && len(c.sources) < maxSources {
		m.bySource[from] = c
		c.sources = append(c.sources, from)
	}
	m.mu.Unlock()
	if before != nil && before != c {
		m.conflict.Do(func() { m.onConflict(from) })
	}
}

// ReadFrom implements net.PacketConn.
func (c *muxedConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.ReadFromAddrPort(b)
	if err != nil {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// WriteTo implements net.PacketConn.
func (c *muxedConn) WriteTo(b []byte, to net.Addr) (int, error) {
	udp, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, fmt.Errorf("WebRTC: %v is no UDP address", to)
	}
	return c.WriteToAddrPort(b, udp.AddrPort())
}

// Close implements net.PacketConn.
func (c *muxedConn) Close() error {
	c.closeOnce.Do(func() {
		m := c.mux
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.byUfrag, c.ufrag)
		for _, from := range c.sources {
			if m.bySource[from] == c {
				delete(m.bySource, from)
			}
		}
		close(c.closed)
	})
	return nil
}

// LocalAddr implements net.PacketConn.
func (c *muxedConn) LocalAddr() net.Addr { return c.mux.address }

// SetDeadline does nothing: Pion uses it only to interrupt a call that ends, which Close does.
func (*muxedConn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing, see SetDeadline.
func (*muxedConn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing, see SetDeadline. A UDP write does not block for long.
func (*muxedConn) SetWriteDeadline(time.Time) error { return nil }
