package webrtc

import (
	"encoding/binary"
	"errors"
	"net"
	"sync"

	"github.com/pion/stun/v4"
	"github.com/pion/transport/v4"
)

// abortNet is the network of one peer. It remembers the sockets that are opened towards TURN servers so that abort can close
// them: Pion waits for its allocations when it is closed, up to 8 seconds for a server that does not answer.
type abortNet struct {
	transport.Net
	hostPort uint16 // that the host candidate should have; 0: any

	mu      sync.Mutex
	aborted bool
	open    map[*tracked]struct{}
}

func newAbortNet(shared transport.Net, again *offered) *abortNet {
	n := &abortNet{Net: shared, open: map[*tracked]struct{}{}}
	if again != nil {
		n.hostPort = again.port
	}
	return n
}

// tracked is a socket that may have to be closed early.
type tracked struct {
	owner *abortNet
	once  sync.Once
	close func() error
	err   error
}

func (t *tracked) Close() error {
	t.once.Do(func() {
		t.owner.mu.Lock()
		delete(t.owner.open, t)
		t.owner.mu.Unlock()
		t.err = t.close()
	})
	return t.err
}

// track registers a socket; it is closed at once if abort came first.
func (n *abortNet) track(closer func() error) *tracked {
	t := &tracked{owner: n, close: closer}
	n.mu.Lock()
	aborted := n.aborted
	if !aborted {
		n.open[t] = struct{}{}
	}
	n.mu.Unlock()
	if aborted {
		_ = t.Close()
	}
	return t
}

// abort closes the sockets. Media sockets are not among them: Pion closes those itself, at once.
func (n *abortNet) abort() {
	n.mu.Lock()
	n.aborted = true
	sockets := make([]*tracked, 0, len(n.open))
	for t := range n.open {
		sockets = append(sockets, t)
	}
	n.mu.Unlock()
	for _, t := range sockets {
		_ = t.Close()
	}
}

// trackedPacketConn is a socket towards a TURN server over UDP. Closing it is not enough: the client would notice at its next
// retransmission only, up to 1.6 seconds later. So the request that waits is given an answer.
type trackedPacketConn struct {
	net.PacketConn
	t *tracked

	mu      sync.Mutex
	request []byte // header of the last STUN request
	to      net.Addr
}

func (c *trackedPacketConn) Close() error { return c.t.Close() }

// WriteTo implements net.PacketConn.
func (c *trackedPacketConn) WriteTo(p []byte, to net.Addr) (int, error) {
	if stun.IsMessage(p) {
		c.mu.Lock()
		c.request, c.to = append(c.request[:0], p[:stunHeader]...), to
		c.mu.Unlock()
	}
	return c.PacketConn.WriteTo(p, to)
}

// ReadFrom implements net.PacketConn.
func (c *trackedPacketConn) ReadFrom(p []byte) (int, net.Addr, error) {
	n, from, err := c.PacketConn.ReadFrom(p)
	if err == nil || !errors.Is(err, net.ErrClosed) {
		return n, from, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.request) == 0 || len(p) < stunHeader {
		return n, from, err
	}
	// An error response to the request, without attributes (RFC 8489 5).
	copy(p, c.request)
	kind := stun.MessageType{}
	kind.ReadValue(binary.BigEndian.Uint16(p))
	kind.Class = stun.ClassErrorResponse
	binary.BigEndian.PutUint16(p, kind.Value())
	binary.BigEndian.PutUint16(p[2:], 0)
	c.request = c.request[:0]
	return stunHeader, c.to, nil
}

// stunHeader is the length of the header of a STUN message (RFC 8489 5).
const stunHeader = 20

type trackedTCPConn struct {
	transport.TCPConn
	t *tracked
}

func (c trackedTCPConn) Close() error { return c.t.Close() }

// ListenPacket is used for TURN over UDP only; host candidates use ListenUDP.
func (n *abortNet) ListenPacket(network, address string) (net.PacketConn, error) {
	conn, err := n.Net.ListenPacket(network, address)
	if err != nil {
		return nil, err
	}
	return &trackedPacketConn{PacketConn: conn, t: n.track(conn.Close)}, nil
}

// DialTCP is used for TURN over TCP and TLS only.
func (n *abortNet) DialTCP(network string, laddr, raddr *net.TCPAddr) (transport.TCPConn, error) {
	conn, err := n.Net.DialTCP(network, laddr, raddr)
	if err != nil {
		return nil, err
	}
	return trackedTCPConn{TCPConn: conn, t: n.track(conn.Close)}, nil
}

// ListenUDP is used for candidates; those of a server have no address.
func (n *abortNet) ListenUDP(network string, laddr *net.UDPAddr) (transport.UDPConn, error) {
	if n.hostPort != 0 && laddr != nil && laddr.IP != nil && laddr.Port == 0 {
		wanted := *laddr
		wanted.Port = int(n.hostPort)
		if conn, err := n.Net.ListenUDP(network, &wanted); err == nil {
			return conn, nil
		}
		// Something else got the port in between. With another one the other side learns the address from our checks.
	}
	return n.Net.ListenUDP(network, laddr)
}
