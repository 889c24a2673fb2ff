package media

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pion/rtp"
)

// Errors of a Stream, beside ErrClosed.
var (
	// ErrNotReady is returned by WriteFrame before the codec is agreed upon and the media path is up.
	ErrNotReady = errors.New("the media path is not up yet")
	// ErrPlaying is returned by WriteFrame while a clip is being played.
	ErrPlaying = errors.New("a clip is being played: stop it before writing frames")
)

// StreamOptions are what a Stream needs. Pacer and Writer are required.
type StreamOptions struct {
	Pacer  *Pacer
	Writer PacketWriter
	// Rand gives the SSRC, the first sequence number, the first timestamp and the RTCP intervals; nil: math/rand/v2.
	Rand func() uint32
	// SSRC is the source of what is sent; 0: a random one.
	SSRC uint32
	// NoIdleSilence stops the silence that is sent, as a phone would, while no clip is played.
	NoIdleSilence bool
	// OnFirstPacket is told when the first RTP packet arrived. It must not block.
	OnFirstPacket func(at time.Time)
}

// Stream is one audio stream both ways, whatever carries its packets: it plays clips, writes frames of the caller's own, counts and
// records what arrives, and reports to the peer through RTCP. The owner passes in what it receives, from one goroutine or more, and
// gives a PacketWriter for what is sent. All methods may be called from any goroutine.
type Stream struct {
	pacer   *Pacer
	writer  PacketWriter
	rand    func() uint32
	onFirst func(time.Time)
	cname   string

	mu     sync.Mutex // guards send, report and the life of the stream
	send   sender
	report reporter
	ready  bool
	closed bool

	recv receiver // has a lock of its own; taken after mu where both are held
}

// NewStream returns a stream that is idle until SetCodec and Ready.
func NewStream(o StreamOptions) *Stream {
	if o.Rand == nil {
		o.Rand = rand.Uint32
	}
	if o.SSRC == 0 {
		o.SSRC = o.Rand()
	}
	s := &Stream{pacer: o.Pacer, writer: o.Writer, rand: o.Rand, onFirst: o.OnFirstPacket, cname: newCNAME(o.Rand)}
	s.send = sender{
		header: rtp.Header{Version: 2, SSRC: o.SSRC, SequenceNumber: uint16(o.Rand()), Timestamp: o.Rand()},
		marker: true, filler: !o.NoIdleSilence, sending: true,
	}
	return s
}

// newCNAME makes a name that identifies the stream for its life only (RFC 7022 5: 96 random bits).
func newCNAME(random func() uint32) string {
	var bits [12]byte
	for i := 0; i < len(bits); i += 4 {
		binary.BigEndian.PutUint32(bits[i:], random())
	}
	return base64.StdEncoding.EncodeToString(bits[:])
}

// SetCodec says what was agreed upon: both directions use the codec, under this payload type.
func (s *Stream) SetCodec(codec Codec, payloadType uint8) error {
	if codec == CodecNone || payloadType > 127 {
		return fmt.Errorf("codec %q with payload type %d cannot be used", codec, payloadType)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if s.send.clip != nil {
		s.send.clip.Encoded(codec) // here, and not when the pacer needs it
	}
	s.send.codec = codec
	s.send.header.PayloadType = payloadType
	s.recv.setCodec(codec, payloadType)
	return nil
}

// SetSSRC changes the source of what is sent; it has no effect on what has been sent. It serves transports that choose the SSRC.
func (s *Stream) SetSSRC(ssrc uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.send.header.SSRC = ssrc
}

// SSRC returns the source of what is sent, and CNAME its name in RTCP.
func (s *Stream) SSRC() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.send.header.SSRC
}

// CNAME returns the canonical name of the stream's source (RFC 3550 6.5.1).
func (s *Stream) CNAME() string { return s.cname }

// SetSending tells whether audio may be sent: it may not while the peer has the call on hold. A clip goes on as if it were sent.
// Reports are sent all the same.
func (s *Stream) SetSending(sending bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.send.sending = sending
}

// Ready says that the media path is up. What Play asked for starts now. Called again it does nothing.
func (s *Stream) Ready() error {
	s.mu.Lock()
	switch {
	case s.closed:
		s.mu.Unlock()
		return ErrClosed
	case s.send.codec == CodecNone:
		s.mu.Unlock()
		return errors.New("the media path is up before a codec was agreed upon")
	case s.ready:
		s.mu.Unlock()
		return nil
	}
	s.ready = true
	s.report.schedule(time.Now(), s.rand())
	s.mu.Unlock()
	s.pacer.Add(s)
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed { // while it was being added
		s.pacer.Remove(s)
		return ErrClosed
	}
	return nil
}

// Play sends the clip, loops times (-1: for ever), in place of what was being sent; see MediaPipeline.
func (s *Stream) Play(clip *Clip, loops int) error {
	if clip == nil || len(clip.pcm) == 0 {
		return errors.New("there is no audio to play")
	}
	if loops == 0 || loops < -1 {
		return fmt.Errorf("a clip can be played 1 time or more, or for ever (-1), not %d times", loops)
	}
	return s.control(func(send *sender) { send.play(clip, loops) })
}

// Pause halts the clip.
func (s *Stream) Pause() error { return s.control(func(send *sender) { send.paused = true }) }

// Resume goes on where Pause halted.
func (s *Stream) Resume() error { return s.control((*sender).resume) }

// Stop ends the clip.
func (s *Stream) Stop() error { return s.control((*sender).stop) }

func (s *Stream) control(do func(*sender)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	do(&s.send)
	return nil
}

// WriteFrame sends a payload of the caller's own, at once, in the codec that was agreed upon: it is transcoded if need be. The
// caller keeps the pace; from its first frame on no silence is sent, until something is played. It returns ErrNotReady or ErrPlaying
// if it cannot be sent now.
func (s *Stream) WriteFrame(codec Codec, payload []byte) error {
	if codec == CodecNone || len(payload) == 0 || len(payload) > maxFrame {
		return fmt.Errorf("a frame has 1 to %d bytes of PCMU or PCMA: got %d bytes of %q", maxFrame, len(payload), codec)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return ErrClosed
	case !s.ready:
		return ErrNotReady
	case s.send.clip != nil:
		return ErrPlaying
	}
	return s.send.writeFrame(s.writer, codec, payload, time.Now())
}

// HandleRTP takes a datagram with an RTP packet that arrived at the given time. What is not RTP is counted and dropped.
func (s *Stream) HandleRTP(packet []byte, at time.Time) {
	if first := s.recv.handle(packet, at); first && s.onFirst != nil {
		s.onFirst(at)
	}
}

// Tap has the function called with the payload of every audio packet received, in the order of their sequence numbers, each once;
// a packet that is late by more than a few others is left out. The payload is reused when it returns. The function may call WriteFrame,
// but must not close the Stream or remove a tap. It is not called any more after the returned function, and after Close.
func (s *Stream) Tap(tap func(codec Codec, payload []byte)) (remove func(), err error) {
	return s.recv.addTap(tap)
}

// StartRecording writes what is received (and sent, if stereo) to a WAV file, from the first packet on. The file is made then.
func (s *Stream) StartRecording(o RecordOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if s.send.recorder != nil {
		return fmt.Errorf("a recording to %s is already going on: stop it first", s.send.recorder.path)
	}
	recorder, err := NewRecorder(o)
	if err != nil {
		return err
	}
	s.send.recorder = recorder
	s.recv.setRecorder(recorder)
	return nil
}

// StopRecording completes the file and waits until it is written. Without a recording it does nothing.
func (s *Stream) StopRecording() error {
	s.mu.Lock()
	closed := s.closed
	recorder := s.detachRecorder()
	s.mu.Unlock()
	if closed {
		return ErrClosed
	}
	return s.finishRecording(recorder)
}

func (s *Stream) detachRecorder() *Recorder {
	recorder := s.send.recorder
	s.send.recorder = nil
	s.recv.setRecorder(nil)
	return recorder
}

func (s *Stream) finishRecording(recorder *Recorder) error {
	if recorder == nil {
		return nil
	}
	err := recorder.Close()
	if path := recorder.Path(); path != "" {
		s.recv.setRecorded(path)
	}
	return err
}

// Close ends the stream: it says goodbye to the peer (RTCP BYE), completes the recording and waits for it. It can be called
// again. The owner keeps the writer working until Close returns.
func (s *Stream) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	ready := s.ready
	recorder := s.detachRecorder()
	s.mu.Unlock()
	if ready {
		s.pacer.Remove(s)
		s.mu.Lock()
		s.sendReport(time.Now(), true)
		s.mu.Unlock()
	}
	s.recv.close()
	return s.finishRecording(recorder)
}

// Stats returns the figures as they are now, or as they were at Close. Kind, ConnectedAt and WebRTC are left to the owner.
func (s *Stream) Stats() Stats {
	s.mu.Lock()
	stats := Stats{
		Codec: s.send.codec.String(), PacketsSent: s.send.packets, BytesSent: s.send.bytes,
		RTTMS: milliseconds(s.report.rtt), RemoteFractionLost: copyOf(s.report.remoteLost), RemoteJitterMS: copyOf(s.report.remoteJitter),
	}
	s.mu.Unlock()
	s.recv.fill(&stats)
	return stats
}
