package engine

import (
	"github.com/gossipper/gossipper/internal/scenario"
	"github.com/gossipper/gossipper/internal/sip"
)

// allowed is the answer to OPTIONS, and to methods that no scenario is there for (RFC 3261 11.2).
const (
	allowHeader  = "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, PRACK, UPDATE, MESSAGE"
	acceptHeader = "Accept: application/sdp"
)

// receiveUnknown takes a message that belongs to no call.
func (l *loop) receiveUnknown(in *incoming) {
	v := in.view
	if !v.IsRequest() {
		if l.dead.has(v.CallIDKey()) {
			l.cfg.Stats.DeadCall.Add(1)
		} else {
			l.cfg.Stats.OutOfCall.Add(1)
		}
		return
	}
	if l.dead.has(v.CallIDKey()) {
		l.receiveDead(in)
		return
	}
	if l.plan.role == scenario.UAS && l.plan.accepts(v.Method()) {
		l.acceptCall(in)
		return
	}
	switch method := string(v.Method()); method {
	case methodAck:
		l.cfg.Stats.OutOfCall.Add(1)
	case "OPTIONS":
		l.cfg.Stats.AutoAnswered.Add(1)
		l.answer(in, 200, "OK", allowHeader, acceptHeader)
	case methodInvite, "REGISTER", "MESSAGE", "SUBSCRIBE", "PUBLISH":
		// These could begin something, but nobody here takes them.
		l.cfg.Stats.OutOfCall.Add(1)
		l.answer(in, 405, "Method Not Allowed", allowHeader)
	default:
		l.cfg.Stats.OutOfCall.Add(1)
		l.answer(in, 481, "Call/Transaction Does Not Exist")
	}
}

// receiveDead answers a request of a call that has ended. A BYE comes again when its answer was lost; the answer is made from the
// request, so nothing has to be kept for it.
func (l *loop) receiveDead(in *incoming) {
	l.cfg.Stats.DeadCall.Add(1)
	switch string(in.view.Method()) {
	case methodAck:
	case methodBye, methodCancel:
		l.answer(in, 200, "OK")
	default:
		l.answer(in, 481, "Call/Transaction Does Not Exist")
	}
}

// acceptCall begins a call of a UAS with its first request.
func (l *loop) acceptCall(in *incoming) {
	if l.ending() {
		l.cfg.Stats.OutOfCall.Add(1)
		l.answer(in, 503, "Service Unavailable")
		return
	}
	// Media that are being closed take memory and sockets as those of running calls do.
	if most := l.cfg.MaxOpenCalls; most > 0 && l.running+l.closing >= most {
		l.cfg.Stats.Rejected.Add(1)
		l.answer(in, 503, "Service Unavailable", "Retry-After: 1")
		return
	}
	c := l.newCall()
	c.flow = in.flow
	c.id = string(in.view.CallIDKey())
	l.calls[c.id] = c
	c.run() // nop steps before the first recv
	if !c.alive() {
		l.answer(in, 500, "Server Internal Error")
		return
	}
	c.receive(in)
}

// answer answers a request outside of calls. A repetition of it gets the same bytes, because they depend on nothing else.
func (l *loop) answer(in *incoming, status int, reason string, extra ...string) {
	l.out = sip.AppendResponse(l.out[:0], in.view, status, reason, extra...)
	if in.flow.Send(l.out) == nil {
		l.cfg.Stats.MessagesSent.Add(1)
	}
}
