package e2e

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/engine"
	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/scenario"
	"github.com/gossipper/gossipper/internal/stats"
	"github.com/gossipper/gossipper/internal/transport"
	"github.com/gossipper/gossipper/internal/webrtc"
)

// side is one end of the crowd: an engine with everything it needs.
type side struct {
	engine  *engine.Engine
	sip     transport.Transport
	factory *webrtc.Factory
	stats   *stats.Run
	// connected counts the calls whose media are up, failed those that did not succeed.
	connected, failed atomic.Int64
}

func newSide(t *testing.T, name string, target netip.AddrPort, hold time.Duration) *side {
	t.Helper()
	s := &side{stats: stats.NewRun()}
	loopback := netip.MustParseAddr("127.0.0.1")
	var err error
	if s.sip, err = transport.NewUDP(transport.Options{Local: netip.AddrPortFrom(loopback, 0)}); err != nil {
		t.Fatal(err)
	}
	if s.factory, err = webrtc.NewFactory(webrtc.Options{IP: loopback}); err != nil {
		t.Fatal(err)
	}
	sc, err := scenario.Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	s.engine, err = engine.New(engine.Config{
		Scenario: sc, Transport: s.sip, Target: target, Service: "crowd", Hold: hold, Stats: s.stats,
		Load:           engine.Load{Rate: 50, Period: time.Second, Calls: crowd},
		Retransmission: engine.DefaultRetransmission(),
		Media:          engine.Media{Kind: media.KindWebRTC, New: s.newMedia, CloseTimeout: 10 * time.Second},
		Log:            slog.New(slog.DiscardHandler),
		OnResult: func(r *engine.Result) {
			if r.Outcome != outcome.Success {
				s.failed.Add(1)
				t.Errorf("call %d: %v at %s: %v", r.CallNumber, r.Outcome, r.FailedStep, r.Failure)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newMedia is the factory's pipeline with an ear on its events.
func (s *side) newMedia(o media.PipelineOptions) (media.MediaPipeline, error) {
	inner := o.OnEvent
	o.OnEvent = func(e media.Event) {
		if e.Type == media.EventConnected {
			s.connected.Add(1)
		}
		if inner != nil {
			inner(e)
		}
	}
	return s.factory.NewPipeline(o)
}

func (s *side) close(t *testing.T) {
	t.Helper()
	if err := s.factory.Close(); err != nil {
		t.Error(err)
	}
	if err := s.sip.Close(); err != nil {
		t.Error(err)
	}
}

// footprint is what a process holds.
type footprint struct {
	goroutines, files int
	heap              uint64
}

func measure(t *testing.T) footprint {
	t.Helper()
	runtime.GC()
	runtime.GC() // finalizers of the first free more in the second
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("cannot count open files: %v", err)
	}
	return footprint{goroutines: runtime.NumGoroutine(), files: len(files), heap: memory.HeapAlloc}
}

// TestCrowdOfWebRTCCallsLeavesNothingBehind does not run in parallel: it counts what the whole process holds.
func TestCrowdOfWebRTCCallsLeavesNothingBehind(t *testing.T) {
	before := measure(t)
	// All calls are up together for the time that is left of hold after the last has started.
	hold := crowd*time.Second/50 + 10*time.Second
	uas := newSide(t, "webrtc_uas", netip.AddrPort{}, 0)
	uac := newSide(t, "webrtc_uac", uas.sip.Local(), hold)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()

	var engines sync.WaitGroup
	for _, s := range []*side{uas, uac} {
		engines.Go(func() {
			if err := s.engine.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	peak := waitForCrowd(ctx, uac, uas)
	engines.Wait()
	for _, s := range []*side{uas, uac} {
		s.close(t)
		if n := s.stats.Outcome(outcome.Success); n != crowd {
			t.Errorf("%d calls succeeded, want %d", n, crowd)
		}
	}
	after := measure(t)
	t.Logf("%d calls at once: %d goroutines, %d files; before %+v, after %+v", crowd, peak.goroutines, peak.files, before, after)
	if peak.files < before.files+2*crowd {
		t.Errorf("only %d files were open while all calls were up: they were not up at once", peak.files)
	}
	if after.goroutines > before.goroutines || after.files > before.files {
		t.Errorf("left behind: %+v, before %+v", after, before)
	}
	if after.heap > before.heap+16<<20 {
		t.Errorf("%d MiB of heap left behind", (after.heap-before.heap)>>20)
	}
}

// waitForCrowd waits until every call is connected on both sides while none has ended, and returns what the process holds then.
func waitForCrowd(ctx context.Context, uac, uas *side) footprint {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return footprint{}
		case <-tick.C:
		}
		if uac.connected.Load() == crowd && uas.connected.Load() == crowd {
			files, err := os.ReadDir("/proc/self/fd")
			if err != nil || uac.stats.CallsRunning.Load() != crowd {
				return footprint{}
			}
			return footprint{goroutines: runtime.NumGoroutine(), files: len(files)}
		}
		if uac.failed.Load() > 0 || uas.failed.Load() > 0 {
			return footprint{}
		}
	}
}
