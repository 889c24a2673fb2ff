package engine

import (
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/sip"
	"github.com/gossipper/gossipper/internal/transport"
)

// network joins transports in memory. In a synctest bubble everything that happens on it is in virtual time.
type network struct {
	mu    sync.Mutex
	nodes map[netip.AddrPort]*node
	// lose decides whether a message is lost; nil: none is.
	lose func(from, to netip.AddrPort, b []byte) bool
	// seen are all messages sent, in order, the lost ones too.
	seen []sighting
}

type sighting struct {
	from, to netip.AddrPort
	text     string
	at       time.Time
}

// pass lets virtual time pass, in a synctest bubble.
func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // the clock of the bubble: nobody waits
}

func newNetwork() *network { return &network{nodes: make(map[netip.AddrPort]*node)} }

// sent returns what the address has sent so far.
func (n *network) sent(from netip.AddrPort) []sighting {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []sighting
	for _, s := range n.seen {
		if s.from == from {
			all = append(all, s)
		}
	}
	return all
}

// node is a transport on a network.
type node struct {
	net   *network
	addr  netip.AddrPort
	mu    sync.Mutex
	queue []transport.Message
	wake  chan struct{}
	// refuse, if set, is what Send returns.
	refuse error
	stats  transport.Stats
}

func (n *network) node(addr string) *node {
	t := &node{net: n, addr: netip.MustParseAddrPort(addr), wake: make(chan struct{}, 1)}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.nodes[t.addr] = t
	return t
}

func (t *node) Poll(wait time.Duration, h transport.Handler) error {
	t.mu.Lock()
	idle := len(t.queue) == 0
	t.mu.Unlock()
	if idle && wait > 0 {
		timer := time.NewTimer(wait)
		select {
		case <-t.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
	t.mu.Lock()
	queue := t.queue
	t.queue = nil
	t.mu.Unlock()
	for _, m := range queue {
		h.Received(m)
	}
	return nil
}

func (t *node) Wake() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

func (t *node) Send(b []byte, remote netip.AddrPort) error {
	t.mu.Lock()
	refuse := t.refuse
	t.mu.Unlock()
	if refuse != nil {
		return refuse
	}
	t.net.mu.Lock()
	t.net.seen = append(t.net.seen, sighting{t.addr, remote, string(b), time.Now()})
	to := t.net.nodes[remote]
	if to == nil || t.net.lose != nil && t.net.lose(t.addr, remote, b) {
		to = nil
	}
	t.net.mu.Unlock()
	if to != nil {
		to.mu.Lock()
		to.queue = append(to.queue, transport.Message{
			Data: append([]byte(nil), b...), Flow: transport.NewFlow(to, t.addr), Received: time.Now(),
		})
		to.mu.Unlock()
		to.Wake()
	}
	return nil
}

func (t *node) Stats() transport.Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stats
}

// drop counts datagrams as dropped by the kernel.
func (t *node) drop(n uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stats.Dropped += n
}

func (t *node) refuseWith(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refuse = err
}

func (t *node) Open(remote netip.AddrPort) (transport.Flow, error) {
	return transport.NewFlow(t, remote), nil
}
func (t *node) Local() netip.AddrPort        { return t.addr }
func (t *node) Protocol() transport.Protocol { return transport.UDP }
func (t *node) Release()                     {}
func (t *node) Close() error                 { return nil }

// peer is a node that a function plays: it gets every message and returns what to answer, without delay.
func (n *network) peer(t testing.TB, addr string, react func(v *sip.View) [][]byte) *scriptedPeer {
	p := &scriptedPeer{node: n.node(addr), react: react, quit: make(chan struct{}), done: make(chan struct{})}
	go p.run()
	t.Cleanup(p.stop)
	return p
}

type scriptedPeer struct {
	node  *node
	react func(v *sip.View) [][]byte
	quit  chan struct{}
	done  chan struct{}
	once  sync.Once
}

func (p *scriptedPeer) run() {
	defer close(p.done)
	for {
		select {
		case <-p.quit:
			return
		default:
		}
		_ = p.node.Poll(time.Hour, p)
	}
}

func (p *scriptedPeer) stop() {
	p.once.Do(func() { close(p.quit); p.node.Wake() })
	<-p.done
}

func (p *scriptedPeer) Received(m transport.Message) {
	v, err := sip.ParseView(m.Data)
	if err != nil {
		return
	}
	for _, b := range p.react(&v) {
		_ = m.Flow.Send(b)
	}
}

func (p *scriptedPeer) Closed(transport.Flow, error) {}

// reply is a response to the request, with extra header lines.
func reply(v *sip.View, status int, reason string, extra ...string) []byte {
	return sip.AppendResponse(nil, v, status, reason, extra...)
}
