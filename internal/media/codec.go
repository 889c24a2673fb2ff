package media

import (
	"strings"

	"github.com/gossipper/gossipper/internal/media/g711"
)

// Audio is sampled at 8 kHz and goes out in packets of 20 ms.
const (
	SampleRate = 8000
	// FrameSamples is the number of samples, and of G.711 bytes, in a packet.
	FrameSamples = 160
)

// Codec is one of the two laws of G.711.
type Codec uint8

// The codecs. The zero value means that none has been agreed upon.
const (
	CodecNone Codec = iota
	PCMU
	PCMA
)

// CodecByName returns the codec of an encoding name of SDP (RFC 3551 6), in any case.
func CodecByName(name string) (Codec, bool) {
	switch {
	case strings.EqualFold(name, "PCMU"):
		return PCMU, true
	case strings.EqualFold(name, "PCMA"):
		return PCMA, true
	default:
		return CodecNone, false
	}
}

// CodecByPayloadType returns the codec of a static payload type (RFC 3551 6).
func CodecByPayloadType(payloadType uint8) (Codec, bool) {
	switch payloadType {
	case 0:
		return PCMU, true
	case 8:
		return PCMA, true
	default:
		return CodecNone, false
	}
}

// String returns PCMU or PCMA, and nothing for CodecNone.
func (c Codec) String() string {
	switch c {
	case PCMU:
		return "PCMU"
	case PCMA:
		return "PCMA"
	default:
		return ""
	}
}

// PayloadType returns the static payload type (RFC 3551 6).
func (c Codec) PayloadType() uint8 {
	if c == PCMA {
		return 8
	}
	return 0
}

// Silence returns the byte that stands for a silent sample.
func (c Codec) Silence() byte {
	if c == PCMA {
		return 0xD5
	}
	return 0xFF
}

// Encode returns the sample in the codec's form.
func (c Codec) Encode(sample int16) byte {
	if c == PCMA {
		return g711.EncodeAlawFrame(sample)
	}
	return g711.EncodeUlawFrame(sample)
}

// Decode returns the sample that the byte stands for.
func (c Codec) Decode(code byte) int16 {
	if c == PCMA {
		return g711.DecodeAlawFrame(code)
	}
	return g711.DecodeUlawFrame(code)
}

// transcode writes payload, which is in codec from, to dst in codec c. dst has the length of payload.
func (c Codec) transcode(dst, payload []byte, from Codec) {
	switch {
	case c == from:
		copy(dst, payload)
	case c == PCMU:
		for i, code := range payload {
			dst[i] = g711.Alaw2UlawFrame(code)
		}
	default:
		for i, code := range payload {
			dst[i] = g711.Ulaw2AlawFrame(code)
		}
	}
}
