package engine

import "hash/maphash"

// maxDead bounds the memory for ended calls; beyond it the oldest are forgotten early.
const maxDead = 1 << 20

// deadCalls remembers the Call-IDs of ended calls, so that late messages do not start new ones. It keeps hashes of 64 bits: among
// a million, two are equal with a probability of one in 30 million.
type deadCalls struct {
	seed  maphash.Seed
	wait  int64 // ticks; 0: nothing is remembered
	until map[uint64]int64
	// queue is a ring in the order of the ends, which is the order in which they expire.
	queue       []deadCall
	first, used int
}

type deadCall struct {
	hash  uint64
	until int64
}

func newDeadCalls(wait int64) *deadCalls {
	return &deadCalls{seed: maphash.MakeSeed(), wait: wait, until: make(map[uint64]int64)}
}

// add remembers an ended call.
func (d *deadCalls) add(id string, now int64) {
	if d.wait <= 0 {
		return
	}
	if d.used == maxDead {
		d.forget()
	}
	if d.used == len(d.queue) {
		d.grow()
	}
	dead := deadCall{maphash.String(d.seed, id), now + d.wait}
	d.until[dead.hash] = dead.until
	d.queue[(d.first+d.used)%len(d.queue)] = dead
	d.used++
}

// has reports whether the Call-ID is that of an ended call.
func (d *deadCalls) has(id []byte) bool {
	if d.used == 0 {
		return false
	}
	_, ok := d.until[maphash.Bytes(d.seed, id)]
	return ok
}

// expire forgets the calls whose time is over.
func (d *deadCalls) expire(now int64) {
	for d.used > 0 && d.queue[d.first].until <= now {
		d.forget()
	}
}

// forget drops the oldest. A Call-ID that was used again since is remembered from its later end on.
func (d *deadCalls) forget() {
	oldest := d.queue[d.first]
	if d.until[oldest.hash] == oldest.until {
		delete(d.until, oldest.hash)
	}
	d.first = (d.first + 1) % len(d.queue)
	d.used--
}

func (d *deadCalls) grow() {
	bigger := make([]deadCall, max(64, 2*len(d.queue)))
	for i := range d.used {
		bigger[i] = d.queue[(d.first+i)%len(d.queue)]
	}
	d.queue, d.first = bigger, 0
}
