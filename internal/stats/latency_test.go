package stats

import (
	"math"
	"sync"
	"testing"
	"time"
)

func TestDistributionOfNothingIsUnknown(t *testing.T) {
	t.Parallel()
	d := NewLatency().Distribution()
	if d.Count != 0 || d.P50MS != nil || d.P95MS != nil || d.P99MS != nil || d.MaxMS != nil {
		t.Errorf("nothing was recorded, yet the distribution is %+v", d)
	}
}

func TestDistributionPercentiles(t *testing.T) {
	t.Parallel()
	l := NewLatency()
	for i := 1; i <= 1000; i++ {
		l.Record(time.Duration(i) * time.Millisecond)
	}
	d := l.Distribution()
	if d.Count != 1000 {
		t.Errorf("count = %d, want 1000", d.Count)
	}
	for _, c := range []struct {
		name string
		got  *float64
		want float64
	}{
		{"p50", d.P50MS, 500},
		{"p95", d.P95MS, 950},
		{"p99", d.P99MS, 990},
		{"max", d.MaxMS, 1000},
	} {
		if c.got == nil || math.Abs(*c.got-c.want) > c.want*0.001 {
			t.Errorf("%s = %v, want %v ± 0.1 %%", c.name, c.got, c.want)
		}
	}
}

// Each sample is 1 ms, 2 ms, … so that a value tells its rank.
func TestPercentilesAreNearestRanks(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 400; n++ {
		l := NewLatency()
		for i := 1; i <= n; i++ {
			l.Record(time.Duration(i) * time.Millisecond)
		}
		d := l.Distribution()
		for percent, got := range map[int]*float64{50: d.P50MS, 95: d.P95MS, 99: d.P99MS} {
			rank := math.Ceil(float64(percent*n) / 100)
			if math.Abs(*got-rank) > rank*0.001 {
				t.Errorf("p%d of %d values is %v ms, want that of rank %v", percent, n, *got, rank)
			}
		}
	}
}

// The one slow call of fourteen must show.
func TestPercentilesOfFewCalls(t *testing.T) {
	t.Parallel()
	l := NewLatency()
	for range 13 {
		l.Record(440 * time.Microsecond)
	}
	l.Record(1905 * time.Microsecond)
	if d := l.Distribution(); *d.P50MS != 0.44 || math.Abs(*d.P95MS-1.905) > 0.002 || math.Abs(*d.P99MS-1.905) > 0.002 {
		t.Errorf("p50 %v, p95 %v, p99 %v; want 0.44, 1.905, 1.905", *d.P50MS, *d.P95MS, *d.P99MS)
	}
}

func TestLatencyClampsToItsRange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		in   time.Duration
		want float64
	}{
		{"negative, from a clock that jumped", -time.Second, 0.001},
		{"zero", 0, 0.001},
		{"beyond an hour", 25 * time.Hour, 3_600_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := NewLatency()
			l.Record(c.in)
			d := l.Distribution()
			if d.Count != 1 || d.MaxMS == nil || math.Abs(*d.MaxMS-c.want) > c.want*0.001 {
				t.Errorf("distribution = %+v, want one value of %v ms", d, c.want)
			}
		})
	}
}

func TestLatencyFromManyGoroutines(t *testing.T) {
	t.Parallel()
	l := NewLatency()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				l.Record(time.Millisecond)
				l.Distribution()
			}
		})
	}
	wg.Wait()
	if d := l.Distribution(); d.Count != 4000 {
		t.Errorf("count = %d, want 4000", d.Count)
	}
}

func BenchmarkLatencyRecord(b *testing.B) {
	l := NewLatency()
	b.ReportAllocs()
	for b.Loop() {
		l.Record(3 * time.Millisecond)
	}
}
