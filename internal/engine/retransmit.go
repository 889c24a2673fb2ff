package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/scenario"
	"github.com/gossipper/gossipper/internal/sip"
	"github.com/gossipper/gossipper/internal/transport"
)

// pending is the message that a call repeats until it is answered. The bytes are those of the first time.
type pending struct {
	// request tells a request from a response; method and cseq are its CSeq.
	request bool
	invite  bool
	cseq    uint32
	method  string
	bytes   []byte
	flow    transport.Flow
	step    int
	// interval is the time until the next repetition; sent counts transmissions, the first one too.
	interval time.Duration
	sent     int
	since    time.Duration
	// garbage is how many datagrams that are not SIP had come on the flow before.
	garbage uint64
}

// repeatUntilAnswered starts repeating a message that the step wants repeated (RFC 3261 17.1.1.2, 17.1.2.2, 13.3.1.4). b must stay as
// it is for as long as the message is pending.
func (c *call) repeatUntilAnswered(s *planStep, b []byte, flow transport.Flow) {
	if s.Send.Retrans <= 0 || c.loop.cfg.Retransmission.Disabled || flow.Protocol().Reliable() {
		return
	}
	p := c.pending
	if p == nil {
		p = c.loop.newPending()
		c.pending = p
	}
	*p = pending{
		request: s.Send.Status == 0, bytes: b, flow: flow, step: s.index,
		interval: s.Send.Retrans, sent: 1, since: c.loop.elapsed,
		garbage: c.loop.garbage.count(flow),
	}
	if p.request {
		t := &c.sent[len(c.sent)-1]
		p.method, p.cseq = t.method, t.cseq
	} else {
		v, _ := sip.ParseView(b)
		p.method, p.cseq = methodName(v.CSeqMethod()), v.CSeqNumber()
	}
	p.invite = p.request && p.method == methodInvite
	c.armRetransmission()
}

// newPending returns memory for a message that is to be repeated. Most calls need it for a moment only.
func (l *loop) newPending() *pending {
	n := len(l.sparePending)
	if n == 0 {
		return new(pending)
	}
	p := l.sparePending[n-1]
	l.sparePending = l.sparePending[:n-1]
	return p
}

func (c *call) armRetransmission() {
	l := c.loop
	l.wheel.schedule(&c.retrans, int64((l.elapsed+c.pending.interval+tick-1)/tick))
}

// retransmit repeats the pending message, or gives up.
func (c *call) retransmit() {
	if c.state == stateEnded {
		c.repeatAfterlife()
		return
	}
	p := c.pending
	if p == nil {
		return
	}
	limit := c.loop.cfg.Retransmission.MaxOther
	if p.invite {
		limit = c.loop.cfg.Retransmission.MaxINVITE
	}
	if p.sent > limit {
		c.unanswered()
		return
	}
	p.sent++
	if err := p.flow.Send(p.bytes); err != nil && !errors.Is(err, transport.ErrCongested) {
		c.cannotSend("repeat "+c.loop.plan.steps[p.step].Label, err)
		return
	}
	c.countSent()
	c.countRepeat()
	p.interval *= 2
	if !p.invite {
		p.interval = min(p.interval, c.loop.cfg.Retransmission.T2)
	}
	c.armRetransmission()
}

// countRepeat counts one message that was sent again.
func (c *call) countRepeat() {
	c.repeats++
	c.loop.cfg.Stats.Retransmissions.Add(1)
}

// unanswered ends the repeating without an answer.
func (c *call) unanswered() {
	p := *c.pending
	s := &c.loop.plan.steps[p.step]
	c.stopRepeating()
	if s.OnTimeout != scenario.NoStep && s.OnTimeout < len(c.loop.plan.steps) {
		c.jump(s.OnTimeout)
		c.run()
		return
	}
	what := p.method
	if !p.request {
		what = s.Label
		if len(what) > 5 && what[:5] == "send " {
			what = what[5:]
		}
	}
	waited := c.loop.elapsed - p.since
	f := &outcome.Failure{
		Outcome: outcome.NoAnswer, Stage: outcome.StageSIP, Code: "no_answer",
		Reason: fmt.Sprintf("no answer to %s from %s after %d transmissions in %.1f s", what, c.remote(), p.sent, waited.Seconds()),
	}
	if n, last := c.loop.garbage.since(p.flow, p.garbage, int64(p.since/tick)); n > 0 {
		f.Outcome, f.Code = outcome.MalformedAnswer, "malformed_answer"
		if p.flow.Local() == c.loop.cfg.Transport.Local() {
			f.Reason += fmt.Sprintf("; meanwhile %d datagrams that are not SIP came from %s, the last: %s (to which call they belong "+
				"can be told if each call has a socket of its own)", n, p.flow.Remote(), last)
		} else {
			f.Reason = fmt.Sprintf("%s answers %s with something that is not SIP: %s (%d datagrams in %.1f s)", p.flow.Remote(), what, last, n, waited.Seconds())
		}
	}
	c.fail(f)
}

// stopRepeating ends the repeating of the pending message.
func (c *call) stopRepeating() {
	if l := c.loop; c.pending != nil {
		l.wheel.cancel(&c.retrans)
		*c.pending = pending{}
		l.sparePending = append(l.sparePending, c.pending)
		c.pending = nil
	}
}

// unblock lets a send step go on that waited for the pending message to be answered. The caller runs the call.
func (c *call) unblock() {
	if c.state == stateBlocked && c.pending == nil {
		c.state = stateSteps
	}
}

// answeredBy stops or slows the repeating when a response belongs to the pending request. A provisional one stops an INVITE
// (RFC 3261 17.1.1.2) and slows other requests down to T2 (17.1.2.2).
func (c *call) answeredBy(t *clientTxn, status int) {
	p := c.pending
	if p == nil || !p.request || t == nil || !t.anySeq && (t.cseq != p.cseq || t.method != p.method) {
		return
	}
	if status >= 200 || p.invite {
		c.stopRepeating()
		return
	}
	p.interval = c.loop.cfg.Retransmission.T2
	c.armRetransmission()
}

// acknowledgedBy stops the repeating of a response when a request proves that it has arrived: its ACK, or a later request of the
// dialog.
func (c *call) acknowledgedBy(v *sip.View) {
	p := c.pending
	if p == nil || p.request {
		return
	}
	switch {
	case string(v.Method()) == methodAck:
		if p.method == methodInvite && v.CSeqNumber() == p.cseq {
			c.stopRepeating()
		}
	case v.CSeqNumber() > p.cseq || p.method != methodInvite:
		c.stopRepeating()
	}
}
