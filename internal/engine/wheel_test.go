package engine

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestWheelFiresInOrderAndOnTime(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	w := newWheel()
	timers := make([]timer, 3000)
	want := make(map[*timer]int64)
	for i := range timers {
		when := rng.Int64N(3 * wheelSpan)
		if i%3 == 0 {
			when = rng.Int64N(3 * slots)
		}
		w.schedule(&timers[i], when)
		want[&timers[i]] = max(when, 1)
	}
	for i := 0; i < len(timers); i += 7 { // some move, some go
		when := rng.Int64N(2 * wheelSpan)
		w.schedule(&timers[i], when)
		want[&timers[i]] = max(when, 1)
	}
	for i := 0; i < len(timers); i += 11 {
		w.cancel(&timers[i])
		w.cancel(&timers[i])
		delete(want, &timers[i])
	}
	last := int64(0)
	for now := int64(0); len(want) > 0; now += rng.Int64N(5000) {
		w.advance(now, func(tm *timer) {
			due, ok := want[tm]
			if !ok {
				t.Fatal("a timer went off that was not set")
			}
			if due > now || w.now != due || due < last {
				t.Fatalf("timer of %d went off at %d (advancing to %d, last %d)", due, w.now, now, last)
			}
			last = due
			delete(want, tm)
		})
		for _, due := range want {
			if due <= now {
				t.Fatalf("the timer of %d did not go off until %d", due, now)
			}
			break
		}
		if now > 4*wheelSpan {
			t.Fatalf("%d timers never went off", len(want))
		}
	}
	if _, ok := w.until(); ok || w.count != 0 {
		t.Errorf("%d timers left in an empty wheel", w.count)
	}
}

func TestWheelTimersSetWhileFiring(t *testing.T) {
	t.Parallel()
	w := newWheel()
	var a, b, c timer
	var fired []int64
	w.schedule(&a, 5)
	w.schedule(&b, 5)
	w.schedule(&c, 5)
	w.advance(2000, func(tm *timer) {
		fired = append(fired, w.now)
		switch {
		case tm == &a && w.now == 5:
			w.schedule(&a, 0) // in the past: at the next tick
			w.cancel(&b)
		case tm == &a && w.now == 6:
			w.schedule(&a, 1024) // the first tick of the next block
		}
	})
	if want := []int64{5, 5, 6, 1024}; !slices.Equal(fired, want) {
		t.Errorf("fired at %v, want %v", fired, want)
	}
}

func TestWheelUntil(t *testing.T) {
	t.Parallel()
	w := newWheel()
	var a timer
	if _, ok := w.until(); ok {
		t.Error("an empty wheel waits for something")
	}
	w.schedule(&a, 700)
	if n, ok := w.until(); !ok || n != 700 {
		t.Errorf("until = %d, %v; want 700", n, ok)
	}
	w.schedule(&a, 5000)
	if n, ok := w.until(); !ok || n > 5000 || n < 1 {
		t.Errorf("until = %d, %v; want at most 5000", n, ok)
	}
}

func TestDeadCalls(t *testing.T) {
	t.Parallel()
	d := newDeadCalls(100)
	has := func(id string) bool { return d.has([]byte(id)) }
	if has("a") {
		t.Error("a call is dead that never was")
	}
	d.add("a", 0)
	d.add("b", 50)
	d.add("a", 60) // used again
	d.expire(100)
	if !has("a") || !has("b") {
		t.Error("calls were forgotten too early")
	}
	d.expire(150)
	if !has("a") || has("b") {
		t.Errorf("a remembered %v, b %v; want true, false", has("a"), has("b"))
	}
	d.expire(160)
	if has("a") || d.used != 0 || len(d.until) != 0 {
		t.Error("calls are remembered for ever")
	}
	for i := range 1000 {
		d.add(itoa(i), 1000+int64(i))
		d.expire(1000 + int64(i))
	}
	if d.used != 100 || len(d.queue) > 256 {
		t.Errorf("%d remembered in a ring of %d, want the last 100", d.used, len(d.queue))
	}
	off := newDeadCalls(0)
	off.add("a", 0)
	if off.has([]byte("a")) {
		t.Error("a wait of 0 remembers")
	}
}

func FuzzWheel(f *testing.F) {
	f.Add([]byte{1, 2, 3, 200, 4, 5})
	f.Fuzz(func(t *testing.T, ops []byte) {
		w := newWheel()
		timers := make([]timer, 8)
		due := make(map[*timer]int64)
		now := int64(0)
		for i := 0; i+2 < len(ops); i += 3 {
			tm := &timers[ops[i]%8]
			distance := int64(ops[i+1]) * int64(ops[i+2]) * int64(ops[i+2])
			switch ops[i] >> 6 {
			case 0, 1:
				w.schedule(tm, now+distance)
				due[tm] = now + max(distance, 1)
			case 2:
				w.cancel(tm)
				delete(due, tm)
			default:
				now += distance
				w.advance(now, func(tm *timer) {
					if due[tm] != w.now {
						t.Fatalf("due at %d, fired at %d", due[tm], w.now)
					}
					delete(due, tm)
				})
				for _, at := range due {
					if at <= now {
						t.Fatalf("due at %d, not fired at %d", at, now)
					}
				}
			}
		}
	})
}
