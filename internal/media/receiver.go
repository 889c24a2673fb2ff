package media

import (
	"sync"
	"time"
)

// receiver is the receiving half of a Stream.
type receiver struct {
	tapper

	mu          sync.Mutex
	codec       Codec
	payloadType uint8
	packet      parsedPacket
	source      source
	recorder    *Recorder
	recorded    string // path of the last recording
	closed      bool

	packets, bytes, ignored, malformed uint64
	duplicated, reordered              uint64
	firstAt                            time.Time

	// The peer's last sender report (RFC 3550 6.4.1).
	srSeen bool
	srNTP  uint32
	srAt   time.Time
}

func (r *receiver) setCodec(codec Codec, payloadType uint8) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.codec, r.payloadType = codec, payloadType
}

func (r *receiver) setRecorder(recorder *Recorder) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recorder = recorder
}

func (r *receiver) setRecorded(path string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recorded = path
}

func (r *receiver) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.closeTaps()
}

// handle takes a datagram; it returns true for the first RTP packet of the stream.
func (r *receiver) handle(datagram []byte, at time.Time) (first bool) {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return false
	}
	if !r.packet.parse(datagram) {
		r.malformed++
		r.mu.Unlock()
		return false
	}
	header, payload := &r.packet.header, r.packet.payload
	seq := header.SequenceNumber
	meaning := r.source.update(header.SSRC, seq)
	first = r.firstAt.IsZero()
	if first {
		r.firstAt = at
	}
	codec := r.count(meaning, at)
	r.mu.Unlock()
	r.deliver(tapped{seq: seq, codec: codec, payload: payload, verdict: meaning})
	return first
}

// count takes the packet that was parsed into the figures and the recording. It returns its codec; none if it is not audio of ours.
func (r *receiver) count(meaning verdict, at time.Time) Codec {
	if meaning == suspect {
		r.malformed++
		return CodecNone
	}
	header, payload := &r.packet.header, r.packet.payload
	r.packets++
	r.bytes += uint64(len(payload))
	switch meaning {
	case duplicate:
		r.duplicated++
		return CodecNone
	case reordered:
		r.reordered++
	}
	codec, ok := r.codecOf(header.PayloadType)
	if !ok {
		r.ignored++
		return CodecNone
	}
	r.source.time(header.Timestamp, at)
	if r.recorder != nil {
		r.recorder.Received(codec, payload, header.Timestamp, at)
	}
	return codec
}

// codecOf returns how to decode a payload type: what was agreed upon first, then the static ones, which cannot mean anything else.
func (r *receiver) codecOf(payloadType uint8) (Codec, bool) {
	if r.codec != CodecNone && payloadType == r.payloadType {
		return r.codec, true
	}
	return CodecByPayloadType(payloadType)
}

// noteSR keeps the middle 32 bits of the NTP timestamp of a sender report, for our own reports.
func (r *receiver) noteSR(ssrc, ntp uint32, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.source.active && ssrc == r.source.ssrc {
		r.srSeen, r.srNTP, r.srAt = true, ntp, at
	}
}

// reportBlock returns what to report of the peer's packets; false if there were none.
func (r *receiver) reportBlock(now time.Time) (reportBlock, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.source.active {
		return reportBlock{}, false
	}
	block := reportBlock{
		ssrc: r.source.ssrc, fraction: r.source.intervalFraction(), lost: int32(max(-1<<23, min(r.source.lost(), 1<<23-1))),
		highest: r.source.extended(), jitter: uint32(r.source.jitter),
	}
	if r.srSeen {
		block.lastSR, block.delay = r.srNTP, ntpShort(now.Sub(r.srAt))
	}
	return block, true
}

// fill completes the figures of what was received.
func (r *receiver) fill(stats *Stats) {
	r.mu.Lock()
	defer r.mu.Unlock()
	stats.PacketsReceived, stats.BytesReceived = r.packets, r.bytes
	stats.Duplicated, stats.Reordered, stats.Ignored = r.duplicated, r.reordered, r.ignored
	stats.FirstRTPAt = r.firstAt
	if r.source.active {
		stats.PacketsLost = r.source.lost()
		fraction := r.source.fractionLost()
		stats.FractionLost = &fraction
	}
	if r.source.timings > 0 {
		jitter := r.source.jitter * 1000 / SampleRate
		stats.JitterMS = &jitter
	}
	stats.Recording = r.recorded
	if r.recorder != nil {
		stats.Recording = r.recorder.Path()
	}
}

func copyOf(value *float64) *float64 {
	if value == nil {
		return nil
	}
	copied := *value
	return &copied
}

// milliseconds returns nil for a duration that is not known, which is negative or zero.
func milliseconds(d time.Duration) *float64 {
	if d <= 0 {
		return nil
	}
	ms := float64(d) / float64(time.Millisecond)
	return &ms
}
