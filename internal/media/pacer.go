package media

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	pacerTick  = time.Millisecond
	pacerSlots = 20 // a turn is 20 ms, the length of a packet
	// pacerBacklog is how far the pacer may be behind before it leaves out turns: a process that was suspended for an hour must
	// not send an hour's packets when it wakes up.
	pacerBacklog = 5 * time.Second
	// lateThreshold is the deviation that counts as late.
	lateThreshold = 2 * time.Millisecond
)

// PacerEntry is what a Pacer calls.
type PacerEntry interface {
	// Tick is called every 20 ms. steps is 1, or more when turns were left out because the machine was stalled for more than
	// five seconds. It runs on the pacer's goroutine: it must not block, and must not call Add or Remove.
	Tick(now time.Time, steps int)
}

// PacerOptions are reserved for what a pacer can be told; the zero value is right.
type PacerOptions struct{}

// PacerStats are the figures of a Pacer.
type PacerStats struct {
	// Ticks is the number of calls of entries, Late how many of them came more than 2 ms after their deadline.
	Ticks, Late uint64
	// Skipped is the number of turns that were left out, over all entries.
	Skipped uint64
	// MaxLateness is the worst deviation.
	MaxLateness time.Duration
	Entries     int
}

// Pacer calls its entries every 20 ms, each at its own phase, from deadlines that are multiples of 1 ms after its start: what
// is late does not delay what follows. One goroutine serves all entries; it sleeps until the next deadline, and while there are no
// entries it sleeps for good.
//
// When the machine stalls, every entry is called at most once before the next sleep of (at least) a tick, so that the backlog
// drains as one packet a stream and tick, never as a burst of one stream. A backlog of more than five seconds is left out.
type Pacer struct {
	start time.Time
	slots [pacerSlots]pacerSlot
	wake  chan struct{}
	done  chan struct{}
	ended chan struct{}
	once  sync.Once

	mu     sync.Mutex // guards places and counts
	places map[PacerEntry]int
	counts [pacerSlots]int // of entries, by slot

	ticks, late, skipped atomic.Uint64
	maxLateness          atomic.Int64
}

type pacerSlot struct {
	mu      sync.Mutex // held while the entries are called
	entries []pacedEntry
	size    atomic.Int32
}

type pacedEntry struct {
	entry PacerEntry
	last  int64 // the tick of the last call
}

// NewPacer starts a pacer. It ends with Close.
func NewPacer(PacerOptions) *Pacer {
	p := &Pacer{
		start:  time.Now(),
		wake:   make(chan struct{}, 1),
		done:   make(chan struct{}),
		ended:  make(chan struct{}),
		places: make(map[PacerEntry]int),
	}
	go p.run()
	return p
}

// Add has the entry called every 20 ms from now on, at the phase that has the fewest entries. Adding it again does nothing.
func (p *Pacer) Add(entry PacerEntry) {
	p.mu.Lock()
	if _, ok := p.places[entry]; ok {
		p.mu.Unlock()
		return
	}
	now := p.tickAt(time.Now())
	place := p.quietest(now)
	p.places[entry] = place
	p.counts[place]++
	p.mu.Unlock()

	slot := &p.slots[place]
	slot.mu.Lock()
	// The tick before the first: the last one of this phase that is over.
	last := now - (now-int64(place)+pacerSlots)%pacerSlots
	slot.entries = append(slot.entries, pacedEntry{entry: entry, last: last})
	slot.size.Store(int32(len(slot.entries)))
	slot.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// quietest returns the slot with the fewest entries, among equals the one that comes next.
func (p *Pacer) quietest(now int64) int {
	best := int((now + 1) % pacerSlots)
	for i := range pacerSlots {
		if place := int((now + 1 + int64(i)) % pacerSlots); p.counts[place] < p.counts[best] {
			best = place
		}
	}
	return best
}

// Remove ends the calls of the entry. When it returns, none is running and none will come. It must not be called with a lock
// that Tick takes.
func (p *Pacer) Remove(entry PacerEntry) {
	p.mu.Lock()
	place, ok := p.places[entry]
	if !ok {
		p.mu.Unlock()
		return
	}
	delete(p.places, entry)
	p.counts[place]--
	p.mu.Unlock()
	slot := &p.slots[place]
	slot.mu.Lock()
	defer slot.mu.Unlock()
	for i := range slot.entries {
		if slot.entries[i].entry == entry {
			last := len(slot.entries) - 1
			slot.entries[i] = slot.entries[last]
			slot.entries[last] = pacedEntry{}
			slot.entries = slot.entries[:last]
			slot.size.Store(int32(last))
			return
		}
	}
}

// Stats returns the figures as they are now.
func (p *Pacer) Stats() PacerStats {
	p.mu.Lock()
	entries := len(p.places)
	p.mu.Unlock()
	return PacerStats{
		Ticks: p.ticks.Load(), Late: p.late.Load(), Skipped: p.skipped.Load(),
		MaxLateness: time.Duration(p.maxLateness.Load()), Entries: entries,
	}
}

// Close ends the pacer and waits for its goroutine. It can be called again.
func (p *Pacer) Close() {
	p.once.Do(func() { close(p.done) })
	<-p.ended
}

func (p *Pacer) tickAt(at time.Time) int64 { return int64(at.Sub(p.start) / pacerTick) }
