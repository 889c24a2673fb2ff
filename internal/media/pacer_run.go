package media

import "time"

// run is the pacer's goroutine.
func (p *Pacer) run() {
	defer close(p.ended)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	next := int64(0) // the first tick that has not been served
	for {
		now := p.tickAt(time.Now())
		if next <= now {
			next = p.serve(next, now)
		}
		if wait, ok := p.untilDue(next); ok {
			timer.Reset(wait)
		} else {
			timer.Stop()
		}
		select {
		case <-timer.C:
		case <-p.wake:
		case <-p.done:
			return
		}
	}
}

// serve calls the entries that are due from tick next up to tick now, each at most once, and returns the first tick that is left.
func (p *Pacer) serve(next, now int64) int64 {
	if behind := now - next; behind > int64(pacerBacklog/pacerTick) {
		next += behind / pacerSlots * pacerSlots
	}
	for called := false; next <= now && !called; {
		for end := min(now+1, next+pacerSlots); next < end; next++ {
			slot := &p.slots[next%pacerSlots]
			if slot.size.Load() > 0 && p.serveSlot(slot, next) {
				called = true
			}
		}
	}
	return next
}

// serveSlot calls the entries of a slot; it returns false if none was due.
func (p *Pacer) serveSlot(slot *pacerSlot, tick int64) (called bool) {
	due := p.start.Add(time.Duration(tick) * pacerTick)
	slot.mu.Lock()
	defer slot.mu.Unlock()
	for i := range slot.entries {
		paced := &slot.entries[i]
		steps := int((tick - paced.last) / pacerSlots)
		if steps < 1 {
			continue // added after this tick was due
		}
		paced.last = tick
		called = true
		now := time.Now()
		p.count(now.Sub(due), steps)
		paced.entry.Tick(now, steps)
	}
	return called
}

func (p *Pacer) count(lateness time.Duration, steps int) {
	p.ticks.Add(1)
	if steps > 1 {
		p.skipped.Add(uint64(steps - 1))
	}
	if lateness > lateThreshold {
		p.late.Add(1)
	}
	if int64(lateness) > p.maxLateness.Load() {
		p.maxLateness.Store(int64(lateness)) // only this goroutine stores
	}
}

// untilDue returns how long to sleep before something is due at tick next or after; false if there are no entries.
func (p *Pacer) untilDue(next int64) (time.Duration, bool) {
	for tick := next; tick < next+pacerSlots; tick++ {
		if p.slots[tick%pacerSlots].size.Load() > 0 {
			due := p.start.Add(time.Duration(tick) * pacerTick)
			if wait := time.Until(due); wait > 0 {
				return wait, true
			}
			return pacerTick, true // see Pacer
		}
	}
	return 0, false
}
