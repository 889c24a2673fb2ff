package engine

import (
	"time"

	"github.com/gossipper/gossipper/internal/transport"
)

const (
	// overloadPause is how long no calls are started after a sign that this side cannot keep up: long enough for the queues to be
	// emptied, short against T1, after which peers and calls begin to repeat what was lost.
	overloadPause = int64(200 * time.Millisecond / tick)
	// overloadAfter is how long every Poll must hand over all that one may before that counts as such a sign. A loop that was held
	// up for some milliseconds catches up sooner.
	overloadAfter = int64(100 * time.Millisecond / tick)
)

// overload tells whether this side has more to read than it can. New calls would feed a storm of retransmissions then, so they are
// given up, and counted.
type overload struct {
	dropped, full uint64 // as of the last turn
	// fullSince is the tick from which on every Poll was full.
	fullSince int64
	// until is the tick from which on calls are started again.
	until int64
}

// note looks at the transport's figures, once in each turn of the loop. It returns how many datagrams the kernel has dropped since
// the last time.
func (o *overload) note(s transport.Stats, now int64) (dropped uint64) {
	dropped = s.Dropped - o.dropped
	if s.Full == o.full {
		o.fullSince = now
	}
	o.dropped, o.full = s.Dropped, s.Full
	if dropped > 0 || now-o.fullSince >= overloadAfter {
		o.until = now + overloadPause
	}
	return dropped
}

// active reports whether calls must wait.
func (o *overload) active(now int64) bool { return now < o.until }

// checkOverload takes note of what the transport cannot cope with.
func (l *loop) checkOverload() {
	o := &l.overload
	if dropped := o.note(l.cfg.Transport.Stats(), l.tick); dropped > 0 {
		l.cfg.Stats.Dropped.Add(dropped)
	}
}

// warnOverload says once that calls are not started.
func (l *loop) warnOverload() {
	l.warnings.once("messages arrive faster than they can be handled: calls that are due meanwhile are not started and count as missed",
		"dropped_by_kernel", l.overload.dropped)
}
