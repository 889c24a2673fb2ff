package engine

import (
	"fmt"
	"strings"

	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/sip"
)

// fail ends the call before the scenario's end, and ends it towards the peer too. Only the first failure counts.
func (c *call) fail(f *outcome.Failure) { c.failAt(c.where(), f) }

// failAt does so because of a step that the call may have left since.
func (c *call) failAt(step string, f *outcome.Failure) {
	if !c.alive() {
		return
	}
	c.failedStep = step
	c.end(f)
	c.part(f)
	c.settle()
}

// stopped ends a call because the run is stopped.
func (c *call) stopped(reason string) {
	c.fail(&outcome.Failure{
		Outcome: outcome.Aborted, Stage: outcome.StageScenario, Code: "stopped", Reason: reason + " at " + c.where(),
	})
}

// transportFailed ends a call whose socket is no more: there is nobody left to tell.
func (c *call) transportFailed(err error) {
	if c.alive() {
		c.failedStep = c.where()
		c.end(&outcome.Failure{
			Outcome: outcome.SendFailed, Stage: outcome.StageSIP, Code: "connection_lost",
			Reason: fmt.Sprintf("the connection to %s was lost at %s: %v", c.remote(), c.where(), err), Err: err,
		})
	}
	if c.state == stateEnded {
		c.loop.forget(c)
	}
}

// part tells the peer that the call is over, as its state demands (RFC 3261 9.1, 13.2.2.4, 15, 17.1.1.3).
func (c *call) part(f *outcome.Failure) {
	switch {
	case c.hungUp():
	case c.inviteSent:
		c.partAsCaller(f)
	case c.inviteCameIn:
		c.partAsCallee(f)
	}
}

// hungUp reports whether the peer has sent a BYE.
func (c *call) hungUp() bool {
	for i := range c.got {
		if c.got[i].method == methodBye {
			return true
		}
	}
	return false
}

// partAsCaller ends what the last INVITE has come to.
func (c *call) partAsCaller(f *outcome.Failure) {
	t := c.lastSent(methodInvite)
	switch {
	case t == nil:
	case !t.final && !t.provisional:
		// A CANCEL must wait for a provisional response. A peer that was silent all along will stay so.
		c.afterlife.awaiting = f.Outcome != outcome.NoAnswer && f.Outcome != outcome.MalformedAnswer && f.Outcome != outcome.SendFailed
	case !t.final:
		c.afterlife.awaiting = true
		c.cancel(t)
	case t.status >= 300:
		c.ackRefusal(t, &c.last)
	default:
		c.hangUp(t)
	}
}

// cancel sends the CANCEL of the INVITE, unless the scenario has sent one.
func (c *call) cancel(t *clientTxn) {
	if sent := c.lastSent(methodCancel); sent != nil && sent.cseq == t.cseq {
		return
	}
	invite, _ := sip.ParseView(c.invite)
	a := c.afterlife
	a.buf = sip.AppendCANCEL(a.buf[:0], &invite)
	c.sendAfterlife(methodCancel)
}

// ackRefusal sends the ACK for a final response of 300 and above, unless the scenario has sent one.
func (c *call) ackRefusal(t *clientTxn, response *sip.View) {
	if c.acked(t) || response.Status() < 300 || response.CSeqNumber() != t.cseq {
		return
	}
	invite, _ := sip.ParseView(c.invite)
	c.ack = sip.AppendFailureACK(c.ack[:0], &invite, response)
	c.ackSeq = t.cseq
	c.sendAuto(c.flow, c.ack)
	c.afterlife.keep = repeatedAnswers
}

// acked reports whether the final response to the INVITE was acknowledged.
func (c *call) acked(t *clientTxn) bool { return len(c.ack) > 0 && c.ackSeq == t.cseq }

// hangUp ends the dialog that the INVITE made: ACK, if the scenario has not come to it, then BYE, if it has sent none.
func (c *call) hangUp(t *clientTxn) {
	answer := c.dialogAnswer()
	if answer == nil {
		return
	}
	invite := c.inviteView()
	if !c.acked(t) {
		d := c.dialog(&invite, answer, t.cseq)
		c.ack = sip.AppendACK(c.ack[:0], &d)
		c.ackSeq = t.cseq
		c.sendAuto(c.flow, c.ack)
	}
	c.afterlife.keep = repeatedAnswers
	if c.sentBye() {
		return
	}
	c.bye(&invite, answer)
}

// sentBye reports whether the scenario has sent the BYE of the call's dialog.
func (c *call) sentBye() bool {
	for i := range c.sent {
		if c.sent[i].method == methodBye && c.sent[i].cseq < forkCSeq {
			return true
		}
	}
	return false
}

// bye sends the BYE of a dialog.
func (c *call) bye(invite, response *sip.View) {
	c.cseq++
	d := c.dialog(invite, response, c.cseq)
	a := c.afterlife
	a.buf = sip.AppendBYE(a.buf[:0], &d)
	c.sendAfterlife(methodBye)
}

// dialog describes the call's dialog for a message of our own.
func (c *call) dialog(invite, response *sip.View, cseq uint32) sip.Dialog {
	c.autoMessages++
	return sip.Dialog{
		Invite: invite, Response: response, Incoming: c.inviteCameIn,
		Local: c.loop.names.localAddrPort(c.flow), Protocol: c.flow.Protocol().String(),
		Branch: fmt.Sprintf("z9hG4bK-%s-%d-auto%d", c.loop.runID, c.number, c.autoMessages),
		CSeq:   cseq, Routes: c.routes, NextURL: c.nextURL,
	}
}

// forked reports whether a 2xx comes from another callee than the one that the call goes on with.
func (c *call) forked(v *sip.View) bool {
	answer := c.dialogAnswer()
	return answer != nil && len(v.ToTag()) > 0 && string(v.ToTag()) != string(answer.ToTag())
}

// forkCSeq keeps the BYE to another callee apart from the call's own requests.
const forkCSeq = 1 << 20

// endFork ends the dialog with another callee that a forking proxy found (RFC 3261 13.2.2.4). It is not kept: a callee that
// misses the messages repeats its 2xx, and is told again.
func (c *call) endFork(v *sip.View) {
	invite := c.inviteView()
	d := c.dialog(&invite, v, v.CSeqNumber())
	d.Routes, d.NextURL = "", "" // those of the other dialog
	l := c.loop
	l.out = sip.AppendACK(l.out[:0], &d)
	c.sendAuto(c.flow, l.out)
	d = c.dialog(&invite, v, v.CSeqNumber()+forkCSeq)
	d.Routes, d.NextURL = "", ""
	l.out = sip.AppendBYE(l.out[:0], &d)
	c.sendAuto(c.flow, l.out)
	bye, _ := sip.ParseView(l.out)
	c.noteSent(&bye, methodBye).final = true // its answer is for nobody
}

// partAsCallee ends what the last INVITE that came in has come to.
func (c *call) partAsCallee(f *outcome.Failure) {
	t := c.gotInvite(0, true)
	if t == nil {
		return
	}
	invite, _ := sip.ParseView(c.invite)
	switch {
	case t.status < 200:
		status, reason, extra := refusal(f, c.loop.names.localFor(c.remote().Addr()))
		t.response = sip.AppendResponse(t.response[:0], &invite, status, reason, extra...)
		t.status = status
		c.finalStatus = status
		a := c.afterlife
		a.buf = append(a.buf[:0], t.response...)
		c.sendAfterlifeResponse(t)
	case t.status < 300 && !c.sentBye():
		response, _ := sip.ParseView(t.response)
		c.afterlife.keep = repeatedAnswers
		c.bye(&invite, &response)
	}
}

// refusal is the final response to an INVITE that this side cannot go on with.
func refusal(f *outcome.Failure, host string) (status int, reason string, extra []string) {
	switch {
	case f.Code == "peer_cancel":
		return 487, "Request Terminated", nil
	case f.Outcome == outcome.MediaIncompatible:
		return 488, "Not Acceptable Here", []string{fmt.Sprintf(`Warning: %d %s "%s"`, warningCode(f.Code), host, quotable(f.Reason))}
	case f.Outcome == outcome.Aborted:
		return 503, "Service Unavailable", nil
	default:
		return 500, "Server Internal Error", nil
	}
}

// warningCode is the warn-code of RFC 3261 20.43 for what is wrong with an offer.
func warningCode(code string) int {
	switch code {
	case "profile_mismatch":
		return 302 // incompatible transport protocol
	case "media_rejected":
		return 304 // media type not available
	case "no_common_codec":
		return 305 // incompatible media format
	default:
		return 399 // miscellaneous
	}
}

// quotable makes text fit for a quoted string (RFC 3261 25.1).
func quotable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == '"' || r == '\\' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
