package engine

import "github.com/gossipper/gossipper/internal/scenario"

// match finds the recv step that a message is for. It looks forward from the present step through optional steps, then back through
// optional ones, and at global ones (reference: SIPp). t is the request that a response answers.
//
// Unlike SIPp, a response only matches when it answers a request of this call that has had no final response yet: so a 200 to
// INVITE that comes late is never taken for the 200 to BYE.
func (c *call) match(in *incoming, t *clientTxn) (int, bool) {
	if !c.answerable(in, t) {
		return 0, false
	}
	steps := c.loop.plan.steps
	for at := c.at; at < len(steps); at++ {
		if steps[at].takes(in) {
			return at, true
		}
		if !steps[at].optional() {
			break
		}
	}
	contiguous := true
	for at := min(c.at, len(steps)) - 1; at >= 0; at-- {
		s := &steps[at]
		if s.takes(in) && (contiguous || s.Recv.Optional == scenario.OptionalGlobal) {
			return at, true
		}
		contiguous = contiguous && s.optional()
	}
	return 0, false
}

// answerable reports whether a message can be for a recv at all.
func (c *call) answerable(in *incoming, t *clientTxn) bool {
	if in.view.IsRequest() {
		return true
	}
	if t == nil {
		return len(c.sent) == 0
	}
	// A 200 to the INVITE that crosses with a CANCEL is not the 200 to CANCEL.
	if t.method == methodInvite && in.view.Status() >= 200 && in.view.Status() < 300 {
		if cancel := c.lastSent(methodCancel); cancel != nil && cancel.cseq == t.cseq && !cancel.final {
			return false
		}
	}
	return !t.final
}

// expectedLater reports whether a message has only overtaken the one that the present step waits for, and which is sure to come
// because this side is still repeating what asks for it: the ACK to a 2xx before a BYE, the answer to a CANCEL before the 487.
func (c *call) expectedLater(in *incoming, t *clientTxn) bool {
	p := c.pending
	steps := c.loop.plan.steps
	if p == nil || c.at >= len(steps) || steps[c.at].Recv == nil || len(c.kept) == maxKept || !c.answerable(in, t) {
		return false
	}
	if p.request {
		if t == nil || t.cseq == p.cseq && t.method == p.method {
			return false
		}
	} else if steps[c.at].Recv.Request != methodAck || !in.view.IsRequest() || string(in.view.Method()) == methodCancel {
		return false
	}
	return c.loop.plan.takenBeforeSend(c.at+1, in)
}

// takenBeforeSend reports whether a step from the index on takes the message before anything else is to be sent.
func (p *Plan) takenBeforeSend(from int, in *incoming) bool {
	for at := from; at < len(p.steps); at++ {
		switch s := &p.steps[at]; {
		case s.takes(in):
			return true
		case s.kind == stepSend:
			return false
		}
	}
	return false
}

// awaited is the step that a call waits for which stands at the index: behind optional recv steps that is the next mandatory one, since
// an optional message that does not come holds up nothing.
func (p *Plan) awaited(at int) int {
	for i := max(at, 0); i < len(p.steps); i++ {
		switch {
		case p.steps[i].Recv == nil:
			return at
		case !p.steps[i].optional():
			return i
		}
	}
	return at
}

// expects reports whether any recv step is for requests with the method.
func (p *Plan) expects(method string) bool {
	for i := range p.steps {
		if recv := p.steps[i].Recv; recv != nil && recv.Request == method {
			return true
		}
	}
	return false
}
