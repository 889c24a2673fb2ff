package main

import (
	"bytes"
	"context"
	"strings"
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
		<-time.After(time.Second + time.Millisecond) // virtual time
		live.CallsStarted.Store(150)
		<-time.After(2 * time.Second)
		cancel()
		<-done
		want := "   1.0s  started 50  running 7  ok 1  failed 1  50.0/s  setup p50 20.0 ms p95 20.0 ms  missed 4  dropped 9\n" +
			"   3.0s  started 150  running 7  ok 1  failed 1  50.0/s  setup p50 20.0 ms p95 20.0 ms  missed 4  dropped 9\n" +
			"   3.0s  started 150  running 7  ok 1  failed 1  setup p50 20.0 ms p95 20.0 ms  missed 4  dropped 9\n"
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

func TestPlainProgressBeginsSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := &progress{screen: &console{to: &out}, mode: progressPlain, live: stats.NewRun(), start: time.Now(), now: time.Now}
		ctx, cancel := context.WithTimeout(t.Context(), 21*time.Second)
		defer cancel()
		p.run(ctx)
		var at []string
		for line := range strings.Lines(out.String()) {
			at = append(at, strings.Fields(line)[0])
		}
		if got, want := strings.Join(at, " "), "1.0s 3.0s 5.0s 7.0s 9.0s 10.0s 15.0s 20.0s 21.0s"; got != want {
			t.Errorf("lines at %s, want %s", got, want)
		}
	})
}
