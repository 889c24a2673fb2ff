package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/scenario"
	"github.com/gossipper/gossipper/internal/sip"
)

// receive takes a message of the call. What repeats an earlier message is answered as that was, whatever the call is doing.
func (c *call) receive(in *incoming) {
	c.messagesIn++
	if c.state == stateEnded {
		c.receiveAfterlife(in)
		return
	}
	if c.repeated(in) {
		return
	}
	if c.state == stateMedia || c.state == stateCongested {
		if c.cancels(in) {
			c.unmatchedRequest(in)
		} else {
			c.keep(in)
		}
		return
	}
	c.process(in)
	c.run()
}

// cancels reports whether the message is a CANCEL of an INVITE that has no final response, in a scenario that waits for none: whatever
// is being prepared to answer the INVITE is not wanted any more.
func (c *call) cancels(in *incoming) bool {
	if string(in.view.Method()) != methodCancel {
		return false
	}
	t := c.gotInvite(in.view.CSeqNumber(), false)
	return t != nil && t.status < 200 && !c.loop.plan.expects(methodCancel)
}

// process matches a message against the scenario.
func (c *call) process(in *incoming) {
	var t *clientTxn
	if in.view.IsRequest() {
		if string(in.view.Method()) == methodAck {
			c.acknowledgedBy(in.view)
			c.noteAck(in.view)
		}
	} else {
		t = c.sentFor(in.view)
		c.answeredBy(t, in.view.Status())
	}
	c.unblock()
	if at, ok := c.match(in, t); ok {
		c.accept(at, in, t)
		return
	}
	if c.expectedLater(in, t) {
		c.keep(in)
		return
	}
	c.unmatched(in, t)
}

// keep holds a message back until the call can take it. Its sender repeats what is lost for want of room.
func (c *call) keep(in *incoming) {
	room := maxKeptBytes - len(in.view.Bytes())
	for i := range c.kept {
		room -= len(c.kept[i].view.Bytes())
	}
	if len(c.kept) < maxKept && room >= 0 {
		c.kept = append(c.kept, keptMessage{in.view.Clone(), in.flow, in.at})
	}
}

// takeKept offers the next message that was held back to the present step. It reports false when there is none.
func (c *call) takeKept() bool {
	if c.keptLeft == 0 || len(c.kept) == 0 {
		return false
	}
	c.keptLeft--
	k := c.kept[0]
	copy(c.kept, c.kept[1:])
	c.kept[len(c.kept)-1] = keptMessage{}
	c.kept = c.kept[:len(c.kept)-1]
	in := incoming{view: &k.view, flow: k.flow, at: k.at}
	if !c.repeated(&in) {
		c.process(&in)
	}
	return c.alive()
}

// repeated handles a message that repeats an earlier one. It reports false for a new one.
func (c *call) repeated(in *incoming) bool {
	if in.view.IsRequest() {
		return c.repeatedRequest(in)
	}
	t := c.sentFor(in.view)
	if t == nil || !t.final {
		return false
	}
	c.loop.cfg.Stats.RetransmissionsReceived.Add(1)
	if in.view.Status() >= 200 && t.method == methodInvite {
		c.repeatAck(in, t)
	}
	// A provisional response that was overtaken by the final one says nothing any more.
	return true
}

// repeatedRequest answers a repeated request with the bytes of the first time, or not at all while there is no answer yet (RFC 3261
// 17.2.1).
func (c *call) repeatedRequest(in *incoming) bool {
	if string(in.view.Method()) == methodAck {
		t := c.gotInvite(in.view.CSeqNumber(), false)
		if t == nil || !t.acked {
			return false
		}
		c.loop.cfg.Stats.RetransmissionsReceived.Add(1)
		return true
	}
	t := c.gotBefore(in.view)
	if t == nil {
		for i := range c.kept {
			if k := &c.kept[i].view; k.IsRequest() && string(k.Bytes()) == string(in.view.Bytes()) {
				c.loop.cfg.Stats.RetransmissionsReceived.Add(1)
				return true
			}
		}
		return false
	}
	c.loop.cfg.Stats.RetransmissionsReceived.Add(1)
	if t.status == 0 {
		return true
	}
	if t.method == methodInvite && t.acked {
		return true // the ACK has come: this copy was only late
	}
	if t.flow.Send(t.response) == nil {
		c.countSent()
		c.countRepeat()
	}
	return true
}

// repeatAck sends the ACK for a final response to an INVITE again (RFC 3261 13.2.2.4, 17.1.1.2). Before the scenario has sent one there
// is nothing to repeat: its ACK is still to come. A 2xx of another dialog, when the INVITE was forked, gets an ACK and a BYE.
func (c *call) repeatAck(in *incoming, t *clientTxn) {
	status := in.view.Status()
	if status < 300 && t.status < 300 && c.forked(in.view) {
		c.endFork(in.view)
		return
	}
	if len(c.ack) == 0 || c.ackSeq != in.view.CSeqNumber() {
		return
	}
	if c.flow.Send(c.ack) == nil {
		c.countSent()
		c.countRepeat()
	}
}

// noteAck remembers that the ACK for an INVITE has come.
func (c *call) noteAck(v *sip.View) {
	if t := c.gotInvite(v.CSeqNumber(), false); t != nil && !t.acked {
		t.acked = true
		c.slimAnswer(t)
	}
}

// accept takes a message for the recv step at the index.
func (c *call) accept(at int, in *incoming, t *clientTxn) {
	s := &c.loop.plan.steps[at]
	v := in.view
	if v.IsRequest() {
		c.acceptRequest(in)
	} else {
		c.acceptResponse(in, t)
	}
	c.retain(v, t)
	if s.Recv.RRS {
		routes, next := sip.RouteSet(v, !v.IsRequest())
		if next != "" {
			c.routes, c.nextURL = routes, next
		}
	}
	c.loop.wheel.cancel(&c.step)
	if !c.mediaSDP(at, in, t) {
		return
	}
	if v.Status() != 0 && v.Status() < 200 && s.final {
		// 183 where 200,183 is waited for: taken note of, but the step is for the final response.
		c.at, c.waited, c.state = at, false, stateSteps
		return
	}
	c.startRTDs(s, in.at)
	c.stopRTDs(s, in.at)
	c.at = at
	if len(s.Actions) > 0 {
		c.act(s)
	}
	if c.alive() {
		c.advance(s)
	}
}

// acceptRequest keeps what is needed to answer the request.
func (c *call) acceptRequest(in *incoming) {
	v := in.view
	if v.CSeqNumber() > c.cseq {
		c.cseq = v.CSeqNumber() // SIPp counts on from the peer's number
	}
	if string(v.Method()) == methodAck {
		return
	}
	c.acknowledgedBy(v)
	c.unblock()
	t := c.noteReceived(in)
	if t.method == methodInvite {
		if c.pending != nil && c.pending.invite {
			c.invite = nil // its memory is what is being repeated
		}
		head := v.Head()
		c.invite = c.loop.keep(c.invite, head.Bytes()) // for our own answers and BYE, which need no more
		c.inviteCameIn, c.inviteSent = true, false
		c.inviteAt = in.at
	}
}

// acceptResponse keeps what the response says.
func (c *call) acceptResponse(in *incoming, t *clientTxn) {
	status := in.view.Status()
	if tag := in.view.ToTag(); len(tag) > 0 && (len(c.peerTag) != len(tag)+5 || c.peerTag[5:] != string(tag)) {
		c.peerTag = ";tag=" + string(tag)
	}
	if t == nil {
		return
	}
	t.provisional = true
	if status >= 200 {
		t.final, t.status = true, status
	}
	if t.method == methodInvite || !c.inviteSent && !c.inviteCameIn {
		c.noteProgress(status, in.at)
	}
}

// noteProgress takes the times and the status of the call's set-up, from the caller's side or the callee's.
func (c *call) noteProgress(status int, at int64) {
	since := max(at-c.inviteAt, 0)
	if status >= 180 && status != 401 && status != 407 && c.pdd < 0 {
		c.pdd = since
		c.loop.cfg.Stats.PDD.Record(time.Duration(since))
	}
	if status >= 200 {
		c.finalStatus = status
	}
	if status >= 200 && status < 300 && c.setup < 0 && (c.inviteSent || c.inviteCameIn) {
		c.setup = since
		c.loop.cfg.Stats.Setup.Record(time.Duration(since))
	}
}

// retain keeps the message for [last_…], and the 2xx to an INVITE for the BYE that may have to end its dialog.
func (c *call) retain(v *sip.View, t *clientTxn) {
	if c.lastIsAnswer {
		if c.answer == nil {
			c.answer = new(sip.View)
		}
		c.last, *c.answer = *c.answer, c.last
		c.hasAnswer, c.lastIsAnswer = true, false
	}
	kept := *v
	if !c.loop.plan.usesBody {
		kept = v.Head()
	}
	c.last = kept.Retain(c.last.Bytes())
	c.hasLast = true
	if t != nil && t.method == methodInvite && v.Status() >= 200 && v.Status() < 300 {
		c.lastIsAnswer, c.hasAnswer = true, true
	}
}

// dialogAnswer is the 2xx that made the dialog which this side began; nil if there is none.
func (c *call) dialogAnswer() *sip.View {
	switch {
	case !c.hasAnswer:
		return nil
	case c.lastIsAnswer:
		return &c.last
	default:
		return c.answer
	}
}

// unmatched handles a message that the scenario does not provide for.
func (c *call) unmatched(in *incoming, t *clientTxn) {
	if in.view.IsRequest() {
		c.unmatchedRequest(in)
		return
	}
	status := in.view.Status()
	what := statusLine(in.view) + explanation(in.view)
	c.retain(in.view, t)
	if t == nil {
		c.fail(&outcome.Failure{
			Outcome: outcome.UnexpectedMessage, Stage: outcome.StageSIP, Code: "unexpected_response",
			Reason: fmt.Sprintf("%s answers no request of this call (CSeq %d %s) at %s", what, in.view.CSeqNumber(), in.view.CSeqMethod(), c.where()),
		})
		return
	}
	c.acceptResponse(in, t)
	if status >= 300 {
		c.fail(&outcome.Failure{
			Outcome: outcome.Rejected, Stage: outcome.StageSIP, Code: fmt.Sprintf("sip_%d", status),
			Reason: fmt.Sprintf("%s at %s", what, c.where()),
		})
		return
	}
	c.fail(&outcome.Failure{
		Outcome: outcome.UnexpectedMessage, Stage: outcome.StageSIP, Code: fmt.Sprintf("unexpected_%d", status),
		Reason: fmt.Sprintf("%s to %s came, which the scenario does not expect at %s", what, t.method, c.where()),
	})
}

// unmatchedRequest answers what can be answered without the scenario; anything else ends the call.
func (c *call) unmatchedRequest(in *incoming) {
	v := in.view
	switch method := string(v.Method()); {
	case method == methodInfo && c.trickle(in):
		c.loop.cfg.Stats.AutoAnswered.Add(1)
		c.answer200(in)
	case method == methodAck && c.ackOfRefusal(v):
	case method == methodBye:
		c.answer200(in)
		c.fail(&outcome.Failure{
			Outcome: outcome.UnexpectedMessage, Stage: outcome.StageSIP, Code: "peer_bye",
			Reason: "the peer hung up (BYE) while the scenario waited at " + c.where(),
		})
	case method == methodCancel:
		c.answer200(in)
		c.fail(&outcome.Failure{
			Outcome: outcome.UnexpectedMessage, Stage: outcome.StageSIP, Code: "peer_cancel",
			Reason: "the peer cancelled the call (CANCEL) while the scenario waited at " + c.where(),
		})
	default:
		if method != methodAck {
			c.answerWith(in, 500, "Unexpected Request")
		}
		c.fail(&outcome.Failure{
			Outcome: outcome.UnexpectedMessage, Stage: outcome.StageSIP, Code: "unexpected_request",
			Reason: fmt.Sprintf("the peer sent %s, which the scenario does not expect at %s", printable(v.Method()), c.where()),
		})
	}
}

// ackOfRefusal reports whether the ACK is for a final response that refused an INVITE: that belongs to the transaction (RFC 3261
// 17.2.1), and scenarios need not wait for it.
func (c *call) ackOfRefusal(v *sip.View) bool {
	t := c.gotInvite(v.CSeqNumber(), false)
	return t != nil && t.status >= 300
}

// answer200 and answerWith answer a request by themselves; a repetition of it gets the same bytes.
func (c *call) answer200(in *incoming) { c.answerWith(in, 200, "OK") }

func (c *call) answerWith(in *incoming, status int, reason string, extra ...string) {
	t := c.noteReceived(in)
	t.response = sip.AppendResponse(t.response[:0], in.view, status, reason, extra...)
	t.status = status
	c.sendAuto(in.flow, t.response)
}

// statusLine is a response in words: "486 Busy Here".
func statusLine(v *sip.View) string {
	return fmt.Sprintf("%d %s", v.Status(), printable(v.Reason()))
}

// explanation is what a response says of its cause (RFC 3261 20.43, RFC 3326), in brackets after a blank; empty if it says nothing.
func explanation(v *sip.View) string {
	var said []string
	for _, name := range []string{"Warning", "Reason"} {
		if text, ok := v.Header(name); ok && len(text) > 0 {
			said = append(said, name+": "+remark(text))
		}
	}
	if len(said) == 0 {
		return ""
	}
	return " (" + strings.Join(said, "; ") + ")"
}

// step of a recv that takes the message.
func (s *planStep) takes(in *incoming) bool {
	if s.Recv == nil {
		return false
	}
	if in.view.IsRequest() {
		return s.Recv.Request != "" && s.Recv.Request == string(in.view.Method())
	}
	for _, code := range s.Recv.Responses {
		if code == in.view.Status() {
			return true
		}
	}
	return false
}

// optional reports whether a search for the step of a message goes on behind this one.
func (s *planStep) optional() bool { return s.Recv != nil && s.Recv.Optional != scenario.Mandatory }
