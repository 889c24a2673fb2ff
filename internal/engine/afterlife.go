package engine

import (
	"time"

	"github.com/gossipper/gossipper/internal/sip"
	"github.com/gossipper/gossipper/internal/transport"
)

const (
	// timerT1 is RFC 3261's estimate of the round trip, for messages that the scenario says nothing about.
	timerT1 = 500 * time.Millisecond
	// afterlifeRepeats is how often a message of our own is repeated; 0.5, 1, 2 and 4 s make up afterlifeLimit.
	afterlifeRepeats = 3
	afterlifeLimit   = 8 * time.Second
	// repeatedAnswers is how long a call that was ended by this side answers what the peer repeats: long enough for two repetitions.
	repeatedAnswers = 1600 * time.Millisecond
	// maxHeld bounds the ended calls that are kept for what the peer repeats. More are forgotten at once: their repeated
	// requests are still answered, only without the scenario's own bytes.
	maxHeld = 1 << 17
	// quietTime is how long a run that ends waits for peers to repeat a request whose answer was lost: T1 and a bit.
	quietTime = 600 * time.Millisecond
)

// afterlife is what a call still has to do when its scenario has ended: send its BYE or CANCEL until it is answered, acknowledge
// late answers to its INVITE, and repeat its last answers while the peer may ask for them.
type afterlife struct {
	// buf is the message being repeated: a request with the method and cseq, or the final response to the INVITE with the cseq.
	buf       []byte
	flow      transport.Flow
	repeating bool
	response  bool
	method    string
	cseq      uint32
	interval  time.Duration
	sent      int
	// awaiting: our INVITE has had no final response.
	awaiting bool
	// keep is how long repetitions of the peer are answered once nothing is owed any more.
	keep time.Duration
	// settled: keep is running. The result has been handed over.
	settled bool
	// result waits until the call is settled; nil before and after, and when nobody wants it.
	result *pendingResult
}

// newAfterlife returns an afterlife in which nothing has happened.
func (l *loop) newAfterlife() *afterlife {
	n := len(l.spareAfterlife)
	if n == 0 {
		return new(afterlife)
	}
	a := l.spareAfterlife[n-1]
	l.spareAfterlife = l.spareAfterlife[:n-1]
	*a = afterlife{buf: a.buf[:0]}
	return a
}

// sendAfterlife sends the request in buf and repeats it.
func (c *call) sendAfterlife(method string) {
	a := c.afterlife
	v, _ := sip.ParseView(a.buf)
	c.noteSent(&v, method)
	a.response, a.method, a.cseq, a.flow = false, method, v.CSeqNumber(), c.flow
	c.startAfterlife()
}

// sendAfterlifeResponse sends the final response in buf and repeats it until its ACK comes (RFC 3261 17.2.1).
func (c *call) sendAfterlifeResponse(t *serverTxn) {
	a := c.afterlife
	a.response, a.method, a.cseq, a.flow = true, t.method, t.cseq, t.flow
	a.keep = repeatedAnswers
	c.startAfterlife()
}

func (c *call) startAfterlife() {
	a := c.afterlife
	c.sendAuto(a.flow, a.buf)
	a.sent, a.interval = 1, timerT1
	if a.repeating = a.flow.Valid() && !c.loop.cfg.Retransmission.Disabled && !a.flow.Protocol().Reliable(); a.repeating {
		c.armAfterlife()
	}
}

func (c *call) armAfterlife() {
	l := c.loop
	l.wheel.schedule(&c.retrans, int64((l.elapsed+c.afterlife.interval+tick-1)/tick))
}

// repeatAfterlife is called when the message in buf was not answered in time.
func (c *call) repeatAfterlife() {
	a := c.afterlife
	if !a.repeating {
		return
	}
	if a.sent > afterlifeRepeats {
		c.answeredAfterlife()
		return
	}
	a.sent++
	a.interval *= 2
	c.sendAuto(a.flow, a.buf)
	c.countRepeat()
	c.armAfterlife()
}

// answeredAfterlife ends the repeating.
func (c *call) answeredAfterlife() {
	c.afterlife.repeating = false
	c.loop.wheel.cancel(&c.retrans)
	c.settle()
}

// settle decides how long the call is still kept, whenever that may have changed.
func (c *call) settle() {
	a, l := c.afterlife, c.loop
	if c.state != stateEnded || a.settled {
		return
	}
	if a.repeating || a.awaiting {
		if !c.owed {
			c.owed = true
			l.unsettled++
			c.after(afterlifeLimit)
		}
		return
	}
	if c.owed {
		c.owed = false
		l.unsettled--
	}
	a.settled = true
	c.report()
	if a.keep <= 0 || len(l.calls)-l.running > maxHeld {
		l.forget(c)
		return
	}
	c.after(a.keep)
}

// afterlifeOver is called when the call's time is up.
func (c *call) afterlifeOver() { c.loop.forget(c) }

// receiveAfterlife takes a message of a call whose scenario has ended.
func (c *call) receiveAfterlife(in *incoming) {
	if c.afterlife.settled {
		c.loop.cfg.Stats.DeadCall.Add(1) // too late for the call's record
	}
	if in.view.IsRequest() {
		c.requestAfterlife(in)
		return
	}
	t := c.sentFor(in.view)
	if t == nil {
		return
	}
	if t.method == methodInvite {
		c.inviteAfterlife(in, t)
		return
	}
	if a := c.afterlife; a.repeating && !a.response && t.method == a.method && t.cseq == a.cseq && in.view.Status() >= 200 {
		t.final = true
		c.answeredAfterlife()
	}
}

// inviteAfterlife handles what still comes in answer to the INVITE of a call that this side has given up.
func (c *call) inviteAfterlife(in *incoming, t *clientTxn) {
	status := in.view.Status()
	switch {
	case t.final:
		c.loop.cfg.Stats.RetransmissionsReceived.Add(1)
		if status >= 200 {
			c.repeatAck(in, t)
		}
	case !c.afterlife.awaiting:
	case status < 200:
		t.provisional = true
		c.cancel(t)
	case status >= 300:
		t.final, t.status = true, status
		c.ackRefusal(t, in.view)
		c.afterlife.awaiting = false
		c.settle()
	default:
		// The 2xx has crossed with our giving up.
		t.final, t.status = true, status
		c.retain(in.view, t)
		c.afterlife.awaiting = false
		c.hangUp(t)
		c.settle()
	}
}

// requestAfterlife answers requests of a call whose scenario has ended.
func (c *call) requestAfterlife(in *incoming) {
	v := in.view
	a := c.afterlife
	if string(v.Method()) == methodAck {
		c.noteAck(v)
		if a.repeating && a.response && v.CSeqNumber() == a.cseq {
			c.answeredAfterlife()
		}
		return
	}
	if c.repeatedRequest(in) {
		// The peer missed our answer; if it does so again, it asks again after twice the time.
		l, since := c.loop, max(in.at-c.endedAt, 0)
		l.quietBy = max(l.quietBy, l.tick+(since+int64(quietTime))/int64(tick))
		return
	}
	switch string(v.Method()) {
	case methodBye, methodCancel:
		c.answer200(in)
	default:
		c.answerWith(in, 481, "Call/Transaction Does Not Exist")
	}
}
