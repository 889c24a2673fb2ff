package engine

import "sync"

// inbox takes what other goroutines have to tell the loop.
type inbox struct {
	mu      sync.Mutex
	waiting []event
	wake    func()
}

// event is one message to the loop.
type event func(*loop)

// post adds an event and wakes the loop. It never blocks on the loop.
func (b *inbox) post(e event) {
	b.mu.Lock()
	b.waiting = append(b.waiting, e)
	first := len(b.waiting) == 1
	b.mu.Unlock()
	if first {
		b.wake()
	}
}

// take returns the events posted since the last take. spare is the slice of an earlier take, to be used again.
func (b *inbox) take(spare []event) []event {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := b.waiting
	b.waiting = spare[:0]
	return taken
}
