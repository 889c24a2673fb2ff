package main

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gossipper/gossipper/internal/report"
	"github.com/gossipper/gossipper/internal/stats"
)

// The values of --progress.
const (
	progressAuto  = "auto"
	progressTTY   = "tty"
	progressPlain = "plain"
	progressNone  = "none"
)

// ttyInterval is how often a terminal is updated.
const ttyInterval = 500 * time.Millisecond

// nextPlain returns when the next line is due after one at this age of the run: the first ones come soon, so that a short run shows
// something, and a long one does not fill a log.
func nextPlain(age time.Duration) time.Duration {
	switch {
	case age < time.Second:
		return time.Second
	case age < 9*time.Second:
		return age + 2*time.Second - (age+time.Second)%(2*time.Second) // 3, 5, 7 and 9 s
	default:
		return age + 5*time.Second - age%(5*time.Second)
	}
}

// progress shows the live figures of a run until its context ends. It only reads snapshots, so that a slow terminal holds up nothing else.
type progress struct {
	screen *console
	mode   string // never auto
	width  func() int
	live   *stats.Run
	start  time.Time
	now    func() time.Time

	last        time.Time
	lastStarted uint64
}

func checkProgressFlag(mode string) error {
	switch mode {
	case progressAuto, progressTTY, progressPlain, progressNone:
		return nil
	default:
		return exitf(ExitUsage, "--progress: must be auto, tty, plain or none, not %q", mode)
	}
}

// progressMode decides what auto means.
func progressMode(mode string, env *Env) string {
	switch {
	case mode != progressAuto:
		return mode
	case env.Terminal:
		return progressTTY
	default:
		return progressPlain
	}
}

// run shows progress until the context ends, and then the last line.
func (p *progress) run(ctx context.Context) {
	if p.mode == progressNone {
		return
	}
	timer := time.NewTimer(p.wait())
	defer timer.Stop()
	p.last = p.start
	for {
		select {
		case <-timer.C:
			p.show()
			timer.Reset(p.wait())
		case <-ctx.Done():
			p.finish()
			return
		}
	}
}

// wait is how long it is to the next line.
func (p *progress) wait() time.Duration {
	if p.mode == progressTTY {
		return ttyInterval
	}
	age := p.now().Sub(p.start)
	return nextPlain(age) - age
}

// show writes one line.
func (p *progress) show() {
	line := p.line(false)
	if p.mode == progressPlain {
		p.screen.say("%s", line)
		return
	}
	// A line that is wider than the terminal would be wrapped, and its beginning never erased.
	if width := p.width() - 1; width > 0 && utf8.RuneCountInString(line) > width {
		line = string([]rune(line)[:width])
	}
	p.screen.showStatus(line)
}

// finish leaves one last line behind.
func (p *progress) finish() { p.screen.say("%s", p.line(true)) }

// line says how the run stands. The rate is that since the line before, which means nothing at the end.
func (p *progress) line(last bool) string {
	now, s := p.now(), p.live.Snapshot()
	rate := 0.0
	if took := now.Sub(p.last).Seconds(); took > 0 {
		rate = float64(s.CallsStarted-p.lastStarted) / took
	}
	p.last, p.lastStarted = now, s.CallsStarted
	var b strings.Builder
	fmt.Fprintf(&b, "%6.1fs  started %d  running %d  ok %d  failed %d",
		now.Sub(p.start).Seconds(), s.CallsStarted, max(s.CallsRunning, 0), s.OK(), s.Failed())
	if !last {
		fmt.Fprintf(&b, "  %.1f/s", rate)
	}
	if s.Setup.Count > 0 {
		fmt.Fprintf(&b, "  setup p50 %s p95 %s", report.Milliseconds(s.Setup.P50MS), report.Milliseconds(s.Setup.P95MS))
	}
	if s.StartsMissed > 0 {
		fmt.Fprintf(&b, "  missed %d", s.StartsMissed)
	}
	if s.Dropped > 0 {
		fmt.Fprintf(&b, "  dropped %d", s.Dropped)
	}
	return b.String()
}
