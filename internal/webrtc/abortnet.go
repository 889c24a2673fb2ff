package webrtc

import (
	"net"
	"sync"

	"github.com/pion/transport/v4"
)

// abortNet is the network of one peer. It remembers the sockets that are opened towards TURN servers so that abort can close
// them: Pion waits for its allocations when it is closed, up to 8 seconds for a server that does not answer.
type abortNet struct {
	transport.Net

	mu      sync.Mutex
	aborted bool
	open    map[*tracked]struct{}
}

func newAbortNet(shared transport.Net) *abortNet {
	return &abortNet{Net: shared, open: map[*tracked]struct{}{}}
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

type trackedPacketConn struct {
	net.PacketConn
	t *tracked
}

func (c trackedPacketConn) Close() error { return c.t.Close() }

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
	return trackedPacketConn{PacketConn: conn, t: n.track(conn.Close)}, nil
}

// DialTCP is used for TURN over TCP and TLS only.
func (n *abortNet) DialTCP(network string, laddr, raddr *net.TCPAddr) (transport.TCPConn, error) {
	conn, err := n.Net.DialTCP(network, laddr, raddr)
	if err != nil {
		return nil, err
	}
	return trackedTCPConn{TCPConn: conn, t: n.track(conn.Close)}, nil
}
