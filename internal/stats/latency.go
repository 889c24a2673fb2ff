package stats

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latency is a histogram of durations from 1 µs to an hour with three significant digits.
type Latency struct {
	mu   sync.Mutex
	hist *hdrhistogram.Histogram
}

// NewLatency returns an empty histogram.
func NewLatency() *Latency {
	return &Latency{hist: hdrhistogram.New(1, time.Hour.Microseconds(), 3)}
}

// Record adds one value. Values beyond an hour count as an hour.
func (l *Latency) Record(d time.Duration) {
	micros := min(max(d.Microseconds(), 1), time.Hour.Microseconds())
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.hist.RecordValue(micros) // in range by construction
}

// NewRun returns a Run in which nothing has happened.
func NewRun() *Run {
	return &Run{Setup: NewLatency(), PDD: NewLatency(), Connect: NewLatency()}
}

// Distribution sums up a Latency, in milliseconds. The figures are nil when nothing was measured.
type Distribution struct {
	Count uint64   `json:"count"`
	P50MS *float64 `json:"p50_ms"`
	P95MS *float64 `json:"p95_ms"`
	P99MS *float64 `json:"p99_ms"`
	MaxMS *float64 `json:"max_ms"`
}

// Distribution returns the percentiles of what was recorded until now. They are exact to 0.1 %.
func (l *Latency) Distribution() Distribution {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.hist.TotalCount()
	if n == 0 {
		return Distribution{}
	}
	return Distribution{Count: uint64(n), P50MS: l.at(50), P95MS: l.at(95), P99MS: l.at(99), MaxMS: millis(l.hist.Max())}
}

// at returns the percentile by its nearest rank: the least value that at least this share of the values does not exceed. The histogram
// itself rounds to the rank next to the percentile, so that the worst of a few calls would show in none; a percentile that is a rank
// exactly leaves nothing to round. The lock is held.
func (l *Latency) at(percentile int64) *float64 {
	n := l.hist.TotalCount()
	rank := (percentile*n + 99) / 100
	return millis(l.hist.ValueAtPercentile(100 * float64(rank) / float64(n)))
}

func millis(micros int64) *float64 {
	ms := float64(micros) / 1000
	return &ms
}
