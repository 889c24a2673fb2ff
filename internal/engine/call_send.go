package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/sip"
	"github.com/gossipper/gossipper/internal/transport"
)

const (
	// congestionRetry is how soon a message is tried again for which the socket had no room.
	congestionRetry = 2 * time.Millisecond
	// congestionLimit is how long that is done when the step says nothing.
	congestionLimit = 5 * time.Second
)

// enterSend renders and sends the step's message, once its media are ready and the message before it is answered. It reports whether
// the call goes on at once.
func (c *call) enterSend(s *planStep) bool {
	if c.pending != nil {
		// Whatever the scenario sends next would overtake what is still being repeated. The answer, or the limit of
		// the repetitions, brings the call back here.
		c.state = stateBlocked
		return false
	}
	if !c.mediaReady(s) {
		return false
	}
	c.state = stateSteps
	l := c.loop
	request := s.Send.Method != ""
	if request && s.Send.Method != methodAck && s.Send.Method != methodCancel {
		c.cseq++
	}
	l.setValues(c, s)
	l.out = l.messages[s.index].AppendTo(l.out[:0], &l.values)
	v, _ := sip.ParseView(l.out) // what the author wrote is sent in any case
	at := c.now()                // before: on a fast path the answer is there when Send returns
	err := c.flowFor(&v).Send(l.out)
	switch {
	case err == nil:
		c.afterSend(s, &v, at)
		return true
	case errors.Is(err, transport.ErrCongested):
		c.state = stateCongested
		c.request = append(c.request[:0], l.out...)
		c.unsentSince = l.elapsed
		c.after(congestionRetry)
		return false
	default:
		c.cannotSend("send "+s.Label, err)
		return false
	}
}

// trySend sends the message for which there was no room.
func (c *call) trySend() {
	s := c.current()
	v, _ := sip.ParseView(c.request)
	at := c.now()
	err := c.flowFor(&v).Send(c.request)
	limit := s.Timeout
	if limit == 0 {
		limit = congestionLimit
	}
	switch {
	case err == nil:
		c.state = stateSteps
		c.afterSend(s, &v, at)
	case errors.Is(err, transport.ErrCongested) && c.loop.elapsed-c.unsentSince < limit:
		c.after(congestionRetry)
	default:
		c.cannotSend("send "+s.Label, err)
	}
}

// flowFor is where a message goes: a response where its request came from (RFC 3261 18.2.2), a request to the peer.
func (c *call) flowFor(v *sip.View) transport.Flow {
	if v.Status() != 0 {
		if t := c.gotFor(v); t != nil {
			return t.flow
		}
	}
	return c.flow
}

// afterSend does what follows from a message that was sent, and leaves the step.
func (c *call) afterSend(s *planStep, v *sip.View, at int64) {
	c.countSent()
	if c.media != nil {
		c.media.ready = 0 // the next time, the step needs fresh SDP
	}
	if s.Send.Status == 0 {
		c.requestSent(s, v, at)
	} else {
		c.responseSent(s, v, at)
	}
	c.startRTDs(s, at)
	c.stopRTDs(s, at)
	if len(s.Actions) > 0 {
		c.act(s)
	}
	if c.alive() {
		c.advance(s)
	}
}

// requestSent keeps what may be needed of a request: to repeat it, to cancel it, to acknowledge or end what comes of it.
func (c *call) requestSent(s *planStep, v *sip.View, at int64) {
	switch s.Send.Method {
	case methodAck:
		c.ack = c.loop.keep(c.ack, v.Bytes())
		c.ackSeq = v.CSeqNumber()
		if c.media != nil {
			c.media.answered(s) // the offer was in the 2xx
		}
		return
	case methodInvite:
		c.noteSent(v, methodInvite)
		c.invite = c.loop.keep(c.invite, v.Bytes())
		c.inviteSent = true
		if c.media != nil {
			c.media.remoteOffer = nil // what an earlier response offered is settled
		}
		c.inviteAt = at
		c.repeatUntilAnswered(s, c.invite, c.flow)
		return
	}
	c.noteSent(v, s.Send.Method)
	if c.inviteAt == 0 {
		c.inviteAt = at
	}
	if s.Send.Retrans > 0 {
		c.request = append(c.request[:0], v.Bytes()...)
		c.repeatUntilAnswered(s, c.request, c.flow)
	}
}

// responseSent keeps a response, so that a repeated request gets the same bytes.
func (c *call) responseSent(s *planStep, v *sip.View, at int64) {
	t := c.gotFor(v)
	if t == nil {
		return
	}
	t.response = c.loop.keep(t.response, v.Bytes())
	t.status = v.Status()
	if t.method == methodInvite {
		c.noteProgress(t.status, at)
	}
	if c.media != nil && t.method == methodInvite && t.status >= 200 && t.status < 300 {
		c.media.answered(s)
	}
	c.repeatUntilAnswered(s, t.response, t.flow)
}

// countSent counts one message on its way out.
func (c *call) countSent() {
	c.messagesOut++
	c.loop.cfg.Stats.MessagesSent.Add(1)
}

// cannotSend ends the call because of the network.
func (c *call) cannotSend(what string, err error) {
	c.fail(&outcome.Failure{
		Outcome: outcome.SendFailed, Stage: outcome.StageSIP, Code: "send_failed",
		Reason: fmt.Sprintf("cannot %s to %s: %v", what, c.remote(), err), Err: err,
	})
}

// sendAuto sends a message that the scenario doesn't contain. An error is not told: the call has ended, or the peer asks again.
func (c *call) sendAuto(flow transport.Flow, b []byte) {
	if flow.Valid() && flow.Send(b) == nil {
		c.countSent()
	}
}
