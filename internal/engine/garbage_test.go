package engine

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/gossipper/gossipper/internal/transport"
)

func TestGarbageIsKnownByItsFlow(t *testing.T) {
	t.Parallel()
	net := newNetwork()
	own, shared := net.node(callerAddr), net.node("192.0.2.1:40000")
	peer := netip.MustParseAddrPort(calleeAddr)
	one, other := transport.NewFlow(own, peer), transport.NewFlow(shared, peer)
	var g garbage
	g.note(one, 5, []byte("before"))
	count := g.count(one)
	if n, _ := g.since(one, count, 5); n != 0 {
		t.Errorf("%d datagrams since then, want none", n)
	}
	g.note(one, 7, []byte("first"))
	g.note(one, 7, []byte("of the same tick"))
	g.note(one, 9, []byte(strings.Repeat("x", 100)))
	if n, last := g.since(one, count, 5); n != 3 || last != `"`+strings.Repeat("x", excerptLength)+`"…` {
		t.Errorf("%d datagrams, the last %s", n, last)
	}
	if n, _ := g.since(other, 0, 0); n != 0 {
		t.Errorf("%d datagrams on the other flow, want none", n)
	}
	if n, _ := g.since(one, 0, 10); n != 0 {
		t.Errorf("%d datagrams after the last, want none", n)
	}
}

func TestGarbageIsBounded(t *testing.T) {
	t.Parallel()
	e := newNetwork().node(callerAddr)
	flow := func(n int) transport.Flow {
		return transport.NewFlow(e, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}), 5060))
	}
	var g garbage
	for n := range maxGarbage {
		g.note(flow(n), 1, []byte("garbage"))
	}
	g.note(flow(0), 2, []byte("known"))
	const more = 10
	for n := range more {
		g.note(flow(maxGarbage+n), 3, []byte("garbage"))
	}
	if len(g.notes) != maxGarbage || len(g.order) != maxGarbage {
		t.Errorf("%d flows and %d places, want %d", len(g.notes), len(g.order), maxGarbage)
	}
	if n, _ := g.since(flow(more-1), 0, 0); n != 0 {
		t.Error("the oldest must be forgotten first")
	}
	if n, _ := g.since(flow(more), 0, 0); n != 1 {
		t.Error("a later one was forgotten")
	}
	// A flow that was forgotten meanwhile has fewer than were counted.
	g.note(flow(0), 4, []byte("again"))
	if n, last := g.since(flow(0), 2, 3); n != 1 || last != `"again"` {
		t.Errorf("%d datagrams, %s", n, last)
	}
}
