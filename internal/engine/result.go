package engine

import (
	"sync/atomic"
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

// end makes the call's result. It is delivered when the call owes the peer nothing more and the media have ended too.
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
	if c.media == nil && l.cfg.OnResult == nil {
		l.cfg.Stats.EndCall(outcomeOf(f))
		return
	}
	r := c.result(f)
	c.afterlife.result = r
	r.missing.Store(1) // what report adds
	if m := c.media; m != nil {
		r.missing.Store(2)
		c.media = nil
		m.end(r)
	}
}

// report completes the result with what has become of the call's signalling since its scenario ended: the BYE, CANCEL or ACK that
// ended it towards the peer, their repetitions and answers. What comes later belongs to a dead call.
func (c *call) report() {
	if c.afterlife == nil || c.afterlife.result == nil {
		return
	}
	r := c.afterlife.result
	c.afterlife.result = nil
	r.SIP.FinalStatus = c.finalStatus
	r.SIP.MessagesSent, r.SIP.MessagesReceived = uint64(c.messagesOut), uint64(c.messagesIn)
	r.SIP.Retransmissions = uint64(c.repeats)
	c.loop.completed(r)
}

// completed delivers the result once nothing is missing of it. It may be called from any goroutine.
func (l *loop) completed(r *pendingResult) {
	if r.missing.Add(-1) == 0 {
		l.deliver(&r.Result)
	}
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

// pendingResult is a Result that is not complete yet, and what it points to, so that all is one allocation.
type pendingResult struct {
	Result
	setup, pdd time.Duration
	// missing counts those who still have something to add: the call's afterlife, the media.
	missing atomic.Int32
}

// result makes the call's result, but for what report and the media add.
func (c *call) result(f *outcome.Failure) *pendingResult {
	l := c.loop
	m := &pendingResult{Result: Result{
		CallNumber: c.number, CallID: c.id, Role: l.plan.role, Scenario: l.plan.scenario.Name,
		Remote:    c.remote(),
		StartedAt: time.Unix(0, c.startedAt), EndedAt: time.Unix(0, c.endedAt),
		Outcome: outcomeOf(f), Failure: f, FailedStep: c.failedStep,
		SIP: SIPResult{ResponseTimes: c.responseTimes()},
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
	return m
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
