package media

import (
	"math"
	"testing"
	"time"
)

func TestSourceCounts(t *testing.T) {
	t.Parallel()
	sequence := func(from, to int) []uint16 {
		var seqs []uint16
		for seq := from; seq <= to; seq++ {
			seqs = append(seqs, uint16(seq))
		}
		return seqs
	}
	tests := []struct {
		name       string
		seqs       []uint16
		lost       int64
		fraction   float64
		duplicates int64
		reordered  int
		suspects   int
		extended   uint32
	}{
		{name: "in order", seqs: sequence(10, 109), extended: 109},
		{name: "over the wrap", seqs: sequence(65500, 65599), extended: 65599},
		{name: "one in twenty lost", seqs: append(sequence(1, 90), sequence(96, 100)...), lost: 5, fraction: 0.05, extended: 100},
		{name: "reordered", seqs: []uint16{1, 2, 4, 3, 6, 7, 5, 8}, reordered: 2, extended: 8},
		{name: "reordered over the wrap", seqs: []uint16{65534, 0, 65535, 1}, reordered: 1, extended: 65537},
		{name: "late by 70", seqs: append(append(sequence(1, 9), sequence(11, 80)...), 10), reordered: 1, extended: 80},
		{name: "duplicates", seqs: []uint16{1, 2, 2, 3, 1, 4}, lost: -2, duplicates: 2, extended: 4},
		{name: "a duplicate does not make up for a loss", seqs: []uint16{1, 2, 2, 4}, fraction: 0.25, duplicates: 1, extended: 4},
		{name: "a stray packet", seqs: []uint16{1, 2, 30000, 3, 4}, suspects: 1, extended: 4},
		{name: "the sender starts anew", seqs: []uint16{1, 2, 3, 30000, 30001, 30002}, suspects: 1, extended: 30002},
		{name: "losses before a restart stay", seqs: []uint16{1, 3, 30000, 30001, 30002}, suspects: 1, lost: 1, fraction: 0.2, extended: 30002},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var s source
			late, suspects := 0, 0
			for _, seq := range test.seqs {
				switch s.update(7, seq) {
				case restarted, inOrder, duplicate:
				case reordered:
					late++
				case suspect:
					suspects++
				}
			}
			if s.lost() != test.lost || math.Abs(s.fractionLost()-test.fraction) > 1e-9 || s.totalDuplicates() != test.duplicates ||
				late != test.reordered || suspects != test.suspects || s.extended() != test.extended {
				t.Errorf("lost %d (%.3f), duplicates %d, reordered %d, suspects %d, highest %d; want %+v",
					s.lost(), s.fractionLost(), s.totalDuplicates(), late, suspects, s.extended(), test)
			}
		})
	}
}

func TestSourceReportsLossOfEachInterval(t *testing.T) {
	t.Parallel()
	var s source
	for seq := range uint16(100) {
		s.update(7, seq)
	}
	if got := s.intervalFraction(); got != 0 {
		t.Errorf("nothing lost, fraction %d", got)
	}
	for seq := uint16(100); seq < 200; seq += 2 {
		s.update(7, seq)
	}
	if got := s.intervalFraction(); got != 126 { // 49 of 99
		t.Errorf("half lost, fraction %d of 256, want 126", got)
	}
	if got := s.intervalFraction(); got != 0 {
		t.Errorf("nothing came, fraction %d", got)
	}
}

func TestSourceJitter(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		delay func(i int) time.Duration
		leap  int // packet at which the sender's clock leaps, 0: none
		want  float64
	}{
		{name: "none", delay: func(int) time.Duration { return 0 }},
		{name: "every other packet 10 ms late", delay: func(i int) time.Duration { return time.Duration(i%2) * 10 * time.Millisecond }, want: 10},
		{name: "a slow drift", delay: func(i int) time.Duration { return time.Duration(i) * time.Millisecond }, want: 1},
		{name: "a leap of the sender's clock", delay: func(int) time.Duration { return 0 }, leap: 50},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var s source
			start := time.Unix(1700000000, 0)
			timestamp := uint32(math.MaxUint32 - 1000) // wraps on the way
			for i := range 500 {
				if test.leap > 0 && i == test.leap {
					timestamp += 1 << 30
				}
				s.time(timestamp, start.Add(time.Duration(i)*20*time.Millisecond+test.delay(i)))
				timestamp += FrameSamples
			}
			if got := s.jitter * 1000 / SampleRate; math.Abs(got-test.want) > 0.1 {
				t.Errorf("jitter %.2f ms, want %.2f", got, test.want)
			}
		})
	}
}
