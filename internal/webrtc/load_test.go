package webrtc

import (
	"context"
	"errors"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/webrtc/sdp"
)

// openFiles counts the descriptors of this process.
func openFiles(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc: descriptors cannot be counted")
	}
	return len(entries)
}

// settled waits until goroutines and descriptors are back at their base line. Other tests must not run beside it.
func settled(t testing.TB, goroutines, files int) {
	t.Helper()
	deadline := time.After(testWait)
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		g, n := runtime.NumGoroutine(), openFiles(t)
		if g <= goroutines && n <= files {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline:
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines (were %d), %d descriptors (were %d)\n%s", g, goroutines, n, files, buf[:runtime.Stack(buf, true)])
		}
	}
}

// TestAbortAtEveryStage ends calls wherever they are; it does not run beside other tests.
func TestAbortAtEveryStage(t *testing.T) {
	f := newTestFactory(t, Options{ICEServers: []string{"stun:" + deadServer(t), "turn:u:p@" + deadServer(t)}})
	ctx := testContext(t)
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	var replaced sync.WaitGroup
	stages := []struct {
		name string
		run  func(caller, callee *testBridge)
	}{
		{"new", func(_, _ *testBridge) {}},
		{"offering", func(caller, _ *testBridge) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			_, _ = caller.CreateOffer(ctx)
		}},
		{"offered", func(caller, _ *testBridge) { _, _ = caller.CreateOffer(ctx) }},
		{"answered", func(caller, callee *testBridge) {
			offer, _ := caller.CreateOffer(ctx)
			_, _ = callee.Answer(ctx, offer)
		}},
		{"connecting", func(caller, callee *testBridge) { negotiate(t, caller, callee) }},
		{"ICE connected", func(caller, callee *testBridge) {
			negotiate(t, caller, callee)
			for caller.Diagnostics().ICEConnection != "connected" {
				runtime.Gosched()
			}
		}},
		{"connected", func(caller, callee *testBridge) { connect(t, caller, callee) }},
		{"replacing", func(caller, callee *testBridge) {
			fork := newTestBridge(t, f)
			offer, _ := negotiate(t, caller, callee)
			answer, err := fork.Answer(ctx, offer)
			if err != nil {
				t.Fatal(err)
			}
			fork.mustClose(t)
			accepting := make(chan struct{})
			replaced.Go(func() {
				close(accepting)
				_ = caller.AcceptAnswer(ctx, answer)
			})
			<-accepting
		}},
		{"talking", func(caller, callee *testBridge) {
			connect(t, caller, callee)
			talk(t, caller, callee)
		}},
	}
	for _, s := range stages {
		t.Run(s.name, func(t *testing.T) {
			for range 5 {
				caller, callee := newTestBridge(t, f), newTestBridge(t, f)
				s.run(caller, callee)
				var wg sync.WaitGroup
				for _, b := range []*testBridge{caller, callee, caller} { // twice the same
					wg.Go(func() { b.mustClose(t) })
				}
				wg.Wait()
				replaced.Wait()
			}
			settled(t, goroutines+1, files) // one is this subtest's
		})
	}
}

func TestTwoHundredBridgesAtOnce(t *testing.T) {
	f := newTestFactory(t, Options{})
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	const calls = 100
	var wg sync.WaitGroup
	pairs := make([][2]*testBridge, calls)
	for i := range pairs {
		wg.Go(func() {
			caller, callee := newTestBridge(t, f), newTestBridge(t, f)
			pairs[i] = [2]*testBridge{caller, callee}
			connect(t, caller, callee)
			talk(t, caller, callee)
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	t.Logf("%d bridges: %d goroutines, %d descriptors, %d kB of heap and stacks each", 2*calls, runtime.NumGoroutine(), openFiles(t), (before.HeapInuse+before.StackInuse)/1024/(2*calls))
	for _, p := range pairs {
		wg.Go(func() { p[0].mustClose(t) })
		wg.Go(func() { p[1].mustClose(t) })
	}
	wg.Wait()
	for _, p := range pairs {
		for _, b := range p {
			if s := b.Stats(); s.PacketsReceived != 1 || s.PacketsSent != 1 || s.WebRTC.Connection != "connected" || s.WebRTC.SelectedPair == nil {
				t.Fatalf("stats after the end: %+v %+v", s, s.WebRTC)
			}
		}
	}
	settled(t, goroutines, files)
}

func TestNothingAfterClose(t *testing.T) {
	t.Parallel()
	f := newTestFactory(t, Options{})
	caller, callee := newTestBridge(t, f), newTestBridge(t, f)
	connect(t, caller, callee)
	heard := listen(t, callee)
	callee.mustClose(t)
	for range 5 {
		if err := caller.WritePCMU(frame(0)); err != nil {
			t.Fatal(err)
		}
	}
	if err := callee.WritePCMU(frame(0)); !errors.Is(err, media.ErrClosed) {
		t.Errorf("WritePCMU: %v", err)
	}
	if err := callee.OnPCMA(func([]byte, media.Codec) {}); !errors.Is(err, media.ErrClosed) {
		t.Errorf("OnPCMA: %v", err)
	}
	if err := callee.AddRemoteCandidates(sdp.TypeSDP, []byte("a="+lineA)); !errors.Is(err, media.ErrClosed) {
		t.Errorf("AddRemoteCandidates: %v", err)
	}
	if err := callee.AcceptAnswer(context.Background(), []byte(goodSDP)); !errors.Is(err, media.ErrClosed) {
		t.Errorf("AcceptAnswer: %v", err)
	}
	caller.mustClose(t)
	if len(heard) != 0 {
		t.Errorf("%d callbacks after Close", len(heard))
	}
	// The peer's goodbye is no failure.
	for len(caller.events) > 0 {
		if e := <-caller.events; e.Type == media.EventFailed {
			t.Errorf("the caller failed: %v", e.Failure)
		}
	}
	if _, err := (&Factory{closed: true}).NewBridge(BridgeOptions{}); !errors.Is(err, media.ErrClosed) {
		t.Errorf("a closed factory made a bridge: %v", err)
	}
}
