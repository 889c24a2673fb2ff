package media

import (
	"slices"
	"sync"
	"sync/atomic"
)

// tapWindow is how many packets wait for one that is missing.
const tapWindow = 5

// tapped is a packet on its way to the taps. Without a codec it only takes its place in the sequence.
type tapped struct {
	seq     uint16
	codec   Codec
	payload []byte
	verdict verdict
}

type tap struct {
	call func(codec Codec, payload []byte)
}

// tapper passes payloads on in the order of their sequence numbers. Without taps it costs one atomic load a packet.
type tapper struct {
	used   atomic.Bool
	tapMu  sync.Mutex
	taps   []*tap
	closed bool

	started bool
	next    uint16 // the sequence number that is due
	held    []tapped
	spare   [][]byte // buffers for held payloads
}

func (t *tapper) addTap(call func(Codec, []byte)) (remove func(), err error) {
	t.tapMu.Lock()
	defer t.tapMu.Unlock()
	if t.closed {
		return nil, ErrClosed
	}
	added := &tap{call: call}
	t.taps = append(t.taps, added)
	t.used.Store(true)
	return func() {
		t.tapMu.Lock()
		defer t.tapMu.Unlock()
		t.taps = slices.DeleteFunc(t.taps, func(other *tap) bool { return other == added })
		if len(t.taps) == 0 {
			t.used.Store(false)
			t.started, t.held = false, nil
		}
	}, nil
}

// closeTaps passes on what is held and ends the taps.
func (t *tapper) closeTaps() {
	t.tapMu.Lock()
	defer t.tapMu.Unlock()
	t.flush()
	t.closed, t.taps = true, nil
	t.used.Store(false)
}

func (t *tapper) deliver(p tapped) {
	if p.verdict == suspect || p.verdict == duplicate || !t.used.Load() {
		return
	}
	t.tapMu.Lock()
	defer t.tapMu.Unlock()
	if len(t.taps) == 0 {
		return
	}
	if !t.started || p.verdict == restarted {
		t.flush()
		t.started, t.next = true, p.seq
	}
	switch ahead := int16(p.seq - t.next); {
	case ahead < 0:
		return // its place is gone
	case ahead == 0:
		t.pass(p)
		t.passHeld()
	default:
		t.hold(p)
		if len(t.held) > tapWindow {
			t.next = t.held[0].seq
			t.passHeld()
		}
	}
}

func (t *tapper) hold(p tapped) {
	var buffer []byte
	if last := len(t.spare) - 1; last >= 0 {
		buffer, t.spare = t.spare[last], t.spare[:last]
	}
	p.payload = append(buffer[:0], p.payload...)
	at, _ := slices.BinarySearchFunc(t.held, p.seq, func(held tapped, seq uint16) int { return int(int16(held.seq - seq)) })
	t.held = slices.Insert(t.held, at, p)
}

// passHeld passes on the packets that are in sequence now.
func (t *tapper) passHeld() {
	n := 0
	for n < len(t.held) && t.held[n].seq == t.next {
		t.pass(t.held[n])
		t.spare = append(t.spare, t.held[n].payload)
		n++
	}
	t.held = slices.Delete(t.held, 0, n)
}

func (t *tapper) flush() {
	for _, p := range t.held {
		t.pass(p)
	}
	t.held = nil
}

func (t *tapper) pass(p tapped) {
	t.next = p.seq + 1
	if p.codec == CodecNone {
		return
	}
	for _, tap := range t.taps {
		tap.call(p.codec, p.payload)
	}
}
