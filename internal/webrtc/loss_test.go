package webrtc

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/media"
)

// lossyPath is a tap that loses chosen audio packets of each side: the n-th ones, counted from 0.
type lossyPath struct {
	*tap
	lose [2]map[uint32]bool // by sender
	// audio counts the SRTP packets of each side, lost those of them that were not passed on.
	audio, lost [2]atomic.Uint32
}

func newLossyPath(t *testing.T, lose [2]map[uint32]bool) *lossyPath {
	t.Helper()
	w := &lossyPath{lose: lose}
	w.tap = newTap(t, w.goesOn)
	return w
}

// goesOn counts the audio packets of a side and picks out those that are to be lost.
func (w *lossyPath) goesOn(from int, packet []byte) bool {
	if !isSRTP(packet) {
		return true
	}
	if nth := w.audio[from].Add(1) - 1; w.lose[from][nth] {
		w.lost[from].Add(1)
		return false
	}
	return true
}

// isSRTP tells SRTP from STUN, DTLS and SRTCP (RFC 7983 7, RFC 5761 4).
func isSRTP(p []byte) bool {
	return len(p) > 1 && p[0] >= 128 && p[0] < 192 && (p[1]&0x7f < 64 || p[1]&0x7f >= 96)
}

// someOf chooses k numbers below n, but neither the first nor the last: nobody who receives can tell that there was something before
// or behind.
func someOf(random *rand.Rand, n, k int) map[uint32]bool {
	chosen := make(map[uint32]bool, k)
	for _, i := range random.Perm(n - 2)[:k] {
		chosen[uint32(i+1)] = true //nolint:gosec // small
	}
	return chosen
}

// waitUntil polls what has no event.
func waitUntil(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.After(testWait)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not within %v", what, testWait)
		}
	}
}

// TestLossIsReportedAsItWas loses 5 % of the audio packets on the way, in each direction.
func TestLossIsReportedAsItWas(t *testing.T) {
	t.Parallel()
	const (
		packets  = 400
		dropped  = packets / 20
		together = 20 // that may be on the way: sockets hold more
	)
	random := rand.New(rand.NewPCG(5, 5))
	w := newLossyPath(t, [2]map[uint32]bool{someOf(random, packets, dropped), someOf(random, packets, dropped)})
	f := newTestFactory(t, Options{})
	sides := [2]*testBridge{newTestBridge(t, f), newTestBridge(t, f)}
	ctx := testContext(t)
	offer, err := sides[0].CreateOffer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := sides[1].Answer(ctx, w.standIn(t, 0, offer))
	if err != nil {
		t.Fatal(err)
	}
	if err := sides[0].AcceptAnswer(ctx, w.standIn(t, 1, answer)); err != nil {
		t.Fatal(err)
	}
	for _, b := range sides {
		b.waitFor(t, media.EventConnected)
	}
	for i := range packets {
		for side, b := range sides {
			if err := b.WritePCMU(frame(i)); err != nil {
				t.Fatalf("side %d, packet %d: %v", side, i, err)
			}
		}
		if (i+1)%together != 0 {
			continue
		}
		for side := range sides {
			waitUntil(t, "packets on their way", func() bool {
				sent, lost := w.audio[side].Load(), w.lost[side].Load()
				return int(sent) == i+1 && sides[1-side].Stats().PacketsReceived == uint64(sent-lost)
			})
		}
	}
	for side, b := range sides {
		b.mustClose(t)
		s := b.Stats()
		if n := w.lost[1-side].Load(); n != dropped {
			t.Fatalf("%d packets to side %d were lost, want %d", n, side, dropped)
		}
		if s.PacketsSent != packets || s.PacketsReceived != packets-dropped || s.PacketsLost != dropped {
			t.Errorf("side %d: %d packets sent, %d received, %d lost; want %d, %d, %d", side, s.PacketsSent, s.PacketsReceived, s.PacketsLost,
				packets, packets-dropped, dropped)
		}
		if s.FractionLost == nil || *s.FractionLost < 0.04 || *s.FractionLost > 0.06 {
			t.Errorf("side %d reports a loss of %v, want 5 %%", side, s.FractionLost)
		}
		if s.Reordered != 0 || s.Duplicated != 0 {
			t.Errorf("side %d: %d reordered, %d duplicated", side, s.Reordered, s.Duplicated)
		}
	}
}
