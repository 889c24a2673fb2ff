package webrtc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/webrtc/sdp"
)

// ourMid is the media identification in offers of ours.
const ourMid = "0"

// ourProfile is the profile in offers of ours (RFC 5764 8).
const ourProfile = "UDP/TLS/RTP/SAVPF"

// negotiated is what offers and answers have led to; the bridge's lock guards it.
type negotiated struct {
	sessionID, version uint64
	params             sdp.LocalParams
	remote             *sdp.Remote
	formats            []sdp.Format
	role               string // of ours in DTLS: active or passive; empty until agreed upon

	// offer is our last one, emptied when it was answered; answered is the digest of the answer to it.
	offer, answered []byte
	// theirOffer is the digest of the peer's last offer, answers our answer to it.
	theirOffer, answers []byte
}

// CreateOffer returns an SDP offer. Until it is answered, the same bytes are returned again.
//
// With trickle ICE it returns as soon as the host candidates are known, otherwise when gathering ends or ICEGatherTimeout has passed.
// A failure is an *outcome.Failure.
func (b *Bridge) CreateOffer(ctx context.Context) ([]byte, error) {
	end, err := b.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	if b.offer != nil && b.answered == nil {
		return bytes.Clone(b.offer), nil
	}
	if b.currentPeer() == nil {
		p, err := b.startPeer(nil)
		if err != nil {
			return nil, err
		}
		params, err := p.offer()
		if err != nil {
			return nil, b.fail(peerFailure(err))
		}
		b.setParams(params)
	}
	if err := b.waitForCandidates(ctx); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.isClosed {
		return nil, media.ErrClosed
	}
	l := b.describe()
	l.Setup, l.Proto, l.Mid, l.Bundle = "actpass", ourProfile, ourMid, true
	l.Direction, l.Formats = sdp.SendRecv, sdp.OfferFormats(b.factory.options.PreferPCMA)
	b.offer, b.answered = l.Bytes(), nil
	b.offerCreated = true
	b.note("offer_created")
	return bytes.Clone(b.offer), nil
}

// AcceptAnswer takes the answer to the offer of CreateOffer and begins to connect. The same answer again is no error. One with other ICE
// or DTLS parameters, as it comes from another callee of a forked call, takes the place of the one before; see branch.
func (b *Bridge) AcceptAnswer(ctx context.Context, answer []byte) error {
	end, err := b.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	switch {
	case b.offer == nil:
		return errors.New("WebRTC: there is an answer, but no offer was made")
	case b.answered != nil && bytes.Equal(digest(answer), b.answered):
		return nil
	}
	remote, err := sdp.Parse(answer, false)
	if err != nil {
		return b.reject(err)
	}
	formats, err := sdp.CommonFormats(remote.Formats, false)
	if err != nil {
		return b.reject(err)
	}
	if b.remote != nil {
		if b.remote.SameTransport(remote) {
			return b.agree(remote, formats, func() { b.answered, b.offer = digest(answer), []byte{} })
		}
		if err := b.replacePeer(); err != nil {
			return err
		}
	}
	if err := b.currentPeer().accept(remote); err != nil {
		return b.fail(peerFailure(err))
	}
	if err := b.agree(remote, formats, func() {
		b.answered, b.offer = digest(answer), []byte{}
		b.answerAccepted = true
		b.role = "active"
		if remote.Setup != "passive" {
			b.role = "passive"
		}
		b.note("answer_accepted")
	}); err != nil {
		return err
	}
	b.remoteReady(remote)
	return nil
}

// Answer takes the peer's offer, begins to connect and returns the SDP answer. The same offer again returns the same bytes.
// A further offer may change the direction (hold) and restart ICE.
func (b *Bridge) Answer(ctx context.Context, offer []byte) ([]byte, error) {
	end, err := b.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	switch {
	case b.theirOffer != nil && bytes.Equal(digest(offer), b.theirOffer):
		return bytes.Clone(b.answers), nil
	// Later on the bridge cannot know whether ours was refused (RFC 3261 14.1); it is not bound by it, and so answers.
	case b.remote == nil && b.offer != nil:
		return nil, errors.New("WebRTC: the peer made an offer while ours is not answered; it should be refused with 491 (RFC 3261 14.2)")
	}
	remote, err := sdp.Parse(offer, true)
	if err != nil {
		return nil, b.reject(err)
	}
	formats, err := sdp.CommonFormats(remote.Formats, b.factory.options.PreferPCMA)
	if err != nil {
		return nil, b.reject(err)
	}
	if err := b.applyOffer(remote); err != nil {
		return nil, err
	}
	if err := b.waitForCandidates(ctx); err != nil {
		return nil, err
	}
	formats = sdp.AnswerFormats(formats)
	var out []byte
	err = b.agree(remote, formats, func() {
		l := b.describe()
		l.Setup, l.Formats = b.role, formats
		l.AnswerTo(remote)
		out = l.Bytes()
		b.theirOffer, b.answers = digest(offer), out
		b.answerCreated = true
		b.note("answer_created")
	})
	return bytes.Clone(out), err
}

// applyOffer brings the peer's transport parameters into use: at the first offer, and when it restarts ICE.
func (b *Bridge) applyOffer(remote *sdp.Remote) error {
	first := b.remote == nil
	switch {
	case !first && b.remote.SameTransport(remote):
		return nil
	case !first && !b.remote.SameCertificate(remote):
		return b.fail(sdp.Incompatible(codeFingerprintNew, "the peer's new offer has another certificate (a=fingerprint); "+
			"this needs a new DTLS association, which is not supported within a call"))
	}
	p := b.currentPeer()
	if p == nil {
		var err error
		if p, err = b.startPeer(nil); err != nil {
			return err
		}
	} else {
		b.restartGathering()
	}
	params, err := p.answer(remote)
	if err != nil {
		return b.fail(peerFailure(err))
	}
	b.setParams(params)
	b.mu.Lock()
	if b.role == "" { // it does not change when ICE restarts
		b.role = params.Setup
	}
	b.mu.Unlock()
	b.remoteReady(remote)
	return nil
}

// reject turns what parsing returned into the failure of the call.
func (b *Bridge) reject(err error) error {
	b.mu.Lock()
	b.note("sdp_refused")
	b.mu.Unlock()
	return err
}

// agree takes the peer's codec and direction into use.
func (b *Bridge) agree(remote *sdp.Remote, formats []sdp.Format, record func()) error {
	codec, _ := media.CodecByName(formats[0].Name)
	if err := b.stream.SetCodec(codec, formats[0].PT); err != nil {
		return fmt.Errorf("WebRTC: %w", err)
	}
	b.stream.SetSending(remote.Direction.Receives())
	b.mu.Lock()
	if b.isClosed {
		b.mu.Unlock()
		return media.ErrClosed
	}
	b.remote, b.formats = remote, formats
	b.addDescribed(remote)
	record()
	remote.DropSections() // a call lasts much longer than anybody needs them
	b.startConnectTimer()
	connected := !b.connectedAt.IsZero()
	b.mu.Unlock()
	if connected {
		// The path came up before the codec was known: the peer's checks do not wait for our signalling.
		b.ready()
	}
	return nil
}

// digest stands for a description of the peer's where it is only compared.
func digest(description []byte) []byte {
	sum := sha256.Sum256(description)
	return sum[:]
}

func (b *Bridge) setParams(p sdp.LocalParams) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.params = p
}

// describe begins a description; the lock is held.
func (b *Bridge) describe() sdp.Local {
	b.version++
	full := b.factory.options.ICETrickleFullGather
	return sdp.Local{
		SessionID: b.sessionID, Version: b.version, Address: b.factory.address,
		Ufrag: b.params.Ufrag, Pwd: b.params.Pwd, Fingerprint: b.factory.fingerprint,
		SSRC: b.stream.SSRC(), CNAME: b.stream.CNAME(),
		Candidates: append([]sdp.Candidate(nil), b.local...),
		Trickle:    !full, Complete: full || b.gathered,
	}
}

// startConnectTimer bounds the time from both descriptions to the connection; the lock is held.
func (b *Bridge) startConnectTimer() {
	if b.connectTimer != nil || b.failure != nil {
		return
	}
	b.agreedAt = time.Now()
	if !b.iceAt.IsZero() {
		return
	}
	b.connectTimer = time.AfterFunc(b.factory.options.ICEConnectTimeout, b.branch.onConnectTimeout)
}

// stopConnectTimer stops it if it runs; the lock is held.
func (b *Bridge) stopConnectTimer() {
	if b.connectTimer != nil {
		b.connectTimer.Stop()
	}
}
