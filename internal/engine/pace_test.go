package engine

import (
	"testing"
	"time"
)

const noLimit = 1 << 30

func TestPacerKeepsTheAbsoluteSchedule(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		load  Load
		step  time.Duration // between looks
		until time.Duration
		want  uint64
	}{
		{"10 a second for a second, looked at each ms", Load{Rate: 10, Period: time.Second}, time.Millisecond, 999 * time.Millisecond, 10},
		{"the eleventh at 1 s sharp", Load{Rate: 10, Period: time.Second}, time.Millisecond, time.Second, 11},
		{"1 in 3 s", Load{Rate: 1, Period: 3 * time.Second}, time.Millisecond, 8999 * time.Millisecond, 3},
		{"0.5 a second", Load{Rate: 0.5, Period: time.Second}, 7 * time.Millisecond, 7 * time.Second, 4},
		{"8000 a second in uneven steps", Load{Rate: 8000, Period: time.Second}, 1100 * time.Microsecond, 10 * time.Second, 79993},
		{"ends with the duration", Load{Rate: 10, Period: time.Second, Duration: 5 * time.Second}, time.Millisecond, 20 * time.Second, 50},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPacer(tt.load)
			var started, missed uint64
			for at := time.Duration(0); at <= tt.until; at += tt.step {
				s, m := p.take(at, noLimit)
				started, missed = started+s, missed+m
			}
			if started != tt.want || missed != 0 {
				t.Errorf("started %d, missed %d; want %d, 0", started, missed, tt.want)
			}
		})
	}
}

func TestPacerGivesUpWhatThereIsNoRoomFor(t *testing.T) {
	t.Parallel()
	p := newPacer(Load{Rate: 100, Period: time.Second})
	if s, m := p.take(0, 5); s != 1 || m != 0 {
		t.Errorf("at 0: started %d, missed %d; want 1, 0", s, m)
	}
	// 10 more are due; there is room for 4, and then for none.
	if s, m := p.take(100*time.Millisecond, 4); s != 4 || m != 6 {
		t.Errorf("at 100 ms: started %d, missed %d; want 4, 6", s, m)
	}
	if s, m := p.take(200*time.Millisecond, 0); s != 0 || m != 10 {
		t.Errorf("at 200 ms: started %d, missed %d; want 0, 10", s, m)
	}
	// Room again: no burst to make up for what was missed.
	if s, m := p.take(210*time.Millisecond, 1000); s != 1 || m != 0 {
		t.Errorf("at 210 ms: started %d, missed %d; want 1, 0", s, m)
	}
	if s, m := p.take(220*time.Millisecond, -3); s != 0 || m != 1 {
		t.Errorf("at 220 ms: started %d, missed %d; want 0, 1", s, m)
	}
}

func TestPacerAfterAStall(t *testing.T) {
	t.Parallel()
	p := newPacer(Load{Rate: 1000, Period: time.Second})
	p.take(0, noLimit)
	// The loop stood still for 3 s: 3000 calls are due, those of the first 2 s are given up, the others come in bursts.
	var started, missed uint64
	for range 10 {
		s, m := p.take(3*time.Second, noLimit)
		if s > maxBurst {
			t.Fatalf("a burst of %d, the most is %d", s, maxBurst)
		}
		started, missed = started+s, missed+m
	}
	if started != 1000 || missed != 2000 {
		t.Errorf("started %d, missed %d; want 1000, 2000", started, missed)
	}
}

func TestPacerNext(t *testing.T) {
	t.Parallel()
	p := newPacer(Load{Rate: 10, Period: time.Second, Duration: 150 * time.Millisecond})
	for i, want := range []time.Duration{0, 100 * time.Millisecond} {
		at, ok := p.next()
		if !ok || at != want {
			t.Fatalf("call %d is next at %v, %v; want %v", i, at, ok, want)
		}
		if s, _ := p.take(at, noLimit); s != 1 {
			t.Fatalf("call %d does not start when it is due", i)
		}
	}
	if at, ok := p.next(); ok {
		t.Errorf("another call at %v, after the duration", at)
	}
}

func TestPacerNextIsWhenTakeStarts(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{3, 7, 29.97, 333, 6000, 123456} {
		p := newPacer(Load{Rate: rate, Period: time.Second})
		for range 5000 {
			at, _ := p.next()
			if s, m := p.take(at, noLimit); s < 1 || m != 0 {
				t.Fatalf("rate %v: at %v, when the next call is due, %d start and %d are missed", rate, at, s, m)
			}
		}
	}
}

func TestPacerSetRate(t *testing.T) {
	t.Parallel()
	p := newPacer(Load{Rate: 10, Period: time.Second})
	for at := time.Duration(0); at < time.Second; at += 10 * time.Millisecond {
		p.take(at, noLimit)
	}
	p.setRate(100, time.Second)
	if s, m := p.take(1500*time.Millisecond, noLimit); s != 51 || m != 0 {
		t.Errorf("half a second at 100: started %d, missed %d; want 51, 0", s, m)
	}
	p.setRate(0, 1500*time.Millisecond)
	if s, m := p.take(time.Minute, noLimit); s != 0 || m != 0 {
		t.Errorf("at rate 0: started %d, missed %d", s, m)
	}
}
