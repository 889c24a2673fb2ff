package engine

import (
	"net/netip"
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/scenario"
	"github.com/gossipper/gossipper/internal/sip"
	"github.com/gossipper/gossipper/internal/transport"
)

// callState is what a call is doing.
type callState uint8

const (
	// stateSteps: the call stands at a step; messages are matched against the scenario.
	stateSteps callState = iota
	// stateMedia: the step's message waits for the call's media; messages that arrive are kept.
	stateMedia
	// stateBlocked: the step's message waits until the message before it, which is being repeated, is answered.
	stateBlocked
	// stateCongested: the step's message waits for room in the socket.
	stateCongested
	// stateEnded: the scenario has ended; the call answers what the peer repeats.
	stateEnded
	// stateForgotten: the call is out of the loop's hands.
	stateForgotten
)

// maxStepsAtOnce bounds the steps that a call makes without waiting for anything: a scenario may loop.
const maxStepsAtOnce = 10000

// maxKept and maxKeptBytes bound the messages that a call keeps for later.
const (
	maxKept      = 16
	maxKeptBytes = 128 << 10
)

// call is one call: a state machine on the loop.
type call struct {
	loop   *loop
	number uint64
	id     string
	flow   transport.Flow
	at     int // index of the step
	state  callState
	waited bool
	// stepping: run is at work; whoever calls it from within leaves the stepping to it.
	stepping bool
	// acting: the actions of the step are being done.
	acting bool
	// hasLast and hasAnswer tell whether last and answer are of this call; lastIsAnswer, that last is the answer.
	hasLast, hasAnswer, lastIsAnswer bool
	inviteSent, inviteCameIn         bool
	owed                             bool // counted in loop.unsettled

	step    timer
	retrans timer

	cseq    uint32
	sent    []clientTxn
	got     []serverTxn
	invite  []byte    // last INVITE, sent or received
	ack     []byte    // last ACK sent
	ackSeq  uint32    // its CSeq
	request []byte    // last other request sent that is repeated, or a message for which the socket had no room
	last    sip.View  // last message that the scenario took
	answer  *sip.View // 2xx to the INVITE that was sent, if it is not last; nil: there has been none

	pending     *pending // nil while nothing is being repeated
	unsentSince time.Duration
	kept        []keptMessage
	keptLeft    int // how many of kept were not offered to the present step yet

	routes, nextURL, peerTag string
	variables                []value
	rtds                     []rtd
	failedCheck              *outcome.Failure
	failedStep               string

	media *callMedia

	startedAt, endedAt      int64 // Unix nanoseconds
	inviteAt, pdd, setup    int64 // nanoseconds; pdd and setup: -1 if it did not happen
	finalStatus             int
	messagesIn, messagesOut uint32
	repeats                 uint32
	autoMessages            int32      // messages of our own, for their branches
	afterlife               *afterlife // nil before the end
}

// keptMessage is a message that waits until the call can take it.
type keptMessage struct {
	view sip.View
	flow transport.Flow
	at   int64
}

// rtd is one response time of the scenario.
type rtd struct {
	started, taken int64 // Unix nanoseconds, duration; 0 and -1: not yet
}

// reset makes the memory of an ended call that of a new one. Buffers stay.
func (c *call) reset(l *loop) {
	old := *c
	*c = call{
		loop:      l,
		number:    l.number,
		sent:      old.sent[:0],
		got:       old.got[:0],
		invite:    old.invite[:0],
		ack:       old.ack[:0],
		request:   old.request[:0],
		kept:      old.kept[:0],
		last:      old.last,
		answer:    old.answer,
		variables: old.variables,
		rtds:      old.rtds,
		pdd:       -1,
		setup:     -1,
		startedAt: l.cfg.Now().UnixNano(),
	}
	c.step = timer{call: c, kind: timerStep}
	c.retrans = timer{call: c, kind: timerRetrans}
	c.variables = resetValues(c.variables, len(l.plan.variables))
	if n := len(l.plan.scenario.RTDs); cap(c.rtds) < n {
		c.rtds = make([]rtd, n)
	} else {
		c.rtds = c.rtds[:n]
	}
	for i := range c.rtds {
		c.rtds[i] = rtd{taken: -1}
	}
}

// footprint is how many bytes the call's buffers have.
func (c *call) footprint() int {
	n := cap(c.invite) + cap(c.ack) + cap(c.request) + cap(c.last.Bytes())
	if c.answer != nil {
		n += cap(c.answer.Bytes())
	}
	for _, t := range c.got[:cap(c.got)] {
		n += cap(t.response)
	}
	for i := range c.variables {
		n += cap(c.variables[i].text)
	}
	return n
}

// remote is the peer's address.
func (c *call) remote() netip.AddrPort {
	if c.flow.Valid() {
		return c.flow.Remote()
	}
	return c.loop.cfg.Target // there is no socket to reach it
}

// now is the time for response times, which are measured against the kernel's timestamps: wall clock.
func (c *call) now() int64 { return c.loop.cfg.Now().UnixNano() }

// alive reports whether the scenario has not ended.
func (c *call) alive() bool { return c.state < stateEnded }

// plan returns the step at which the call stands; nil at the end.
func (c *call) current() *planStep {
	if c.at >= len(c.loop.plan.steps) {
		return nil
	}
	return &c.loop.plan.steps[c.at]
}

// run makes steps until the call has to wait for something.
func (c *call) run() {
	if c.stepping || c.state == stateMedia || c.state == stateCongested {
		return
	}
	c.stepping = true
	defer func() { c.stepping = false }()
	for range maxStepsAtOnce {
		if !c.alive() {
			return
		}
		s := c.current()
		if s == nil {
			c.complete()
			return
		}
		if !c.enter(s) {
			// A message that came too early may be for this step.
			if c.state != stateSteps || !c.takeKept() {
				return
			}
		}
	}
	c.fail(&outcome.Failure{
		Outcome: outcome.InternalError, Stage: outcome.StageScenario, Code: "endless_loop",
		Reason: "the scenario goes in circles without sending, receiving or pausing at " + c.where(),
	})
}

// enter does what the step says. It reports whether the call goes on at once, at the step in c.at.
func (c *call) enter(s *planStep) bool {
	switch s.kind {
	case stepSend:
		return c.enterSend(s)
	case stepRecv:
		c.state = stateSteps
		if !c.waited {
			c.waited = true
			c.armRecvTimeout(s)
		}
		return false
	case stepPause:
		return c.enterPause(s)
	default:
		now := c.now()
		c.startRTDs(s, now)
		c.stopRTDs(s, now)
		c.act(s)
		if c.alive() {
			c.advance(s)
		}
		return true
	}
}

// armRecvTimeout starts the timeout of the recv that the call has come to. That of optional steps behind it does not count.
func (c *call) armRecvTimeout(s *planStep) {
	timeout := s.Timeout
	if timeout == 0 {
		timeout = c.loop.cfg.RecvTimeout
	}
	if timeout > 0 {
		c.after(timeout)
	}
}

// enterPause starts a pause. A pause of no length goes on at once; a timewait ends the call.
func (c *call) enterPause(s *planStep) bool {
	c.state = stateSteps
	if c.waited {
		return false
	}
	if len(s.Actions) > 0 {
		c.act(s)
		if !c.alive() {
			return false
		}
	}
	length := s.Pause.Duration
	if length < 0 {
		length = c.loop.cfg.Hold
	}
	if s.Pause.TimeWait {
		c.completeInto(length)
		return false
	}
	if length == 0 {
		c.advance(s)
		return true
	}
	c.waited = true
	c.slimInvite()
	c.after(length)
	return false
}

// maxDelay keeps sums of times within what an int64 holds: 146 years.
const maxDelay = time.Duration(1) << 62

// after sets the step's timer.
func (c *call) after(d time.Duration) {
	l := c.loop
	l.wheel.schedule(&c.step, int64((l.elapsed+min(d, maxDelay)+tick-1)/tick))
}

// advance leaves the step for the next one.
func (c *call) advance(s *planStep) {
	if s.Next == scenario.NoStep {
		c.jump(s.index + 1)
		return
	}
	c.jump(s.Next)
}

// jump goes to the step at the index.
func (c *call) jump(to int) {
	c.loop.wheel.cancel(&c.step)
	c.at, c.waited, c.state, c.keptLeft = to, false, stateSteps, len(c.kept)
}

// stepTimeout is called when the step's timer goes off.
func (c *call) stepTimeout() {
	switch c.state {
	case stateEnded:
		c.afterlifeOver()
		return
	case stateCongested:
		c.trySend()
		c.run()
		return
	case stateSteps:
	default:
		return
	}
	s := c.current()
	if s.kind == stepPause {
		c.advance(s)
		c.run()
		return
	}
	if s.OnTimeout != scenario.NoStep && s.OnTimeout < len(c.loop.plan.steps) {
		c.jump(s.OnTimeout)
		c.run()
		return
	}
	timeout := s.Timeout
	if timeout == 0 {
		timeout = c.loop.cfg.RecvTimeout
	}
	c.fail(&outcome.Failure{
		Outcome: outcome.RecvTimeout, Stage: outcome.StageSIP, Code: "recv_timeout",
		Reason: "nothing that the scenario expects came within " + timeout.String() + " at " + c.where() + ", from " + c.remote().String(),
	})
}

// where names the step at which the call stands, in what goes wrong: the one whose actions are being done, or the one waited for.
func (c *call) where() string {
	p := c.loop.plan
	if c.acting {
		return p.name(c.at)
	}
	return p.name(p.awaited(c.at))
}

// startRTDs and stopRTDs take the times that the step names.
func (c *call) startRTDs(s *planStep, at int64) {
	for _, i := range s.StartRTD {
		c.rtds[i].started = at
	}
}

func (c *call) stopRTDs(s *planStep, at int64) {
	for _, i := range s.StopRTD {
		if r := &c.rtds[i]; r.started != 0 && r.taken < 0 {
			r.taken = max(at-r.started, 0)
		}
	}
}
