package media

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/gossipper/gossipper/internal/outcome"
)

const (
	profileAVP  = "RTP/AVP"
	profileAVPF = "RTP/AVPF" // RFC 4585: the same packets, with feedback that needs not be sent
)

// Direction is who may send audio (RFC 4566 6), as the author of an SDP sees it.
type Direction uint8

// The directions; the zero value is what an SDP without any means.
const (
	SendRecv Direction = iota
	SendOnly
	RecvOnly
	Inactive
)

// String returns the attribute's name.
func (d Direction) String() string {
	switch d {
	case SendOnly:
		return "sendonly"
	case RecvOnly:
		return "recvonly"
	case Inactive:
		return "inactive"
	default:
		return "sendrecv"
	}
}

// Reverse returns what an answer says to it (RFC 3264 6.1).
func (d Direction) Reverse() Direction {
	switch d {
	case SendOnly:
		return RecvOnly
	case RecvOnly:
		return SendOnly
	default:
		return d
	}
}

// AudioFormat is a codec and the payload type that stands for it.
type AudioFormat struct {
	Codec       Codec
	PayloadType uint8
}

// AudioSDP is what an SDP says of its audio.
type AudioSDP struct {
	// Address is where RTP goes, RTCP where reports go; the IP address is unspecified in a call on hold (RFC 3264 8.4).
	Address, RTCP netip.AddrPort
	Profile       string
	// Formats are those of ours, in the order of the author's preference.
	Formats   []AudioFormat
	Direction Direction
	// PTime is the length of a packet in milliseconds, 0: not said.
	PTime int
	// SSRC is the source that the author announces (RFC 5576), 0: none.
	SSRC uint32
}

// Preferred returns the format to use: the author's first, or PCMA if that is preferred here and on offer.
func (s *AudioSDP) Preferred(preferPCMA bool) AudioFormat {
	if preferPCMA {
		for _, format := range s.Formats {
			if format.Codec == PCMA {
				return format
			}
		}
	}
	return s.Formats[0]
}

// SDPOptions are what BuildSDP writes.
type SDPOptions struct {
	// Address is where RTP is received; RTCP is received on the next port.
	Address netip.AddrPort
	// SessionID and Version identify the description (RFC 4566 5.2).
	SessionID, Version uint64
	Profile            string // empty: RTP/AVP
	Formats            []AudioFormat
	Direction          Direction
	SSRC               uint32
	CNAME              string
}

// BuildSDP returns a description of one audio stream.
func BuildSDP(o SDPOptions) []byte {
	family := "IP4"
	if o.Address.Addr().Is6() {
		family = "IP6"
	}
	profile := o.Profile
	if profile == "" {
		profile = profileAVP
	}
	var b strings.Builder
	fmt.Fprintf(&b, "v=0\r\no=gossipper %d %d IN %s %s\r\ns=-\r\nc=IN %[3]s %[4]s\r\nt=0 0\r\n", o.SessionID, o.Version, family, o.Address.Addr())
	fmt.Fprintf(&b, "m=audio %d %s", o.Address.Port(), profile)
	for _, format := range o.Formats {
		fmt.Fprintf(&b, " %d", format.PayloadType)
	}
	b.WriteString("\r\n")
	for _, format := range o.Formats {
		fmt.Fprintf(&b, "a=rtpmap:%d %s/%d\r\n", format.PayloadType, format.Codec, SampleRate)
	}
	fmt.Fprintf(&b, "a=ptime:20\r\na=%s\r\n", o.Direction)
	if o.SSRC != 0 {
		fmt.Fprintf(&b, "a=ssrc:%d cname:%s\r\n", o.SSRC, o.CNAME)
	}
	return []byte(b.String())
}

// ParseSDP returns what the SDP in body says of its first audio stream that is not refused. The body may be a multipart one that
// contains SDP. The error is an *outcome.Failure; what cannot be used with classic RTP is outcome.MediaIncompatible.
func ParseSDP(body []byte) (*AudioSDP, error) {
	if len(body) > maxSDP {
		return nil, sdpFailure("invalid_sdp", fmt.Sprintf("the peer's SDP has %d bytes, more than %d", len(body), maxSDP))
	}
	p := sdpParser{formats: make(map[uint8]Codec), refused: -1}
	for line := range strings.Lines(string(body)) {
		p.line(strings.TrimRight(line, "\r\n"))
	}
	return p.result()
}

func sdpFailure(code, reason string) *outcome.Failure {
	return &outcome.Failure{Outcome: outcome.MediaIncompatible, Stage: outcome.StageMedia, Code: code, Reason: reason}
}

// profileFailure explains both ways in which the profiles of the two sides can differ.
func profileFailure(profile string) *outcome.Failure {
	reason := fmt.Sprintf("the peer's SDP has profile %.40q, which is not that of classic RTP (%s)", profile, profileAVP)
	switch {
	case strings.HasPrefix(profile, "UDP/TLS/"):
		reason = fmt.Sprintf("the peer's SDP has profile %.40q, which is WebRTC's, and this call has classic RTP (%s): "+
			`use --media webrtc or webrtc="true" in the scenario, or have the peer speak plain RTP`, profile, profileAVP)
	case strings.Contains(profile, "SAVP"):
		reason = fmt.Sprintf("the peer's SDP has profile %.40q, which is SRTP with keys in the SDP, and this call has classic RTP (%s): "+
			"have the peer speak plain RTP", profile, profileAVP)
	}
	return sdpFailure("profile_mismatch", reason)
}

// number parses a decimal number without sign, up to most.
func number(text string, most uint64) (uint64, bool) {
	value, err := strconv.ParseUint(text, 10, 64)
	return value, err == nil && value <= most
}
