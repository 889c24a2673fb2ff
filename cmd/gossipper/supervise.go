package main

import (
	"context"
	"sync"

	"github.com/gossipper/gossipper/internal/report"
)

// supervise runs r with progress and signals: the first signal lets the running calls finish, the second ends them.
func supervise(ctx context.Context, r *running, progressMode string) (*report.Summary, error) {
	beside, end := context.WithCancel(ctx)
	var tasks sync.WaitGroup
	tasks.Go(func() { r.obeySignals(beside) })
	p := &progress{screen: r.screen, mode: progressMode, width: r.env.Width, live: r.live, start: r.start, now: r.env.Now}
	tasks.Go(func() { p.run(beside) })
	summary, err := r.run(ctx)
	end()
	tasks.Wait()
	r.screen.clearStatus()
	return summary, err
}

// obeySignals drains the engine at the first signal and stops it at the second.
func (r *running) obeySignals(ctx context.Context) {
	for n := 1; ; n++ {
		select {
		case <-r.env.Signals:
			if n > 1 {
				r.screen.say("Ending all calls.")
				r.engine.Stop()
				continue
			}
			r.screen.say("Finishing %s; press Ctrl-C again to end now.", report.NumberOfCalls(uint64(max(r.live.CallsRunning.Load(), 0))))
			r.engine.Drain()
		case <-ctx.Done():
			return
		}
	}
}
