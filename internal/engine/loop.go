package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/gossipper/gossipper/internal/scenario"
	"github.com/gossipper/gossipper/internal/sip"
	"github.com/gossipper/gossipper/internal/template"
	"github.com/gossipper/gossipper/internal/transport"
)

const (
	tick = time.Millisecond
	// maxIdle is the longest sleep without a timer: it bounds the time until a defect in waking shows.
	maxIdle = time.Second
	// stopGrace is how long a stopped run waits for the answers to its last BYE and CANCEL requests.
	stopGrace = time.Second
	// maxSpare bounds the ended calls whose memory is kept to be used again.
	maxSpare = 4096
	// maxSpareBytes bounds the buffers of such a call: messages can be long, and most calls need less.
	maxSpareBytes = 32 << 10
)

// loop owns a transport, its calls and its timers. Everything in it runs on the goroutine of run.
type loop struct {
	cfg   Config
	plan  *Plan
	inbox inbox

	start   time.Time
	slept   bool          // the clock has not been read since Poll began
	elapsed time.Duration // since start, as of readClock
	tick    int64         // elapsed in ticks

	calls map[string]*call
	spare []*call
	// sparePending and spareAfterlife are memory that calls gave back.
	sparePending   []*pending
	spareAfterlife []*afterlife
	spareBuffers   [][]byte
	dead           *deadCalls
	wheel          *wheel
	pace           pacer
	garbage        garbage

	// running counts the calls whose scenario has not ended, unsettled the ended ones that still wait for an answer, closing those
	// whose media are being closed.
	running, unsettled, closing int
	// quietBy is the tick at which the last settled call may be forgotten by a run that ends.
	quietBy int64
	// number is that of the last call.
	number uint64
	// begun counts calls toward Load.Calls.
	begun uint64

	draining, stopping bool
	stopBy             int64
	overload           overload
	warnings           warnings

	// view and in are the message being handled: one at a time, so nothing is allocated for it.
	view sip.View
	in   incoming
	// messages are the templates of the send steps, with everything filled in that is the same for all calls.
	messages []*template.Template

	values  template.Values
	globals []value
	out     []byte // what is being rendered
	text    []byte // a log line being rendered
	names   addressNames
	runID   string

	onTimer func(*timer)
	spareIn []event
	media   sync.WaitGroup
	ctx     context.Context //nolint:containedctx // the run's: parent of the contexts of media operations
}

func newLoop(c Config, plan *Plan) *loop {
	l := &loop{
		cfg:     c,
		plan:    plan,
		calls:   make(map[string]*call),
		dead:    newDeadCalls(c.DeadCallWait.Milliseconds()),
		wheel:   newWheel(),
		pace:    newPacer(c.Load),
		globals: make([]value, len(plan.variables)),
		runID:   fmt.Sprintf("%d-%06x", os.Getpid(), rand.Uint32()&0xffffff),
	}
	l.warnings.log, l.warnings.now = c.Log, c.Now
	l.inbox.wake = c.Transport.Wake
	l.onTimer = l.expired
	l.names.advertise = c.Advertise
	l.names.local = c.Transport.Local().Addr()
	l.initValues()
	l.bindMessages()
	return l
}

// run turns the loop until the run is over.
func (l *loop) run(ctx context.Context) error {
	l.start = l.cfg.Now()
	mediaCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer l.media.Wait()
	defer cancel()
	l.ctx = mediaCtx
	for {
		l.turn()
		if l.over() {
			return nil
		}
		wait := l.wait()
		l.slept = true
		if err := l.cfg.Transport.Poll(wait, l); err != nil {
			l.abandon(err)
			return fmt.Errorf("engine: %w", err)
		}
	}
}

// turn does everything that is due.
func (l *loop) turn() {
	l.readClock()
	l.readInbox()
	l.wheel.advance(l.tick, l.onTimer)
	l.dead.expire(l.tick)
	l.checkOverload()
	if l.plan.role == scenario.UAC {
		l.startDue()
	} else if d := l.cfg.Load.Duration; d > 0 && l.elapsed >= d {
		l.drain()
	}
}

// readClock sets the time that everything done now counts from: at each turn, and for the first message after Poll, which may have
// slept since.
func (l *loop) readClock() {
	l.slept = false
	l.elapsed = l.cfg.Now().Sub(l.start)
	l.tick = int64(l.elapsed / tick)
}

// readInbox handles what other goroutines posted.
func (l *loop) readInbox() {
	events := l.inbox.take(l.spareIn)
	for i, e := range events {
		e(l)
		events[i] = nil
	}
	l.spareIn = events
}

// expired hands a timer that is due to its call.
func (l *loop) expired(t *timer) {
	switch t.kind {
	case timerStep:
		t.call.stepTimeout()
	case timerRetrans:
		t.call.retransmit()
	}
}

// startDue starts the calls that are due. Those that there is no room for, and those that are a second late, are counted and never
// made up for.
func (l *loop) startDue() {
	if l.noMoreStarts() {
		return
	}
	room := int(^uint(0) >> 1)
	if l.cfg.Load.Limit > 0 {
		room = l.cfg.Load.Limit - l.running
	}
	overloaded := l.overload.active(l.tick)
	if overloaded {
		room = 0
	}
	start, missed := l.pace.take(l.elapsed, room)
	if missed > 0 {
		l.cfg.Stats.StartsMissed.Add(missed)
		if overloaded {
			l.warnOverload()
		}
	}
	for range start {
		if l.begunAll() { // not noMoreStarts: what was taken is to be started
			return
		}
		l.startCall()
	}
}

// noMoreStarts reports whether a UAC has begun its last call.
func (l *loop) noMoreStarts() bool {
	if l.begunAll() {
		return true
	}
	next, more := l.pace.next()
	return !more && next > 0
}

// begunAll reports whether the run has begun the calls that it was to, or is to begin no more.
func (l *loop) begunAll() bool {
	return l.draining || l.cfg.Load.Calls > 0 && l.begun >= l.cfg.Load.Calls
}

// wait is how long Poll may sleep.
func (l *loop) wait() time.Duration {
	wait := maxIdle
	if ticks, ok := l.wheel.until(); ok {
		wait = min(wait, time.Duration(l.wheel.now+ticks)*tick-l.elapsed)
	}
	if l.plan.role == scenario.UAC && !l.noMoreStarts() {
		if next, more := l.pace.next(); more {
			// At thousands of calls a second, waking for each start would cost more than the calls.
			wait = min(wait, max(next-l.elapsed, tick))
		}
	}
	if d := l.cfg.Load.Duration; d > l.elapsed {
		wait = min(wait, d-l.elapsed)
	}
	if l.ending() {
		wait = min(wait, time.Duration(max(l.quietBy-l.tick, 1))*tick)
		if l.stopping {
			wait = min(wait, time.Duration(max(l.stopBy-l.tick, 1))*tick)
		}
	}
	return max(wait, 0)
}

// ending reports whether there will be no more calls.
func (l *loop) ending() bool {
	if l.draining {
		return true
	}
	if l.plan.role == scenario.UAC {
		return l.noMoreStarts()
	}
	return l.cfg.Load.Calls > 0 && l.begun >= l.cfg.Load.Calls
}

// over reports whether the run has ended: no call runs or will, and those that have ended owe and expect no message. A run that
// ends does not wait for the whole of a timewait: its purpose is to answer repeated messages, and a peer that
// misses an answer repeats its request after T1.
func (l *loop) over() bool {
	if !l.ending() || l.running > 0 || l.closing > 0 {
		return false
	}
	if l.unsettled == 0 && l.tick >= l.quietBy || l.stopping && l.tick >= l.stopBy {
		for _, c := range l.calls {
			l.forget(c)
		}
		return true
	}
	return false
}

// drain starts no more calls.
func (l *loop) drain() { l.draining = true }

// stop ends all calls.
func (l *loop) stop() {
	if l.stopping {
		return
	}
	l.draining, l.stopping = true, true
	l.stopBy = l.tick + int64(stopGrace/tick)
	for _, c := range l.calls {
		c.stopped("the run was stopped")
	}
}

// abandon ends all calls without a word, when the transport has failed.
func (l *loop) abandon(err error) {
	l.draining, l.stopping = true, true
	for _, c := range l.calls {
		c.transportFailed(err)
	}
	for l.closing > 0 {
		l.media.Wait()
		l.readInbox()
	}
}

// Received takes one message from the transport.
func (l *loop) Received(m transport.Message) {
	if l.slept {
		l.readClock()
	}
	l.cfg.Stats.MessagesReceived.Add(1)
	var err error
	l.view, err = sip.ParseView(m.Data)
	if err != nil {
		if err != sip.ErrKeepAlive { //nolint:errorlint // a sentinel, never wrapped; this is the hot path
			l.cfg.Stats.Malformed.Add(1)
			l.garbage.note(m.Flow, l.tick, m.Data)
		}
		return
	}
	in := &l.in
	*in = incoming{view: &l.view, flow: m.Flow, at: m.Received.UnixNano()}
	if m.Received.IsZero() {
		in.at = l.cfg.Now().UnixNano()
	}
	if c, ok := l.calls[string(l.view.CallIDKey())]; ok {
		c.receive(in)
		return
	}
	l.receiveUnknown(in)
}

// Closed ends the calls whose flow is no more.
func (l *loop) Closed(f transport.Flow, err error) {
	if l.slept {
		l.readClock()
	}
	for _, c := range l.calls {
		if c.flow == f {
			c.transportFailed(err)
		}
	}
}

// incoming is a message on its way to a call. The view is valid until it has been handled.
type incoming struct {
	view *sip.View
	flow transport.Flow
	at   int64 // when it arrived, in nanoseconds of Unix time
}

// newCall makes a call, in the memory of an ended one if there is one.
func (l *loop) newCall() *call {
	l.number++
	l.begun++
	var c *call
	if n := len(l.spare); n > 0 {
		c, l.spare[n-1] = l.spare[n-1], nil
		l.spare = l.spare[:n-1]
	} else {
		c = new(call)
	}
	c.reset(l)
	l.running++
	l.cfg.Stats.CallsStarted.Add(1)
	l.cfg.Stats.CallsRunning.Add(1)
	return c
}

// startCall starts the next call of a UAC.
func (l *loop) startCall() {
	c := l.newCall()
	var err error
	c.flow, err = l.cfg.Transport.Open(l.cfg.Target)
	c.id = l.newCallID(c)
	l.calls[c.id] = c
	if err != nil {
		c.cannotSend("open a socket for the call", err)
		return
	}
	c.run()
}

// newCallID makes the Call-ID of a call that this side starts. It differs between runs, so that a peer that remembers an earlier
// run's calls is not confused.
func (l *loop) newCallID(c *call) string {
	id := l.out[:0]
	id = appendUint(id, c.number)
	id = append(id, '-')
	id = append(id, l.runID...)
	id = append(id, '@')
	id = append(id, l.names.localFor(l.cfg.Target.Addr())...)
	l.out = id
	return string(id)
}

// forget removes a call and remembers its Call-ID. The call's memory is used again.
func (l *loop) forget(c *call) {
	c.report()
	l.wheel.cancel(&c.step)
	l.wheel.cancel(&c.retrans)
	delete(l.calls, c.id)
	l.dead.add(c.id, l.tick)
	c.flow.Release()
	if c.owed {
		c.owed = false
		l.unsettled--
	}
	if a := c.afterlife; a != nil {
		c.afterlife = nil
		if len(l.spareAfterlife) < maxSpare {
			l.spareAfterlife = append(l.spareAfterlife, a)
		}
	}
	if len(l.spare) < maxSpare && c.state == stateEnded && c.footprint() <= maxSpareBytes {
		l.spare = append(l.spare, c)
	}
	c.state = stateForgotten
}
