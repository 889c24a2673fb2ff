package engine

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/scenario"
	"github.com/gossipper/gossipper/internal/stats"
	"github.com/gossipper/gossipper/internal/transport"
)

const (
	callerAddr = "192.0.2.1:5060"
	calleeAddr = "192.0.2.2:5060"
)

// results collects what OnResult is told.
type results struct {
	mu  sync.Mutex
	all []*Result
}

func (r *results) add(one *Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, one)
}

// only returns the one result that there must be.
func (r *results) only(t testing.TB) *Result {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all) != 1 {
		t.Fatalf("%d results, want 1", len(r.all))
	}
	return r.all[0]
}

// wantAll checks that there are n results, all with the outcome.
func (r *results) wantAll(t testing.TB, n int, want outcome.Outcome) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all) != n {
		t.Errorf("%d results, want %d", len(r.all), n)
	}
	shown := 0
	for _, one := range r.all {
		if one.Outcome != want && shown < 5 {
			shown++
			t.Errorf("call %d: %v at %q: %v, want %v", one.CallNumber, one.Outcome, one.FailedStep, one.Failure, want)
		}
	}
}

func builtin(t testing.TB, name string) *scenario.Scenario {
	t.Helper()
	s, err := scenario.Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func parse(t testing.TB, xml string) *scenario.Scenario {
	t.Helper()
	s, err := scenario.Parse("test.xml", []byte(xml), nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// config is the configuration of one call, or of a callee that takes one.
func config(s *scenario.Scenario, tr transport.Transport, r *results) Config {
	return Config{
		Scenario: s, Transport: tr, Target: netip.MustParseAddrPort(calleeAddr), Service: "service",
		Load:           Load{Rate: 100, Period: time.Second, Calls: 1},
		Retransmission: DefaultRetransmission(),
		DeadCallWait:   33 * time.Second,
		Stats:          stats.NewRun(),
		OnResult:       r.add,
	}
}

// start runs an engine; the function returned waits for its end.
func start(t testing.TB, c Config) (*Engine, func()) {
	t.Helper()
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { done <- e.Run(ctx) }()
	var once sync.Once
	wait := func() {
		once.Do(func() {
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	t.Cleanup(func() { cancel(); wait() })
	return e, wait
}
