package media

import (
	"time"

	"github.com/pion/rtp"
)

// maxFrame is the longest payload that WriteFrame takes, in bytes: it fits a datagram on any path.
const maxFrame = 1200

// sender is the sending half of a Stream; the Stream's lock guards it.
type sender struct {
	header rtp.Header
	codec  Codec

	clip   *Clip
	pos    int // in the clip, in samples
	loops  int // times left to play it, -1: for ever
	paused bool

	sending  bool // the peer wants to receive
	filler   bool // silence is sent while nothing is played
	manual   bool // the caller writes the frames
	marker   bool // the next packet is the first after a gap (RFC 3551 4.1)
	recorder *Recorder

	packets, bytes uint64
	octets         uint32    // for RTCP, which wraps (RFC 3550 6.4.1)
	sentAt         time.Time // when the packet with timestamp sentTS left
	sentTS         uint32

	frame [maxFrame]byte
}

func (s *sender) play(clip *Clip, loops int) {
	if s.codec != CodecNone {
		clip.Encoded(s.codec) // here, and not when the pacer needs it
	}
	s.clip, s.pos, s.loops = clip, 0, loops
	s.paused, s.manual, s.marker = false, false, true
}

func (s *sender) resume() {
	if s.paused && s.clip != nil {
		s.marker = true
	}
	s.paused = false
}

func (s *sender) stop() { s.clip, s.paused = nil, false }

// tick sends the next packet, if there is one, and moves the clock on by steps packets.
func (s *sender) tick(writer PacketWriter, now time.Time, steps int) {
	if s.manual {
		return // writeFrame moves the clock
	}
	s.header.Timestamp += uint32(steps-1) * FrameSamples
	frame := s.frame[:FrameSamples]
	switch {
	case s.clip != nil && !s.paused:
		s.nextOfClip(frame)
		_ = s.write(writer, frame, now) // what the network refuses is lost, as on the way
	case s.filler:
		fill(frame, s.codec.Silence())
		_ = s.write(writer, frame, now)
	default:
		s.marker = true
	}
	s.header.Timestamp += FrameSamples
}

// nextOfClip takes the next frame from the clip. A clip that is looped goes on without a seam; the last frame is filled up with silence.
func (s *sender) nextOfClip(frame []byte) {
	data := s.clip.Encoded(s.codec)
	for done := 0; done < len(frame); {
		n := copy(frame[done:], data[s.pos:])
		done += n
		s.pos += n
		if s.pos < len(data) {
			continue
		}
		s.pos = 0
		if s.loops > 0 {
			s.loops--
		}
		if s.loops == 0 {
			s.clip = nil
			fill(frame[done:], s.codec.Silence())
			return
		}
	}
}

func (s *sender) writeFrame(writer PacketWriter, codec Codec, payload []byte, now time.Time) error {
	s.manual = true
	frame := s.frame[:len(payload)]
	s.codec.transcode(frame, payload, codec)
	err := s.write(writer, frame, now)
	s.header.Timestamp += uint32(len(payload))
	return err
}

func (s *sender) write(writer PacketWriter, payload []byte, now time.Time) error {
	if !s.sending {
		s.marker = true
		return nil
	}
	s.header.Marker = s.marker
	s.marker = false
	err := writer.WriteRTP(&s.header, payload)
	s.header.SequenceNumber++
	if err != nil {
		return err
	}
	s.sentAt, s.sentTS = now, s.header.Timestamp
	s.packets++
	s.bytes += uint64(len(payload))
	s.octets += uint32(len(payload))
	if s.recorder != nil {
		s.recorder.Sent(s.codec, payload, s.header.Timestamp, now)
	}
	return nil
}

func fill(frame []byte, with byte) {
	for i := range frame {
		frame[i] = with
	}
}

// Tick sends what is due. Only the pacer calls it.
func (s *Stream) Tick(now time.Time, steps int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.send.tick(s.writer, now, steps)
	if s.report.due(now) {
		s.sendReport(now, false)
		s.report.schedule(now, s.rand())
	}
}
