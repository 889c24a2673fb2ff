package media

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"github.com/gossipper/gossipper/internal/outcome"
)

var _ MediaPipeline = (*Session)(nil)

// Session is a call's media as classic RTP over UDP (RFC 3550, RFC 3551), described by SDP offer and answer (RFC 3264). Sessions
// makes it.
type Session struct {
	owner   *Sessions
	call    PipelineOptions
	stream  *Stream
	remote  atomic.Pointer[AudioSDP] // nil: not known
	heard   atomic.Bool              // something came from the address in the peer's SDP
	closing sync.Once
	ended   chan struct{}
	err     error // of closing, to be read when ended is closed

	mu          sync.Mutex
	sockets     *socketPair
	closed      bool
	connectedAt time.Time

	id, version uint64
	offer       []byte // not answered yet
	offered     bool
	accepted    []byte // the peer's answer, or the SDP of SetRemote
	peerOffer   []byte
	answer      []byte // to peerOffer
}

func newSession(owner *Sessions, call PipelineOptions) *Session {
	s := &Session{owner: owner, call: call, ended: make(chan struct{}), id: uint64(owner.options.Rand())}
	s.stream = NewStream(StreamOptions{
		Pacer: owner.options.Pacer, Writer: &sessionWriter{session: s}, Rand: owner.options.Rand,
		NoIdleSilence: owner.options.NoIdleSilence,
		OnFirstPacket: func(at time.Time) { s.emit(Event{Type: EventFirstPacket, At: at}) },
	})
	return s
}

// attach gives the session its sockets; it returns false if the session is closed already.
func (s *Session) attach(sockets *socketPair) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.sockets = sockets
	if sockets != s.owner.shared {
		sockets.read(s.handle)
	}
	return true
}

func (s *Session) emit(event Event) {
	if s.call.OnEvent != nil {
		s.call.OnEvent(event)
	}
}

// Kind returns KindRTP.
func (s *Session) Kind() Kind { return KindRTP }

// CreateOffer returns the SDP to offer; see MediaPipeline.
func (s *Session) CreateOffer(context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	if s.offer == nil {
		s.offer = s.describe(profileAVP, s.formats(), SendRecv)
		s.offered = true
	}
	return bytes.Clone(s.offer), nil
}

func (s *Session) formats() []AudioFormat {
	formats := []AudioFormat{{PCMU, PCMU.PayloadType()}, {PCMA, PCMA.PayloadType()}}
	if s.owner.options.PreferPCMA {
		formats[0], formats[1] = formats[1], formats[0]
	}
	return formats
}

// describe returns the next version of our SDP.
func (s *Session) describe(profile string, formats []AudioFormat, direction Direction) []byte {
	s.version++
	return BuildSDP(SDPOptions{
		Address: s.endpoint(), SessionID: s.id, Version: s.version, Profile: profile, Formats: formats, Direction: direction,
		SSRC: s.stream.SSRC(), CNAME: s.stream.CNAME(),
	})
}

func (s *Session) endpoint() netip.AddrPort {
	return netip.AddrPortFrom(s.owner.options.Advertise, s.sockets.local.Port())
}

// Answer takes the peer's offer; see MediaPipeline.
func (s *Session) Answer(_ context.Context, offer []byte) ([]byte, error) {
	return s.change(func() ([]byte, *AudioSDP, error) {
		if s.answer != nil && bytes.Equal(offer, s.peerOffer) {
			return s.answer, nil, nil
		}
		remote, err := ParseSDP(offer)
		if err != nil {
			return nil, nil, err
		}
		format := remote.Preferred(s.owner.options.PreferPCMA)
		s.answer = s.describe(remote.Profile, []AudioFormat{format}, remote.Direction.Reverse())
		s.peerOffer = bytes.Clone(offer)
		return s.answer, remote, nil
	})
}

// AcceptAnswer takes the peer's answer; see MediaPipeline. An answer that differs from the one before it replaces it: a 183 and the
// 200 may come from different devices.
func (s *Session) AcceptAnswer(_ context.Context, answer []byte) error {
	_, err := s.change(func() ([]byte, *AudioSDP, error) {
		if !s.offered {
			return nil, nil, &outcome.Failure{
				Outcome: outcome.MediaFailed, Stage: outcome.StageMedia, Code: "no_offer",
				Reason: "an SDP answer came, and this call made no offer",
			}
		}
		if s.offer == nil && bytes.Equal(answer, s.accepted) {
			return nil, nil, nil
		}
		remote, err := ParseSDP(answer)
		if err != nil {
			return nil, nil, err
		}
		s.offer, s.accepted = nil, bytes.Clone(answer)
		return nil, remote, nil
	})
	return err
}

// SetRemote takes the peer's SDP; see MediaPipeline.
func (s *Session) SetRemote(sdp []byte) error {
	_, err := s.change(func() ([]byte, *AudioSDP, error) {
		if bytes.Equal(sdp, s.accepted) {
			return nil, nil, nil
		}
		remote, err := ParseSDP(sdp)
		if err != nil {
			return nil, nil, err
		}
		s.accepted = bytes.Clone(sdp)
		return nil, remote, nil
	})
	return err
}

// change runs a step of the negotiation, applies the peer's description if the step returns one, and tells when the path is up.
func (s *Session) change(step func() ([]byte, *AudioSDP, error)) ([]byte, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, ErrClosed
	}
	body, remote, err := step()
	connected := false
	if err == nil && remote != nil {
		connected, err = s.apply(remote)
	}
	at := s.connectedAt
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if connected {
		s.emit(Event{Type: EventConnected, At: at})
	}
	return bytes.Clone(body), nil
}

// apply makes the peer's description effective. It returns true the first time.
func (s *Session) apply(remote *AudioSDP) (connected bool, err error) {
	if remote.Address.Addr().Is4() != s.owner.options.IP.Is4() {
		return false, sdpFailure("address_family", fmt.Sprintf("the peer's SDP names %s, which cannot be reached from %s: one is IPv4, the other IPv6",
			remote.Address.Addr(), s.owner.options.IP))
	}
	format := remote.Preferred(s.owner.options.PreferPCMA)
	if err := s.stream.SetCodec(format.Codec, format.PayloadType); err != nil {
		return false, err
	}
	held := remote.Direction == SendOnly || remote.Direction == Inactive || remote.Address.Addr().IsUnspecified()
	s.stream.SetSending(!held)
	if old := s.remote.Swap(remote); old == nil || old.Address != remote.Address {
		s.heard.Store(false)
	}
	if s.owner.demux != nil {
		s.owner.demux.bind(s, remote)
	}
	if !s.connectedAt.IsZero() {
		return false, nil
	}
	s.connectedAt = time.Now()
	return true, s.stream.Ready()
}

// LocalEndpoint returns the address at which RTP is received.
func (s *Session) LocalEndpoint() (netip.AddrPort, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return netip.AddrPort{}, ErrClosed
	}
	return s.endpoint(), nil
}

// Play sends the clip; see MediaPipeline.
func (s *Session) Play(clip *Clip, loops int) error { return s.stream.Play(clip, loops) }

// Pause halts the clip.
func (s *Session) Pause() error { return s.stream.Pause() }

// Resume goes on where Pause halted.
func (s *Session) Resume() error { return s.stream.Resume() }

// Stop ends the clip.
func (s *Session) Stop() error { return s.stream.Stop() }

// StartRecording writes to a WAV file; see MediaPipeline.
func (s *Session) StartRecording(o RecordOptions) error { return s.stream.StartRecording(o) }

// StopRecording completes the file.
func (s *Session) StopRecording() error { return s.stream.StopRecording() }

// Stats returns the figures as they are now, or as they were at Close.
func (s *Session) Stats() Stats {
	stats := s.stream.Stats()
	stats.Kind = KindRTP
	s.mu.Lock()
	defer s.mu.Unlock()
	stats.ConnectedAt = s.connectedAt
	return stats
}

// Close says goodbye to the peer, completes the recording and frees the ports; see MediaPipeline.
func (s *Session) Close(ctx context.Context) error {
	s.closing.Do(func() {
		s.mu.Lock()
		s.closed = true
		sockets := s.sockets
		s.mu.Unlock()
		go s.shutDown(sockets) // Close waits for it, as often as it is called
	})
	select {
	case <-s.ended:
		return s.err
	case <-ctx.Done():
		return fmt.Errorf("closing the media of call %s: %w", s.call.CallID, ctx.Err())
	}
}

func (s *Session) shutDown(sockets *socketPair) {
	defer close(s.ended)
	s.err = s.stream.Close()
	if s.owner.demux != nil {
		s.owner.demux.unbind(s)
	} else if sockets != nil {
		sockets.close()
	}
	s.owner.forget(s)
}

// handle takes a datagram. Once something came from the address that the peer's SDP names, what comes from elsewhere is not of
// this call: of the one that had the port before it, for example.
func (s *Session) handle(datagram []byte, from netip.AddrPort, rtcp bool, at time.Time) {
	if remote := s.remote.Load(); remote != nil {
		switch {
		case from == remote.Address || from == remote.RTCP:
			s.heard.Store(true)
		case s.heard.Load():
			return
		}
	}
	if rtcp {
		s.stream.HandleRTCP(datagram, at)
		return
	}
	s.stream.HandleRTP(datagram, at)
}

// sessionWriter sends a session's packets. The Stream calls it from one goroutine at a time.
type sessionWriter struct {
	session *Session
	buffer  [maxFrame + 64]byte
}

// WriteRTP sends a packet to the address of the peer's SDP.
func (w *sessionWriter) WriteRTP(header *rtp.Header, payload []byte) error {
	remote := w.session.remote.Load()
	n, err := header.MarshalTo(w.buffer[:])
	if err != nil {
		return err
	}
	n += copy(w.buffer[n:], payload)
	_, err = w.session.sockets.rtp.WriteToUDPAddrPort(w.buffer[:n], remote.Address)
	return err
}

// WriteRTCP sends a report to the port that the peer's SDP names for it.
func (w *sessionWriter) WriteRTCP(packet []byte) error {
	remote := w.session.remote.Load()
	if remote.Address.Addr().IsUnspecified() {
		return nil
	}
	_, err := w.session.sockets.rtcp.WriteToUDPAddrPort(packet, remote.RTCP)
	return err
}
