package engine

import "math/bits"

// The wheel has two levels: 1024 slots of 1 ms, and 1024 slots of 1024 ms. Timers further away than that (17 minutes) wait in
// the last slot of the second level and are placed anew when it comes round.
const (
	slotBits = 10
	slots    = 1 << slotBits
	slotMask = slots - 1
	// wheelSpan is how far ahead, in ticks, a timer can be placed exactly.
	wheelSpan = slots*slots - slots
)

// timer is a place in the wheel. It is part of its owner, so that setting a timer allocates nothing.
type timer struct {
	next, prev *timer // nil: not set
	when       int64  // tick at which it is due
	call       *call
	kind       timerKind
}

// timerKind tells a call which of its timers is due.
type timerKind uint8

const (
	timerStep    timerKind = iota // pause over, recv timed out, send to be tried again, end of lingering
	timerRetrans                  // a message is to be repeated
)

// set reports whether the timer is in the wheel.
func (t *timer) set() bool { return t.next != nil }

// unlink takes the timer out of its list.
func (t *timer) unlink() {
	t.prev.next, t.next.prev = t.next, t.prev
	t.next, t.prev = nil, nil
}

// wheel holds the timers of one loop. Its unit is the tick, one millisecond since the start of the run.
type wheel struct {
	now   int64 // last tick that was dealt with
	fine  [slots]timer
	rough [slots]timer
	// used has a bit for each fine slot that may hold timers.
	used  [slots / 64]uint64
	count int
}

// newWheel returns an empty wheel at tick 0.
func newWheel() *wheel {
	w := new(wheel)
	for i := range w.fine {
		w.fine[i].next, w.fine[i].prev = &w.fine[i], &w.fine[i]
		w.rough[i].next, w.rough[i].prev = &w.rough[i], &w.rough[i]
	}
	return w
}

// schedule sets the timer to go off at the tick when, or at the next one if that is past. A timer that is set is moved.
func (w *wheel) schedule(t *timer, when int64) {
	if t.set() {
		t.unlink()
		w.count--
	}
	t.when = max(when, w.now+1)
	w.place(t)
	w.count++
}

// cancel takes the timer out; it does nothing to one that is not set.
func (w *wheel) cancel(t *timer) {
	if t.set() {
		t.unlink()
		w.count--
	}
}

// place links the timer into the slot of its tick. A timer of the present block of 1024 ticks goes to the fine level.
func (w *wheel) place(t *timer) {
	var head *timer
	if t.when>>slotBits == w.now>>slotBits {
		slot := t.when & slotMask
		head = &w.fine[slot]
		w.used[slot/64] |= 1 << (slot % 64)
	} else {
		head = &w.rough[min(t.when, w.now+wheelSpan)>>slotBits&slotMask]
	}
	t.prev, t.next = head.prev, head
	head.prev.next, head.prev = t, t
}

// advance moves the wheel to the tick and calls expired for each timer that is due, in the order of their ticks. expired may
// set and cancel any timer.
func (w *wheel) advance(tick int64, expired func(*timer)) {
	for w.now < tick {
		if w.count == 0 {
			w.now = tick
			return
		}
		next := w.nextEvent()
		if next > tick {
			w.now = tick
			return
		}
		w.now = next
		if next&slotMask == 0 {
			w.cascade(&w.rough[next>>slotBits&slotMask])
		}
		w.fire(next, expired)
	}
}

// nextEvent is the next tick at which something has to be done: a fine slot in use, or the start of the next block.
func (w *wheel) nextEvent() int64 {
	block := w.now &^ slotMask
	for slot := w.now&slotMask + 1; slot < slots; slot = (slot/64 + 1) * 64 {
		if word := w.used[slot/64] >> (slot % 64); word != 0 {
			return block + slot + int64(bits.TrailingZeros64(word))
		}
	}
	return block + slots
}

// cascade places the timers of a rough slot anew, now that their block has begun.
func (w *wheel) cascade(head *timer) {
	// Timers beyond the span may land in this very slot again, so only those that are here now are looked at.
	first := head.next
	if first == head {
		return
	}
	head.prev.next = nil
	head.next, head.prev = head, head
	for t := first; t != nil; {
		next := t.next
		w.place(t)
		t = next
	}
}

// fire calls expired for each timer of the tick's slot.
func (w *wheel) fire(tick int64, expired func(*timer)) {
	slot := tick & slotMask
	head := &w.fine[slot]
	for head.next != head {
		t := head.next
		t.unlink()
		w.count--
		expired(t)
	}
	w.used[slot/64] &^= 1 << (slot % 64)
}

// until is how many ticks may pass from now on before advance has something to do; false when no timer is set.
func (w *wheel) until() (int64, bool) {
	if w.count == 0 {
		return 0, false
	}
	return w.nextEvent() - w.now, true
}
