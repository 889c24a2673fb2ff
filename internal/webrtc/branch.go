package webrtc

import (
	"time"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/webrtc/sdp"
)

// maxBranches bounds the peers of a bridge, one after the other: each costs a DTLS handshake.
const maxBranches = 16

// branch is how a peer reaches its bridge. A bridge has one peer at a time. When an INVITE is forked (RFC 3261 13.2.2.4), its one offer
// may be answered by several callees; the answer that came last counts, and the peer that belongs to the answer before it is replaced. What
// the old peer tells then is not heard any more.
type branch struct{ b *Bridge }

var _ peerEvents = (*branch)(nil)

// silent tells whether the branch is not the bridge's any more; the bridge's lock is held.
func (br *branch) silent() bool { return br.b.isClosed || br.b.branch != br }

func (br *branch) onCandidate(c sdp.Candidate) {
	b := br.b
	b.mu.Lock()
	if !br.silent() && len(b.local) < sdp.MaxCandidates {
		b.local = append(b.local, c)
		b.note("local_candidate " + c.Type)
	}
	b.mu.Unlock()
	b.signalGather()
}

func (br *branch) onGathered() {
	b := br.b
	b.mu.Lock()
	if !br.silent() {
		b.gathered = true
		b.note("gathering_complete")
	}
	b.mu.Unlock()
	b.signalGather()
}

func (br *branch) onServerError(hostPort string, err error) {
	b := br.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if !br.silent() {
		b.noteServerError(hostPort, err)
	}
}

func (br *branch) onICEState(state string) {
	b := br.b
	b.mu.Lock()
	if br.silent() || b.iceState == state {
		b.mu.Unlock()
		return
	}
	b.iceState = state
	b.note("ice_connection " + state)
	var failure *outcome.Failure
	switch state {
	case "connected", "completed":
		if b.iceAt.IsZero() {
			b.iceAt = time.Now()
		}
		b.stopConnectTimer()
	case "failed":
		failure = b.iceFailure("ICE found no way to the peer")
		if !b.iceAt.IsZero() {
			failure = b.iceFailure("ICE lost the peer: nothing was heard of it for 30 s")
		}
	}
	b.mu.Unlock()
	if failure != nil {
		b.breakDown(failure)
	}
}

func (br *branch) onConnectTimeout() {
	b := br.b
	b.mu.Lock()
	if br.silent() || !b.iceAt.IsZero() {
		b.mu.Unlock()
		return
	}
	failure := b.iceFailure("ICE found no way to the peer within " + b.factory.options.ICEConnectTimeout.String())
	b.mu.Unlock()
	b.breakDown(failure)
}

func (br *branch) onConnectionState(state string) {
	b := br.b
	b.mu.Lock()
	if br.silent() || b.connection == state {
		b.mu.Unlock()
		return
	}
	b.connection = state
	b.note("connection " + state)
	first := state == "connected" && b.connectedAt.IsZero()
	if first {
		b.connectedAt = time.Now()
	}
	agreed := len(b.formats) > 0
	at := b.connectedAt
	b.mu.Unlock()
	if !first {
		return
	}
	if agreed {
		b.ready()
	}
	b.emit(media.Event{Type: media.EventConnected, At: at})
}

func (br *branch) onHandshakeError(err error, mismatch bool) {
	b := br.b
	b.mu.Lock()
	silent := br.silent()
	b.mu.Unlock()
	if !silent {
		b.breakDown(b.handshakeFailure(err, mismatch))
	}
}

func (br *branch) onTooManySources() {
	b := br.b
	b.mu.Lock()
	silent := br.silent()
	b.mu.Unlock()
	if !silent {
		b.breakDown(broken(outcome.StageMedia, codeTooManySources, nil, "the peer sent audio from %d sources (SSRC), or something sends in its "+
			"place: a call has one, or a few if it is transferred", maxSSRCs))
	}
}

// onRTP and onRTCP need not ask who sent the packet: the peer that is replaced is closed before its successor is made.
func (br *branch) onRTP(packet []byte)  { br.b.stream.HandleRTP(packet, time.Now()) }
func (br *branch) onRTCP(packet []byte) { br.b.stream.HandleRTCP(packet, time.Now()) }

// replacePeer makes another peer of which everything that the offer said is true as well: ICE credentials, certificate, and the port
// of the host candidate. A relayed candidate is a new one; the other side learns it from our checks (RFC 8445 7.3.1.3).
//
// The peer that is replaced says goodbye. If its callee is the one that answers the call in the end after all, with the same SDP, the
// new DTLS handshake needs a callee that takes one.
func (b *Bridge) replacePeer() error {
	b.mu.Lock()
	if b.branches == maxBranches {
		b.mu.Unlock()
		return b.fail(sdp.Incompatible(codeAnswerChanged, "the peer answered the offer %d times, each time with other ICE or DTLS parameters", maxBranches))
	}
	old := b.peer
	again := &offered{LocalParams: b.params}
	for _, c := range b.local {
		if c.Type == "host" {
			again.port = c.Port
		}
	}
	b.branch = nil
	b.stopConnectTimer()
	b.connectTimer = nil
	b.local, b.gathered, b.settled = nil, false, false
	b.remotes, b.applied = nil, false
	b.iceState, b.connection = "new", "new"
	b.agreedAt, b.iceAt, b.connectedAt = time.Time{}, time.Time{}, time.Time{}
	b.pair, b.pairRTT = nil, 0
	b.note("answer_replaced")
	b.mu.Unlock()
	// Its socket has to be closed before the next one can have the port. An error is one of saying goodbye.
	_ = old.close()
	p, err := b.startPeer(again)
	if err != nil {
		return err
	}
	params, err := p.offer()
	if err != nil {
		return b.fail(peerFailure(err))
	}
	b.setParams(params)
	return nil
}
