package engine

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
)

func TestLoss(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const calls = 300
		rng := rand.New(rand.NewPCG(7, 1))
		net := newNetwork()
		net.lose = func(_, _ netip.AddrPort, _ []byte) bool { return rng.Float64() < 0.2 }
		var callers, callees results
		uas := config(builtin(t, "uas"), net.node(calleeAddr), &callees)
		uas.Load.Calls = 0 // until it is drained
		uac := config(builtin(t, "uac"), net.node(callerAddr), &callers)
		uac.Load = Load{Rate: 100, Period: time.Second, Calls: calls}
		uac.Hold = 2 * time.Second
		engine, waitUAS := start(t, uas)
		_, waitUAC := start(t, uac)
		waitUAC()
		engine.Drain()
		waitUAS()
		callers.wantAll(t, calls, outcome.Success)
		callees.wantAll(t, calls, outcome.Success)
		if n := uac.Stats.Retransmissions.Load(); n < calls/10 {
			t.Errorf("only %d messages were repeated with a fifth of them lost", n)
		}
		// What is the same message (call, start line, CSeq) must be the same bytes each time.
		first := make(map[string]string)
		for _, s := range net.seen {
			lines := strings.Split(s.text, "\r\n")
			key := s.from.String() + lines[0]
			for _, line := range lines {
				if strings.HasPrefix(line, "Call-ID:") || strings.HasPrefix(line, "CSeq:") {
					key += "|" + line
				}
			}
			if known, ok := first[key]; !ok {
				first[key] = s.text
			} else if known != s.text {
				t.Fatalf("two versions of one message:\n%s\n%s", known, s.text)
			}
		}
	})
}

func TestLimitIsCountedAndNotMadeUpFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		net := newNetwork()
		var callers results
		peer := net.peer(t, calleeAddr, ring)
		uac := config(builtin(t, "uac"), net.node(callerAddr), &callers)
		// 10 calls a second of 950 ms each, 5 at once: half of them find no room.
		uac.Load = Load{Rate: 10, Period: time.Second, Limit: 5, Duration: 10 * time.Second}
		uac.Hold = 950 * time.Millisecond
		_, wait := start(t, uac)
		wait()
		peer.stop()
		started, missed := uac.Stats.CallsStarted.Load(), uac.Stats.StartsMissed.Load()
		if started != 50 || missed != 50 {
			t.Errorf("started %d, missed %d; want 50 and 50", started, missed)
		}
		callers.wantAll(t, 50, outcome.Success)
	})
}

func TestTheLastCallOfADurationIsStarted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		net := newNetwork()
		var callers results
		peer := net.peer(t, calleeAddr, ring)
		uac := config(builtin(t, "uac"), net.node(callerAddr), &callers)
		uac.Load = Load{Rate: 10, Period: time.Second, Duration: 2 * time.Second}
		_, wait := start(t, uac)
		wait()
		peer.stop()
		if started, missed := uac.Stats.CallsStarted.Load(), uac.Stats.StartsMissed.Load(); started != 20 || missed != 0 {
			t.Errorf("started %d, missed %d; want 20 and 0", started, missed)
		}
	})
}
