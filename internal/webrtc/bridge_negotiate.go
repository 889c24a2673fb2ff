package webrtc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/gossipper/gossipper/internal/media"
)

// ourMid is the media identification in offers of ours.
const ourMid = "0"

// ourProfile is the profile in offers of ours (RFC 5764 8).
const ourProfile = "UDP/TLS/RTP/SAVPF"

// negotiated is what offers and answers have led to; the bridge's lock guards it.
type negotiated struct {
	sessionID, version uint64
	params             localParams
	remote             *remoteSDP
	formats            []format
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
	l.setup, l.proto, l.mid, l.bundle = "actpass", ourProfile, ourMid, true
	l.direction, l.formats = sendRecv, offerFormats(b.factory.options.PreferPCMA)
	b.offer, b.answered = l.bytes(), nil
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
	remote, err := parseRemote(answer, false)
	if err != nil {
		return b.reject(err)
	}
	formats, err := commonFormats(remote.formats, false)
	if err != nil {
		return b.reject(err)
	}
	if b.remote != nil {
		if b.remote.sameTransport(remote) {
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
		if remote.setup != "passive" {
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
	remote, err := parseRemote(offer, true)
	if err != nil {
		return nil, b.reject(err)
	}
	formats, err := commonFormats(remote.formats, b.factory.options.PreferPCMA)
	if err != nil {
		return nil, b.reject(err)
	}
	if err := b.applyOffer(remote); err != nil {
		return nil, err
	}
	if err := b.waitForCandidates(ctx); err != nil {
		return nil, err
	}
	formats = answerFormats(formats)
	var out []byte
	err = b.agree(remote, formats, func() {
		l := b.describe()
		l.setup, l.proto, l.mid, l.bundle = b.role, remote.proto, remote.mid, remote.bundle
		l.direction, l.formats = remote.direction.answer(), formats
		l.sections, l.audio = remote.sections, remote.audio
		out = l.bytes()
		b.theirOffer, b.answers = digest(offer), out
		b.answerCreated = true
		b.note("answer_created")
	})
	return bytes.Clone(out), err
}

// applyOffer brings the peer's transport parameters into use: at the first offer, and when it restarts ICE.
func (b *Bridge) applyOffer(remote *remoteSDP) error {
	first := b.remote == nil
	switch {
	case !first && b.remote.sameTransport(remote):
		return nil
	case !first && !b.remote.sameCertificate(remote):
		return b.fail(incompatible(codeFingerprintNew, "the peer's new offer has another certificate (a=fingerprint); "+
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
		b.role = params.setup
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
func (b *Bridge) agree(remote *remoteSDP, formats []format, record func()) error {
	codec, _ := media.CodecByName(formats[0].name)
	if err := b.stream.SetCodec(codec, formats[0].pt); err != nil {
		return fmt.Errorf("WebRTC: %w", err)
	}
	b.stream.SetSending(remote.direction.receives())
	b.mu.Lock()
	if b.isClosed {
		b.mu.Unlock()
		return media.ErrClosed
	}
	b.remote, b.formats = remote, formats
	b.addDescribed(remote)
	record()
	remote.sections = nil // a call lasts much longer than anybody needs them
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
func digest(sdp []byte) []byte {
	sum := sha256.Sum256(sdp)
	return sum[:]
}

func (b *Bridge) setParams(p localParams) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.params = p
}

// describe begins a description; the lock is held.
func (b *Bridge) describe() localSDP {
	b.version++
	full := b.factory.options.ICETrickleFullGather
	return localSDP{
		sessionID: b.sessionID, version: b.version, address: b.factory.address,
		ufrag: b.params.ufrag, pwd: b.params.pwd, fingerprint: b.factory.fingerprint,
		ssrc: b.stream.SSRC(), cname: b.stream.CNAME(),
		candidates: append([]candidate(nil), b.local...),
		trickle:    !full, complete: full || b.gathered,
	}
}

// answerFormats keeps one codec, and digits: with two, the peer could change between them as it likes.
func answerFormats(formats []format) []format {
	out := formats[:1:1]
	for _, f := range formats[1:] {
		if f.name == dtmfName {
			out = append(out, f)
		}
	}
	return out
}

// sameTransport tells whether r goes on with the same ICE and DTLS session.
func (r *remoteSDP) sameTransport(o *remoteSDP) bool {
	return r.ufrag == o.ufrag && r.pwd == o.pwd && r.sameCertificate(o)
}

func (r *remoteSDP) sameCertificate(o *remoteSDP) bool {
	return r.hash == o.hash && r.fingerprint == o.fingerprint
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
