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

// Bounds on what is kept for a call's record.
const (
	maxTimeline  = 64
	maxICEErrors = 16
)

// diagnostics is what a record says of the call; the bridge's lock guards it.
type diagnostics struct {
	iceState, connection string
	turnAuth             authMode
	credentialExpires    time.Time
	offerCreated         bool
	answerAccepted       bool
	answerCreated        bool
	agreedAt             time.Time // both descriptions were known
	iceAt, connectedAt   time.Time
	iceErrors            []media.ICEError
	timeline             []media.TimelineEntry
	pair                 *media.CandidatePair // at the end
	pairRTT              time.Duration
}

func (d *diagnostics) init() {
	d.iceState, d.connection, d.turnAuth = "new", "new", authNone
}

// note adds to the timeline.
func (d *diagnostics) note(event string) {
	if len(d.timeline) < maxTimeline {
		d.timeline = append(d.timeline, media.TimelineEntry{At: time.Now(), Event: event})
	}
}

// noteServers remembers how the first TURN server is authenticated to.
func (d *diagnostics) noteServers(servers []authorized) {
	for _, s := range servers {
		if s.IsTURN() {
			if d.turnAuth == authNone {
				d.turnAuth = s.mode
			}
			if !s.credential.Expires.IsZero() {
				d.credentialExpires = s.credential.Expires
			}
		}
	}
}

// iceFailure adds to the reason what was tried; the lock is held.
func (b *Bridge) iceFailure(what string) *outcome.Failure {
	describe := func(list []sdp.Candidate) string {
		if len(list) == 0 {
			return "none"
		}
		parts := make([]string, 0, 4)
		for i, c := range list {
			if i == 4 {
				parts = append(parts, fmt.Sprintf("and %d more", len(list)-i))
				break
			}
			parts = append(parts, c.Type+" "+c.AddrPort().String())
		}
		return strings.Join(parts, ", ")
	}
	var remote []sdp.Candidate
	trickled := 0
	if b.remote != nil {
		remote = b.remote.Candidates
		trickled = max(0, len(b.remotes)-len(remote))
	}
	return broken(outcome.StageICE, codeICEFailed, nil, "%s. Our candidates: %s; the peer's: %s and %d trickled%s",
		what, describe(b.local), describe(remote), trickled, b.serverErrors())
}

// ready starts the stream; a stream that is closed or started already does not mind.
func (b *Bridge) ready() { _ = b.stream.Ready() }

func (b *Bridge) handshakeFailure(err error, mismatch bool) *outcome.Failure {
	switch {
	case mismatch:
		return broken(outcome.StageDTLS, codeFingerprint, err, "the peer's certificate is not the one that its SDP announced "+
			"(a=fingerprint): something on the way changed the SDP or answers in the peer's place")
	case errors.Is(err, context.DeadlineExceeded):
		return broken(outcome.StageDTLS, codeDTLSFailed, err, "the DTLS handshake did not end within %s; ICE works, so either DTLS "+
			"packets are lost (too long for the path?) or the peer does not answer them", b.factory.options.DTLSTimeout)
	default:
		return broken(outcome.StageDTLS, codeDTLSFailed, err, "the DTLS handshake failed: %v", err)
	}
}

// snapshotPair keeps the selected pair for the record. The peer is asked without the lock: its answer comes from a loop of
// Pion's that may be waiting to tell the bridge something. It is not asked before ICE is up: Pion writes what it would read then.
func (b *Bridge) snapshotPair() {
	b.mu.Lock()
	p, ask := b.peer, !b.isClosed && !b.iceAt.IsZero()
	b.mu.Unlock()
	if p == nil || !ask {
		return
	}
	pair, rtt := p.selectedPair()
	b.mu.Lock()
	defer b.mu.Unlock()
	if pair != nil && !b.isClosed {
		b.pair, b.pairRTT = pair, rtt
	}
}

// Stats returns the figures of the call as they are now, or as they were at Close.
func (b *Bridge) Stats() media.Stats {
	s := b.stream.Stats()
	s.Kind = media.KindWebRTC
	b.snapshotPair()
	b.mu.Lock()
	defer b.mu.Unlock()
	s.ConnectedAt = b.connectedAt
	if s.RTTMS == nil && b.pairRTT > 0 {
		s.RTTMS = milliseconds(b.pairRTT)
	}
	s.WebRTC = b.diagnose()
	return s
}

// Diagnostics returns the WebRTC part of Stats.
func (b *Bridge) Diagnostics() media.WebRTCStats {
	b.snapshotPair()
	b.mu.Lock()
	defer b.mu.Unlock()
	return *b.diagnose()
}

// diagnose copies the diagnostics; the lock is held.
func (b *Bridge) diagnose() *media.WebRTCStats {
	w := &media.WebRTCStats{
		PCID: b.id, ICEGathering: "new", ICEConnection: b.iceState, Connection: b.connection, TURNAuth: string(b.turnAuth),
		OfferCreated: b.offerCreated, AnswerAccepted: b.answerAccepted, AnswerCreated: b.answerCreated,
		RemoteCandidates: len(b.remotes), TrickleRejected: b.rejected, TURNCredentialExpires: b.credentialExpires,
		ICEErrors: append([]media.ICEError(nil), b.iceErrors...), Timeline: append([]media.TimelineEntry(nil), b.timeline...),
	}
	switch {
	case b.gathered:
		w.ICEGathering = "complete"
	case !b.gatherStarted.IsZero():
		w.ICEGathering = "gathering"
	}
	if b.pair != nil {
		pair := *b.pair
		w.SelectedPair = &pair
	}
	if b.gatherTook > 0 {
		w.GatherMS = milliseconds(b.gatherTook)
	}
	if !b.iceAt.IsZero() && !b.agreedAt.IsZero() {
		// The answerer's ICE may be up before its answer is written.
		w.ICEMS = milliseconds(max(0, b.iceAt.Sub(b.agreedAt)))
	}
	if !b.iceAt.IsZero() && !b.connectedAt.IsZero() {
		w.DTLSMS = milliseconds(max(0, b.connectedAt.Sub(b.iceAt)))
	}
	return w
}

func milliseconds(d time.Duration) *float64 {
	ms := float64(d) / float64(time.Millisecond)
	return &ms
}
