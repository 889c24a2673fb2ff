package main

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/stats"
)

func TestProgressPlain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		live := stats.NewRun()
		p := &progress{screen: &console{to: &out}, mode: progressPlain, live: live, start: time.Now(), now: time.Now}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { p.run(ctx); close(done) }()
		live.CallsStarted.Store(50)
		live.CallsRunning.Store(7)
		live.EndCall(outcome.Success)
		live.EndCall(outcome.NoAnswer)
		live.Setup.Record(20 * time.Millisecond)
		live.StartsMissed.Store(4)
		live.Dropped.Store(9)
		<-time.After(plainInterval + time.Millisecond) // virtual time
		live.CallsStarted.Store(150)
		<-time.After(plainInterval)
		cancel()
		<-done
		want := "   5.0s  started 50  running 7  ok 1  failed 1  10.0/s  setup p50 20.0 ms p95 20.0 ms  missed 4  dropped 9\n" +
			"  10.0s  started 150  running 7  ok 1  failed 1  20.0/s  setup p50 20.0 ms p95 20.0 ms  missed 4  dropped 9\n" +
			"  10.0s  started 150  running 7  ok 1  failed 1  setup p50 20.0 ms p95 20.0 ms  missed 4  dropped 9\n"
		if out.String() != want {
			t.Errorf("got\n%s\nwant\n%s", out.String(), want)
		}
	})
}

func TestProgressOnATerminal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := &progress{
			screen: &console{to: &out}, mode: progressTTY, live: stats.NewRun(), start: time.Now(), now: time.Now,
			width: func() int { return 21 },
		}
		ctx, cancel := context.WithTimeout(t.Context(), ttyInterval*2+time.Millisecond)
		defer cancel()
		p.run(ctx)
		want := eraseLine + "   0.5s  started 0  " + eraseLine + "   1.0s  started 0  " +
			eraseLine + "   1.0s  started 0  running 0  ok 0  failed 0\n"
		if out.String() != want {
			t.Errorf("got  %q\nwant %q", out.String(), want)
		}
	})
}

func TestProgressMode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		flag     string
		terminal bool
		want     string
	}{{"auto", true, "tty"}, {"auto", false, "plain"}, {"none", true, "none"}, {"plain", true, "plain"}, {"tty", false, "tty"}} {
		if got := progressMode(c.flag, &Env{Terminal: c.terminal}); got != c.want {
			t.Errorf("--progress %s, terminal %v: %s, want %s", c.flag, c.terminal, got, c.want)
		}
	}
}
