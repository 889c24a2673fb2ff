package webrtc

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pion/rtp"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/outcome"
)

// BridgeOptions are what a bridge learns of its call. The zero value is usable.
type BridgeOptions struct {
	// OnEvent is told what happens to the media. It is called from any goroutine, must not block and must not call the bridge.
	OnEvent func(media.Event)
	// IdleSilence sends silence while nothing is played or written, as a phone does.
	IdleSilence bool
}

// Bridge is one WebRTC peer with one audio stream both ways: it makes an offer or an answer, connects, and carries G.711.
// All methods may be called from any goroutine.
type Bridge struct {
	factory *Factory
	id      string
	onEvent func(media.Event)
	stream  *media.Stream

	// negotiation is held by the one offer or answer that is being made. It is a channel so that waiting for it ends with a context.
	negotiation chan struct{}
	// gather is signalled when a candidate was found and when gathering ended.
	gather chan struct{}
	// closing is closed when Close begins, closed when it has ended.
	closing, closed chan struct{}
	closeErr        error // set before closed is closed

	mu sync.Mutex // guards what follows
	negotiated
	candidates
	diagnostics
	peer         peer
	branch       *branch // the peer's way to tell us something; nil while it is replaced
	branches     int     // so far
	isClosed     bool
	failure      *outcome.Failure
	connectTimer *time.Timer
}

func newBridge(f *Factory, o BridgeOptions) *Bridge {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	b := &Bridge{
		factory: f, id: hex.EncodeToString(random[:8]), onEvent: o.OnEvent,
		negotiation: make(chan struct{}, 1), gather: make(chan struct{}, 1),
		closing: make(chan struct{}), closed: make(chan struct{}),
	}
	// Some peers read the session id as a signed number of 64 bits.
	b.sessionID = binary.BigEndian.Uint64(random[8:]) >> 2
	b.diagnostics.init()
	b.stream = media.NewStream(media.StreamOptions{
		Pacer: f.pacer, Writer: bridgeWriter{b}, NoIdleSilence: !o.IdleSilence,
		OnFirstPacket: func(at time.Time) { b.emit(media.Event{Type: media.EventFirstPacket, At: at}) },
	})
	return b
}

// ID identifies the bridge in records and logs.
func (b *Bridge) ID() string { return b.id }

// begin waits for its turn to negotiate; the returned function ends it.
func (b *Bridge) begin(ctx context.Context) (func(), error) {
	select {
	case b.negotiation <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("WebRTC: waiting for an earlier offer or answer: %w", ctx.Err())
	case <-b.closing:
		return nil, media.ErrClosed
	}
	end := func() { <-b.negotiation }
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.isClosed:
		end()
		return nil, media.ErrClosed
	case b.failure != nil:
		end()
		return nil, b.failure
	}
	return end, nil
}

// startPeer makes the peer, with TURN credentials as fresh as can be. If there was a peer before, again is what was offered for it.
func (b *Bridge) startPeer(again *offered) (peer, error) {
	f := b.factory
	now := time.Now()
	servers := f.options.authorize(f.servers, now)
	b.mu.Lock()
	b.noteServers(servers)
	b.gatherStarted = now
	b.note("gathering")
	events := &branch{b}
	b.branch = events
	b.branches++
	b.mu.Unlock()
	p, err := f.newPeer(events, peerConfig{servers: servers, policy: f.options.ICEPolicy, again: again})
	if err != nil {
		return nil, b.fail(broken(outcome.StageGather, codePeerFailed, err, "the WebRTC peer cannot be created: %v", err))
	}
	b.mu.Lock()
	if b.isClosed {
		b.mu.Unlock()
		_ = p.close()
		return nil, media.ErrClosed
	}
	b.peer = p
	b.mu.Unlock()
	return p, nil
}

// fail records the first failure, tells the call of it, and returns it.
func (b *Bridge) fail(f *outcome.Failure) *outcome.Failure {
	now := time.Now()
	b.mu.Lock()
	if b.isClosed || b.failure != nil {
		if b.failure != nil {
			f = b.failure
		}
		b.mu.Unlock()
		return f
	}
	b.failure = f
	b.note("failed " + f.Code)
	b.stopConnectTimer()
	b.mu.Unlock()
	b.factory.options.Logger.Info("WebRTC media failed", "pc_id", b.id, "stage", f.Stage.String(), "code", f.Code, "reason", f.Reason)
	b.emit(media.Event{Type: media.EventFailed, At: now, Failure: f})
	return f
}

// breakDown is fail where nobody waits for the error.
func (b *Bridge) breakDown(f *outcome.Failure) { _ = b.fail(f) }

func (b *Bridge) emit(e media.Event) {
	if b.onEvent != nil {
		b.onEvent(e)
	}
}

// WritePCMA sends A-law audio: 160 bytes are 20 ms. It is transcoded if PCMU was negotiated. Until the media path is up it returns
// media.ErrNotReady, while a clip is played media.ErrPlaying.
func (b *Bridge) WritePCMA(payload []byte) error { return b.stream.WriteFrame(media.PCMA, payload) }

// WritePCMU is WritePCMA for µ-law audio.
func (b *Bridge) WritePCMU(payload []byte) error { return b.stream.WriteFrame(media.PCMU, payload) }

// OnPCMA has f called with the payload of every audio packet, in order, with the codec that it is in (PCMA or PCMU). There may be
// several such functions; none is called after Close. The payload is reused when f returns, and f must not call the bridge.
func (b *Bridge) OnPCMA(f func(payload []byte, codec media.Codec)) error {
	_, err := b.stream.Tap(func(codec media.Codec, payload []byte) { f(payload, codec) })
	return err
}

// Close ends the media, says goodbye to the peer and frees everything. It waits until that is done or the context ends; in the latter
// case it goes on by itself, and Factory.Close waits for it. It can be called again.
func (b *Bridge) Close(ctx context.Context) error {
	b.snapshotPair()
	b.mu.Lock()
	first := !b.isClosed
	if first {
		b.note("closed")
		b.isClosed = true
		b.stopConnectTimer()
		close(b.closing)
	}
	b.mu.Unlock()
	if first {
		go b.shutDown()
	}
	select {
	case <-b.closed:
		return b.closeErr
	case <-ctx.Done():
		return fmt.Errorf("WebRTC: closing the peer: %w", ctx.Err())
	}
}

// shutDown first waits for the offer or answer that is being made, which Close interrupts: it may have just made a peer.
func (b *Bridge) shutDown() {
	b.negotiation <- struct{}{}
	p := b.currentPeer()
	errs := []error{b.stream.Close()}
	if p != nil {
		errs = append(errs, p.close())
	}
	b.closeErr = errors.Join(errs...)
	close(b.closed)
	b.factory.forget(b)
}

// bridgeWriter carries the packets of the stream.
type bridgeWriter struct{ b *Bridge }

func (w bridgeWriter) WriteRTP(header *rtp.Header, payload []byte) error {
	p := w.b.currentPeer()
	if p == nil {
		return media.ErrNotReady
	}
	_, err := p.writeRTP(header, payload)
	return err
}

func (w bridgeWriter) WriteRTCP(packet []byte) error {
	p := w.b.currentPeer()
	if p == nil {
		return media.ErrNotReady
	}
	_, err := p.writeRTCP(packet)
	return err
}

func (b *Bridge) currentPeer() peer {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.peer
}
