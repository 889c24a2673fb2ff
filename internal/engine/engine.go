package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/gossipper/gossipper/internal/stats"
)

// ErrRunning is returned by Run when the engine was run before.
var ErrRunning = errors.New("the engine has run already; make a new one")

// Engine runs the calls of one scenario over one transport. Its methods may be called from any goroutine.
type Engine struct {
	loop *loop
	ran  atomic.Bool
}

// New checks the configuration and compiles the scenario. The error lists everything that is wrong.
func New(c Config) (*Engine, error) {
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	plan, err := Compile(c.Scenario, c.Media.Kind)
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	c.Target = netip.AddrPortFrom(c.Target.Addr().Unmap(), c.Target.Port()) // as the transport shows it
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Stats == nil {
		c.Stats = stats.NewRun()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Engine{loop: newLoop(c, plan)}, nil
}

// Run runs calls until the run is over: the number of calls is reached and all have ended, the duration is over and all have
// ended, or the engine was drained or stopped. The end of the context is Stop. The error is the transport's.
func (e *Engine) Run(ctx context.Context) error {
	if e.ran.Swap(true) {
		return ErrRunning
	}
	defer context.AfterFunc(ctx, e.Stop)()
	return e.loop.run(ctx)
}

// Drain starts no more calls, and accepts none; those that run go on. Run returns when they have ended.
func (e *Engine) Drain() { e.loop.inbox.post((*loop).drain) }

// Stop ends all calls, with BYE, CANCEL or ACK as their state demands (RFC 3261 9.1, 15), and Run returns soon after.
func (e *Engine) Stop() { e.loop.inbox.post((*loop).stop) }

// SetRate changes the rate of a UAC from now on; rates that are not above 0 start no calls.
func (e *Engine) SetRate(rate float64) {
	e.loop.inbox.post(func(l *loop) { l.pace.setRate(rate, l.elapsed) })
}
