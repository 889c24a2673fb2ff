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
