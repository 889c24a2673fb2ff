package engine

import (
	"math"
	"time"
)

// Starts that the loop could not make in time are made up for in bursts of at most maxBurst per turn of the loop, so that
// messages are still read in between; those that are later than maxLate are given up and counted.
const (
	maxBurst = 256
	maxLate  = time.Second
)

// pacer says when calls start. Call k (from 0) is due at k times period/rate after the start, whatever happened to the calls
// before it. It has no clock: callers pass the time elapsed since the start of the run.
type pacer struct {
	rate   float64
	period time.Duration
	// until ends the starting of calls; 0: never.
	until time.Duration
	// origin is the time from which rate counts: 0, or when the rate was last changed.
	origin time.Duration
	// accounted is how many calls due since origin were started or given up.
	accounted uint64
}

// newPacer returns the pacer of a load.
func newPacer(load Load) pacer {
	return pacer{rate: load.Rate, period: load.Period, until: load.Duration}
}

// due is how many calls are due since origin.
func (p *pacer) due(elapsed time.Duration) uint64 {
	if p.until > 0 && elapsed >= p.until {
		elapsed = p.until - 1
	}
	if p.rate <= 0 || elapsed < p.origin {
		return 0
	}
	return uint64(math.Floor(float64(elapsed-p.origin)*p.rate/float64(p.period)+1e-9)) + 1
}

// at is when the call number k since origin is due.
func (p *pacer) at(k uint64) time.Duration {
	return p.origin + time.Duration(min(math.Ceil(float64(k)*float64(p.period)/p.rate), float64(maxDelay)))
}

// take decides about the calls that are due: how many to start now, and how many to give up. room is how many more calls may be
// open. A call that is due while there is no room is given up for good: making up for it once calls end would turn a
// limit into bursts, and hide that the rate was not reached.
func (p *pacer) take(elapsed time.Duration, room int) (start, missed uint64) {
	due := p.due(elapsed)
	if due <= p.accounted {
		return 0, 0
	}
	if late := p.due(elapsed - maxLate); elapsed > maxLate && late > p.accounted {
		missed = late - p.accounted
		p.accounted = late
	}
	start = due - p.accounted
	if uint64(max(room, 0)) < start {
		missed += start - uint64(max(room, 0))
		start = uint64(max(room, 0))
		p.accounted = due - start
	}
	start = min(start, maxBurst)
	p.accounted += start
	return start, missed
}

// next is when the next call is due; false when there will be none.
func (p *pacer) next() (time.Duration, bool) {
	if p.rate <= 0 {
		return 0, false
	}
	at := p.at(p.accounted)
	return at, p.until == 0 || at < p.until
}

// setRate changes the rate from now on.
func (p *pacer) setRate(rate float64, elapsed time.Duration) {
	if math.IsNaN(rate) || math.IsInf(rate, 0) {
		rate = 0
	}
	p.rate, p.origin, p.accounted = rate, elapsed, 0
}
