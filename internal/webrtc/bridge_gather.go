package webrtc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/webrtc/sdp"
)

// maxPending bounds the candidates kept until the peer's description is known; maxRemote those of a call.
const (
	maxPending = 256
	maxRemote  = 256
)

// candidates are those of both sides; the bridge's lock guards it.
type candidates struct {
	local         []sdp.Candidate
	gathered      bool
	settled       bool // there were enough for a description
	gatherStarted time.Time
	gatherTook    time.Duration

	applied  bool // the peer has the other side's description, and takes candidates
	pending  []sdp.Trickled
	remotes  map[string]struct{}
	rejected int
}

func peerFailure(err error) *outcome.Failure {
	return broken(outcome.StageMedia, codePeerFailed, err, "the WebRTC peer did not take the description: %v", err)
}

// waitForCandidates returns when there are enough candidates for a description: with trickle ICE those of the host, with relay
// only the first that is relayed, otherwise all. What is late is left out; what is missing altogether is a failure.
func (b *Bridge) waitForCandidates(ctx context.Context) error {
	o := b.factory.options
	limit := o.HostGrace
	if o.ICETrickleFullGather || o.ICEPolicy == PolicyRelay {
		limit = o.ICEGatherTimeout
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for timedOut := false; ; {
		enough, err := b.enoughCandidates(timedOut)
		if err != nil || enough {
			return err
		}
		select {
		case <-b.gather:
		case <-timer.C:
			timedOut = true
		case <-b.closing:
			return media.ErrClosed
		case <-ctx.Done():
			return fmt.Errorf("WebRTC: gathering ICE candidates: %w", ctx.Err())
		}
	}
}

func (b *Bridge) enoughCandidates(timedOut bool) (bool, error) {
	b.mu.Lock()
	relayed := 0
	for _, c := range b.local {
		if c.Type == "relay" {
			relayed++
		}
	}
	enough := b.gathered || timedOut || b.settled || b.wanted(relayed)
	var missing *outcome.Failure
	if enough {
		if b.gatherTook == 0 {
			b.gatherTook = time.Since(b.gatherStarted)
		}
		missing = b.missing(relayed)
	}
	b.settled = enough
	b.mu.Unlock()
	if missing != nil {
		return false, b.fail(missing)
	}
	return enough, nil
}

// wanted tells whether a description need not wait for more candidates; the lock is held.
func (b *Bridge) wanted(relayed int) bool {
	switch o := b.factory.options; {
	case o.ICETrickleFullGather:
		return false
	case o.ICEPolicy == PolicyRelay:
		return relayed > 0
	default:
		return len(b.local) >= b.factory.hosts
	}
}

// missing tells what is wrong with the candidates when no more are waited for, or nil; the lock is held.
func (b *Bridge) missing(relayed int) *outcome.Failure {
	switch o := b.factory.options; {
	case o.ICEPolicy == PolicyRelay && relayed == 0:
		return b.noRelay()
	case len(b.local) == 0 && (b.gathered || o.ICETrickleFullGather):
		return broken(outcome.StageGather, codeNoCandidate, nil, "no ICE candidate was found at %s%s", b.factory.address, b.serverErrors())
	default:
		return nil
	}
}

// noRelay says why there is no relayed candidate; the lock is held.
func (b *Bridge) noRelay() *outcome.Failure {
	code := codeNoRelay
	reason := "no TURN server gave a relayed address"
	for _, e := range b.iceErrors {
		if e.Code == 401 {
			code = codeTURNUnauthorized
			reason = "TURN refused the credentials (check user name, secret and the clock)"
		}
	}
	if len(b.iceErrors) == 0 {
		var urls []string
		for _, s := range b.factory.servers {
			if s.IsTURN() {
				urls = append(urls, s.String())
			}
		}
		return broken(outcome.StageGather, code, nil, "%s within %s: no answer from %s", reason, b.factory.options.ICEGatherTimeout, strings.Join(urls, ", "))
	}
	return broken(outcome.StageGather, code, nil, "%s%s", reason, b.serverErrors())
}

// serverErrors lists what STUN and TURN servers answered, for reasons; the lock is held.
func (b *Bridge) serverErrors() string {
	var parts []string
	for _, e := range b.iceErrors {
		text := e.URL + ": "
		if e.Code != 0 {
			text += fmt.Sprintf("%d ", e.Code)
		}
		parts = append(parts, text+e.Text)
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, "; ")
}

// restartGathering forgets the candidates of the ICE session that ends.
func (b *Bridge) restartGathering() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.local, b.gathered, b.settled, b.applied = nil, false, false, false
	b.remotes = nil
	b.gatherStarted = time.Now()
	b.note("ice_restart")
}

func (b *Bridge) signalGather() {
	select {
	case b.gather <- struct{}{}:
	default: // it has been signalled and will look at everything
	}
}

// noteServerError keeps what a STUN or TURN server answered, once for each server and answer; the lock is held.
func (b *Bridge) noteServerError(hostPort string, err error) {
	code, text := stunCode(err)
	if text == "" {
		text = err.Error()
	}
	var timeout interface{ Timeout() bool }
	if strings.Contains(text, "retrans") || errors.As(err, &timeout) && timeout.Timeout() {
		text = "no answer"
	}
	if len(b.iceErrors) == maxICEErrors {
		return
	}
	e := media.ICEError{URL: b.serverAt(hostPort), Code: code, Text: text}
	for _, known := range b.iceErrors {
		if known == e {
			return
		}
	}
	b.iceErrors = append(b.iceErrors, e)
	b.note("ice_server_error " + e.URL)
}

// serverAt finds the URL of a server by its address; without one it is the only TLS server, or unknown.
func (b *Bridge) serverAt(hostPort string) string {
	var found []string
	for _, s := range b.factory.servers {
		if hostPort == s.hostPort() || hostPort == "" && s.Scheme == "turns" {
			found = append(found, s.String())
		}
	}
	if len(found) == 0 {
		return hostPort
	}
	return strings.Join(found, " or ")
}

// LocalCandidates returns the candidates found so far, as values of a=candidate, and whether all were found: what trickle ICE
// has to send after the description.
func (b *Bridge) LocalCandidates() (lines []string, complete bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.local {
		lines = append(lines, c.String())
	}
	return lines, b.gathered
}

// AddRemoteCandidates takes candidates that the peer sent after its description (trickle ICE, RFC 8838). See sdp.ParseTrickle for the bodies
// that are understood. Those that come before the description are kept; those that belong to another description, or are too
// many, are counted as rejected and are no error.
func (b *Bridge) AddRemoteCandidates(contentType string, body []byte) error {
	t, err := sdp.ParseTrickle(contentType, body)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.isClosed {
		return media.ErrClosed
	}
	if err != nil {
		b.rejected++
		return fmt.Errorf("WebRTC: %w", err)
	}
	b.rejected += t.Rejected
	if b.applied {
		b.addTrickled(t.Candidates)
		return nil
	}
	room := max(0, maxPending-len(b.pending))
	if len(t.Candidates) > room {
		b.rejected += len(t.Candidates) - room
		t.Candidates = t.Candidates[:room]
	}
	b.pending = append(b.pending, t.Candidates...)
	return nil
}

// remoteReady counts the candidates of the peer's description and lets in those that came before it.
func (b *Bridge) remoteReady(remote *sdp.Remote) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.remote, b.applied = remote, true
	b.remotes = map[string]struct{}{}
	for _, c := range remote.Candidates {
		b.remotes[c.String()] = struct{}{}
	}
	pending := b.pending
	b.pending = nil
	b.addTrickled(pending)
}

// addDescribed takes the candidates that a further description of the same ICE session has and the first had not: a peer may know
// more at its 200 than at its 183. The lock is held.
func (b *Bridge) addDescribed(remote *sdp.Remote) {
	if !b.applied {
		return // the peer gets them with the description
	}
	list := make([]sdp.Trickled, len(remote.Candidates))
	for i, c := range remote.Candidates {
		list[i] = sdp.Trickled{Candidate: c, Line: -1}
	}
	b.addTrickled(list)
}

// addTrickled hands candidates to the peer; the lock is held, which keeps their order. The peer does not call back synchronously.
func (b *Bridge) addTrickled(list []sdp.Trickled) {
	for _, t := range list {
		key := t.Candidate.String()
		if _, known := b.remotes[key]; known {
			continue // full SDP in every message, as some peers send it
		}
		if !b.belongs(t) || !t.Candidate.Usable() || len(b.remotes) >= maxRemote || b.peer.addCandidate(t.Candidate) != nil {
			b.rejected++
			continue
		}
		b.remotes[key] = struct{}{}
		if len(b.timeline) < maxTimeline/2 { // a flood must not displace what comes later
			b.note("remote_candidate " + t.Candidate.Type)
		}
	}
}

// belongs tells whether a candidate is for the audio of the peer's current description.
func (b *Bridge) belongs(t sdp.Trickled) bool {
	if t.Ufrag != "" && t.Ufrag != b.remote.Ufrag {
		return false
	}
	if t.Mid != "" {
		return t.Mid == b.remote.Mid || b.remote.Mid == "" && t.Mid == ourMid
	}
	return t.Line <= 0 && b.remote.Audio == 0 || t.Line < 0 || t.Line == b.remote.Audio
}
