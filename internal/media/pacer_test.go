package media

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// tickLog records when it is called.
type tickLog struct {
	mu    sync.Mutex
	times []time.Time
	steps []int
	block func()
}

func (l *tickLog) Tick(now time.Time, steps int) {
	l.mu.Lock()
	l.times = append(l.times, now)
	l.steps = append(l.steps, steps)
	block := l.block
	l.mu.Unlock()
	if block != nil {
		block()
	}
}

func (l *tickLog) calls() ([]time.Time, []int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]time.Time(nil), l.times...), append([]int(nil), l.steps...)
}

func TestPacerKeepsAbsoluteDeadlines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pacer := NewPacer(PacerOptions{})
		defer pacer.Close()
		logs := make([]*tickLog, 40)
		for i := range logs {
			logs[i] = &tickLog{}
			pacer.Add(logs[i])
			pacer.Add(logs[i]) // again: nothing happens
		}
		pass(time.Second)
		phases := map[time.Duration]int{}
		for i, log := range logs {
			times, _ := log.calls()
			if len(times) < 49 || len(times) > 51 {
				t.Fatalf("entry %d: %d calls in a second, want 50", i, len(times))
			}
			for k := 1; k < len(times); k++ {
				if gap := times[k].Sub(times[k-1]); gap != 20*time.Millisecond {
					t.Fatalf("entry %d: a gap of %s", i, gap)
				}
			}
			phases[times[0].Sub(pacer.start)%(20*time.Millisecond)]++
		}
		if len(phases) != 20 {
			t.Errorf("40 entries have %d phases, want 20", len(phases))
		}
		for phase, count := range phases {
			if count != 2 {
				t.Errorf("phase %s has %d entries, want 2", phase, count)
			}
		}
		if stats := pacer.Stats(); stats.Late != 0 || stats.MaxLateness != 0 || stats.Entries != 40 || stats.Ticks < 1960 {
			t.Errorf("%+v", stats)
		}
	})
}

func TestPacerCatchesUpWithoutBursts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pacer := NewPacer(PacerOptions{})
		defer pacer.Close()
		log := &tickLog{}
		stalled := false
		log.block = func() {
			if !stalled {
				stalled = true
				<-time.After(110 * time.Millisecond)
			}
		}
		pacer.Add(log)
		pass(time.Second)
		times, _ := log.calls()
		if len(times) < 49 {
			t.Errorf("%d calls in a second, want 50: what was late must be made up for", len(times))
		}
		for k := 1; k < len(times); k++ {
			if gap := times[k].Sub(times[k-1]); gap < time.Millisecond {
				t.Fatalf("calls %d and %d come in a burst: %s", k-1, k, gap)
			}
		}
		if stats := pacer.Stats(); stats.Late < 4 || stats.Late > 6 || stats.MaxLateness < 80*time.Millisecond || stats.Skipped != 0 {
			t.Errorf("%+v, want about 5 late", stats)
		}
	})
}

func TestPacerLeavesOutALongBacklog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pacer := NewPacer(PacerOptions{})
		defer pacer.Close()
		log := &tickLog{}
		stalled := false
		log.block = func() {
			if !stalled {
				stalled = true
				<-time.After(time.Minute)
			}
		}
		pacer.Add(log)
		pass(61 * time.Second)
		times, steps := log.calls()
		total := 0
		for _, n := range steps {
			total += n
		}
		if want := 61 * 50; total < want-2 || total > want+2 {
			t.Errorf("%d steps in 61 s, want %d", total, want)
		}
		if len(times) > 310 {
			t.Errorf("%d calls, want about 300: a minute's packets must not be sent at once", len(times))
		}
		if stats := pacer.Stats(); stats.Skipped < 2700 {
			t.Errorf("%d turns left out, want about 2750", stats.Skipped)
		}
	})
}

// A pacer that slept for long must serve a new entry at once, not work through the time it slept.
func TestPacerWakesUpForANewEntry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pacer := NewPacer(PacerOptions{})
		defer pacer.Close()
		for _, pause := range []time.Duration{3 * time.Millisecond, 700 * time.Millisecond, time.Hour} {
			<-time.After(pause)
			log := &tickLog{}
			added := time.Now()
			pacer.Add(log)
			pass(20 * time.Millisecond)
			times, steps := log.calls()
			if len(times) != 1 || steps[0] != 1 || times[0].Sub(added) > 20*time.Millisecond {
				t.Errorf("after %s: called at %v with %v, added at %v", pause, times, steps, added)
			}
			pacer.Remove(log)
		}
		if stats := pacer.Stats(); stats.Late != 0 || stats.Entries != 0 {
			t.Errorf("%+v", stats)
		}
	})
}

func TestPacerCallsNothingAfterRemove(t *testing.T) {
	t.Parallel()
	pacer := NewPacer(PacerOptions{})
	defer pacer.Close()
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for range 20 {
				entry := &removable{called: make(chan struct{}, 1)}
				pacer.Add(entry)
				<-entry.called
				pacer.Remove(entry)
				entry.removed.Store(true)
				pacer.Remove(entry)
				if entry.after.Load() {
					t.Error("called after Remove")
				}
			}
		})
	}
	workers.Wait()
	pacer.Close()
	if stats := pacer.Stats(); stats.Entries != 0 || stats.Ticks < 160 {
		t.Errorf("%+v", stats)
	}
}

type removable struct {
	called         chan struct{}
	removed, after atomic.Bool
}

func (r *removable) Tick(time.Time, int) {
	if r.removed.Load() {
		r.after.Store(true)
	}
	select {
	case r.called <- struct{}{}:
	default:
	}
}

type countingEntry struct{ calls int }

func (c *countingEntry) Tick(time.Time, int) { c.calls++ }

// BenchmarkPacerTurn is a turn of 20 ms with 1000 streams.
func BenchmarkPacerTurn(b *testing.B) {
	pacer := NewPacer(PacerOptions{})
	defer pacer.Close()
	b.ReportAllocs()
	entries := make([]countingEntry, 1000)
	for i := range entries {
		pacer.slots[i%pacerSlots].entries = append(pacer.slots[i%pacerSlots].entries, pacedEntry{entry: &entries[i]})
	}
	tick := int64(pacerSlots)
	for b.Loop() {
		for range pacerSlots {
			pacer.serveSlot(&pacer.slots[tick%pacerSlots], tick)
			tick++
		}
	}
}
