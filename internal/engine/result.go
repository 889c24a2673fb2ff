package engine

import (
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
)

// complete ends the call at the end of its scenario.
func (c *call) complete() { c.completeInto(0) }

// completeInto ends the call, and keeps answering what the peer repeats for some time (timewait).
func (c *call) completeInto(timewait time.Duration) {
	if c.failedCheck == nil {
		c.failedStep = ""
	}
	c.end(c.failedCheck)
	c.afterlife.keep = timewait
	if timewait > 0 {
		c.loop.quietBy = max(c.loop.quietBy, c.loop.tick+int64(min(timewait, quietTime)/tick))
	}
	c.settle()
}

// end makes the call's result. It is delivered when the media have ended too.
func (c *call) end(f *outcome.Failure) {
	l := c.loop
	c.state = stateEnded
	c.afterlife = l.newAfterlife()
	c.endedAt = c.now()
	c.stopRepeating()
	l.wheel.cancel(&c.step)
	clear(c.kept)
	c.kept, c.keptLeft = c.kept[:0], 0
	l.running--
	l.cfg.Stats.CallsRunning.Add(-1)
	if c.media != nil {
		m := c.media
		c.media = nil
		m.end(c.result(f))
		return
	}
	if l.cfg.OnResult == nil {
		l.cfg.Stats.EndCall(outcomeOf(f))
		return
	}
	l.deliver(c.result(f))
}

// outcomeOf is the outcome of a call that ended with the failure, or without.
func outcomeOf(f *outcome.Failure) outcome.Outcome {
	if f == nil {
		return outcome.Success
	}
	return f.Outcome
}

// deliver hands over a result that is complete. It may be called from any goroutine.
func (l *loop) deliver(r *Result) {
	l.cfg.Stats.EndCall(r.Outcome)
	if l.cfg.OnResult != nil {
		l.cfg.OnResult(r)
	}
}

// resultMemory is a Result and what it points to, so that both are one allocation.
type resultMemory struct {
	Result
	setup, pdd time.Duration
}

// result makes the call's result, but for the media's figures.
func (c *call) result(f *outcome.Failure) *Result {
	l := c.loop
	m := &resultMemory{Result: Result{
		CallNumber: c.number, CallID: c.id, Role: l.plan.role, Scenario: l.plan.scenario.Name,
		Remote:    c.remote(),
		StartedAt: time.Unix(0, c.startedAt), EndedAt: time.Unix(0, c.endedAt),
		Outcome: outcomeOf(f), Failure: f, FailedStep: c.failedStep,
		SIP: SIPResult{
			FinalStatus:  c.finalStatus,
			MessagesSent: uint64(c.messagesOut), MessagesReceived: uint64(c.messagesIn), Retransmissions: uint64(c.repeats),
			ResponseTimes: c.responseTimes(),
		},
	}}
	if c.flow.Valid() {
		m.Local = l.names.localAddrPort(c.flow)
	}
	if c.setup >= 0 {
		m.setup = time.Duration(c.setup)
		m.SIP.Setup = &m.setup
	}
	if c.pdd >= 0 {
		m.pdd = time.Duration(c.pdd)
		m.SIP.PDD = &m.pdd
	}
	return &m.Result
}

// responseTimes are the scenario's own.
func (c *call) responseTimes() []*time.Duration {
	if len(c.rtds) == 0 {
		return nil
	}
	times := make([]*time.Duration, len(c.rtds))
	taken := make([]time.Duration, len(c.rtds))
	for i, r := range c.rtds {
		if r.taken >= 0 {
			taken[i] = time.Duration(r.taken)
			times[i] = &taken[i]
		}
	}
	return times
}
