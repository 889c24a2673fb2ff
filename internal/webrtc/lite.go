package webrtc

import (
	"strconv"
	"sync"
	"time"

	"github.com/gossipper/gossipper/internal/webrtc/sdp"
)

// firstNudge and lastNudge bound the times, each twice the one before, at which ICE is made to look again. The last but one comes before
// Pion's own next look; there are fewer than the checks after which it gives a pair up.
const (
	firstNudge = 2 * time.Millisecond
	lastNudge  = 128 * time.Millisecond
)

// nudger shortens ICE with a lite peer (RFC 8445 2.5). Pion nominates a pair when the peer checks it, too, or else at its tick of 200 ms.
// A lite peer sends no checks, so every call would take 200 ms that neither the peer nor the network needs. The tick cannot be set, but a
// new remote candidate makes the agent look at once; so it gets the peer's candidate again under another type, which leads to the same
// address.
type nudger struct {
	add func(c sdp.Candidate) error

	mu      sync.Mutex
	stopped bool
	timer   *time.Timer
}

// start begins to nudge if the peer is lite. Candidates that trickle in later come too late for it.
func (n *nudger) start(remote *sdp.Remote) {
	if !remote.Lite || len(remote.Candidates) == 0 {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.stopped && n.timer == nil {
		again := remote.Candidates[0]
		again.Type, again.Priority = "relay", 1
		n.timer = time.AfterFunc(firstNudge, func() { n.nudge(again, firstNudge) })
	}
}

func (n *nudger) nudge(again sdp.Candidate, after time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stopped {
		return
	}
	// The related address makes each a new one.
	again.Related = "raddr " + again.Host + " rport " + strconv.Itoa(int(after.Milliseconds()))
	if err := n.add(again); err != nil || after >= lastNudge {
		return
	}
	n.timer.Stop()
	n.timer = time.AfterFunc(after, func() { n.nudge(again, 2*after) })
}

// stop ends it, and waits for a nudge that is being given.
func (n *nudger) stop() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stopped = true
	if n.timer != nil {
		n.timer.Stop()
	}
}
