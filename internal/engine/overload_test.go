package engine

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/transport"
)

// logText is a log that can be read.
type logText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logText) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logText) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func TestDropsHoldBackNewCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		net := newNetwork()
		var callers results
		var log logText
		peer := net.peer(t, calleeAddr, ring)
		node := net.node(callerAddr)
		uac := config(builtin(t, "uac"), node, &callers)
		uac.Load = Load{Rate: 100, Period: time.Second, Duration: 2 * time.Second}
		uac.Log = log.logger()
		_, wait := start(t, uac)
		for range 2 {
			pass(503 * time.Millisecond)
			node.drop(3)
		}
		wait()
		peer.stop()
		// Each time the loop sees it at the next start, and calls are due every 10 ms.
		const held = 2 * int(overloadPause) / 10
		if started, missed := uac.Stats.CallsStarted.Load(), uac.Stats.StartsMissed.Load(); started != uint64(200-held) || missed != uint64(held) {
			t.Errorf("started %d, missed %d; want %d and %d", started, missed, 200-held, held)
		}
		callers.wantAll(t, 200-held, outcome.Success)
		if n := uac.Stats.Dropped.Load(); n != 6 {
			t.Errorf("%d dropped, want 6", n)
		}
		if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), "dropped_by_kernel=3") {
			t.Errorf("%d warnings, want one:\n%s", n, log.String())
		}
	})
}

func TestOverload(t *testing.T) {
	t.Parallel()
	var o overload
	s := transport.Stats{}
	step := func(now int64, want bool) {
		t.Helper()
		o.note(s, now)
		if got := o.active(now); got != want {
			t.Errorf("tick %d: overloaded %v, want %v", now, got, want)
		}
	}
	now := int64(1000)
	step(now, false)
	for range overloadAfter - 1 { // a backlog that is worked off
		now++
		s.Full++
		step(now, false)
	}
	now++
	step(now, false)
	for range overloadAfter - 1 {
		now++
		s.Full++
		step(now, false)
	}
	now++
	s.Full++
	step(now, true)
	step(now+overloadPause-1, true)
	step(now+overloadPause, false)
	now += overloadPause
	s.Dropped++
	step(now, true)
	step(now+overloadPause, false)
}
