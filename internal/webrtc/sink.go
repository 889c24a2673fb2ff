package webrtc

import (
	"bytes"
	"io"
	"sync/atomic"

	"github.com/pion/transport/v4/packetio"
)

// maxSSRCs bounds the sources that a peer may send from, RTP and RTCP together. Pion keeps some memory for each as long as the call lasts,
// from the first packet on that claims to be of it.
const maxSSRCs = 1024

// sinkFor makes the buffers into which Pion writes decrypted packets hand them on at once.
//
// The usual way, a goroutine that reads each track and another for its RTCP, costs two goroutines a call and two more copies and wake-ups a
// packet. It also hides packets until Pion has found out which track they belong to, which it cannot for peers without a=ssrc.
func sinkFor(events peerEvents) func(packetio.BufferPacketType, uint32) io.ReadWriteCloser {
	rtcp := &rtcpSink{events: events}
	var sources atomic.Int32
	return func(kind packetio.BufferPacketType, _ uint32) io.ReadWriteCloser {
		if sources.Add(1) == maxSSRCs {
			events.onTooManySources()
		}
		if kind == packetio.RTCPBufferPacket {
			return rtcp
		}
		return rtpSink{events: events}
	}
}

type rtpSink struct{ events peerEvents }

func (s rtpSink) Write(packet []byte) (int, error) {
	s.events.onRTP(packet)
	return len(packet), nil
}

// Read makes Pion's own readers give up.
func (rtpSink) Read([]byte) (int, error) { return 0, io.EOF }
func (rtpSink) Close() error             { return nil }

// rtcpSink is one for all SSRCs of a peer. Pion writes a packet once for every SSRC that it names, one after the other from one goroutine; the
// repetitions are dropped.
type rtcpSink struct {
	events peerEvents
	last   []byte
}

func (s *rtcpSink) Write(packet []byte) (int, error) {
	if !bytes.Equal(packet, s.last) {
		s.last = append(s.last[:0], packet...)
		s.events.onRTCP(packet)
	}
	return len(packet), nil
}

func (*rtcpSink) Read([]byte) (int, error) { return 0, io.EOF }
func (*rtcpSink) Close() error             { return nil }
