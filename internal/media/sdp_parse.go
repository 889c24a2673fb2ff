package media

import (
	"math"
	"net/netip"
	"strings"
)

const (
	maxSDP     = 64 << 10 // bytes
	maxFormats = 128      // payload types of a stream: there are no more
)

// sdpParser collects what ParseSDP needs, line by line. It passes over what it does not know, as an SDP parser must.
type sdpParser struct {
	inAudio, done bool // in the audio stream that is used; after it
	inOther       bool // in another stream

	sessionAddress, audioAddress netip.Addr
	sessionHost, audioHost       string // where the address is not an IP address
	sessionDirection             Direction
	audioDirection               *Direction
	refused                      int // number of refused audio streams, -1: no audio at all

	port         uint16
	profile      string
	payloadTypes []uint8
	formats      map[uint8]Codec
	mapped       [maxFormats]bool // payload types with an rtpmap
	rtcpPort     uint16
	rtcpAddress  netip.Addr
	ptime        int
	ssrc         uint32
}

func (p *sdpParser) line(line string) {
	if len(line) < 2 || line[1] != '=' {
		return
	}
	value := line[2:]
	switch line[0] {
	case 'm':
		p.media(value)
	case 'c':
		p.connection(value)
	case 'a':
		p.attribute(value)
	}
}

// media takes "audio 4000 RTP/AVP 0 8".
func (p *sdpParser) media(value string) {
	if p.inAudio {
		p.done = true
	}
	p.inAudio, p.inOther = false, true
	fields := strings.Fields(value)
	if p.done || len(fields) < 4 || fields[0] != "audio" {
		return
	}
	text, _, _ := strings.Cut(fields[1], "/") // a number of ports may follow
	port, ok := number(text, math.MaxUint16)
	if !ok {
		return
	}
	if port == 0 {
		p.refused = max(p.refused, 0) + 1
		return
	}
	p.inAudio, p.inOther = true, false
	p.port, p.profile = uint16(port), fields[2]
	for _, field := range fields[3:] {
		if pt, ok := number(field, 127); ok && len(p.payloadTypes) < maxFormats {
			p.payloadTypes = append(p.payloadTypes, uint8(pt))
		}
	}
}

// connection takes "IN IP4 192.0.2.1" (RFC 4566 5.7). The first one counts.
func (p *sdpParser) connection(value string) {
	address, host := &p.sessionAddress, &p.sessionHost
	switch {
	case p.inAudio:
		address, host = &p.audioAddress, &p.audioHost
	case p.inOther || p.done:
		return
	}
	if address.IsValid() || *host != "" {
		return
	}
	fields := strings.Fields(value)
	if len(fields) < 3 || fields[0] != "IN" {
		return
	}
	text, _, _ := strings.Cut(fields[2], "/") // the TTL of a multicast address may follow
	parsed, err := netip.ParseAddr(text)
	if err != nil || parsed.Zone() != "" {
		*host = text
		return
	}
	*address = parsed.Unmap()
}

func (p *sdpParser) attribute(value string) {
	if p.inOther || p.done {
		return
	}
	name, argument, _ := strings.Cut(value, ":")
	for _, direction := range []Direction{SendRecv, SendOnly, RecvOnly, Inactive} {
		if name == direction.String() {
			p.direction(direction)
			return
		}
	}
	if !p.inAudio {
		return
	}
	switch name {
	case "rtpmap":
		p.rtpmap(argument)
	case "rtcp":
		p.rtcp(argument)
	case "ptime":
		if ms, ok := number(strings.TrimSpace(argument), 1000); ok {
			p.ptime = int(ms)
		}
	case "ssrc":
		text, _, _ := strings.Cut(argument, " ")
		if ssrc, ok := number(text, math.MaxUint32); ok && p.ssrc == 0 {
			p.ssrc = uint32(ssrc)
		}
	}
}

func (p *sdpParser) direction(direction Direction) {
	if p.inAudio {
		p.audioDirection = &direction
	} else {
		p.sessionDirection = direction
	}
}

// rtpmap takes "8 PCMA/8000" or "8 PCMA/8000/1".
func (p *sdpParser) rtpmap(argument string) {
	text, encoding, _ := strings.Cut(argument, " ")
	pt, ok := number(text, maxFormats-1)
	if !ok {
		return
	}
	p.mapped[pt] = true
	parts := strings.Split(strings.TrimSpace(encoding), "/")
	codec, known := CodecByName(parts[0])
	if known && len(parts) >= 2 && parts[1] == "8000" && (len(parts) == 2 || parts[2] == "1") {
		p.formats[uint8(pt)] = codec
	}
}

// rtcp takes "53020" or "53020 IN IP4 126.16.64.4" (RFC 3605).
func (p *sdpParser) rtcp(argument string) {
	fields := strings.Fields(argument)
	if len(fields) == 0 {
		return
	}
	port, ok := number(fields[0], math.MaxUint16)
	if !ok || port == 0 {
		return
	}
	p.rtcpPort = uint16(port)
	if len(fields) >= 4 {
		if address, err := netip.ParseAddr(fields[3]); err == nil && address.Zone() == "" {
			p.rtcpAddress = address.Unmap()
		}
	}
}

func (p *sdpParser) result() (*AudioSDP, error) {
	switch {
	case p.profile == "" && p.refused > 0:
		return nil, sdpFailure("audio_refused", "the peer refused the audio: its SDP has m=audio with port 0")
	case p.profile == "":
		return nil, sdpFailure("no_audio", "the peer's SDP has no audio: there is no m=audio line that can be used")
	case p.profile != profileAVP && p.profile != profileAVPF:
		return nil, profileFailure(p.profile)
	}
	address, host := p.audioAddress, p.audioHost
	if !address.IsValid() && host == "" {
		address, host = p.sessionAddress, p.sessionHost
	}
	if !address.IsValid() {
		if host != "" {
			return nil, sdpFailure("connection_not_ip", "the peer's SDP has a c= line without an IP address: host names are not looked up")
		}
		return nil, sdpFailure("no_connection", "the peer's SDP does not say where to send audio: it has no c= line")
	}
	sdp := &AudioSDP{
		Address: netip.AddrPortFrom(address, p.port), Profile: p.profile, Formats: p.usable(),
		Direction: p.sessionDirection, PTime: p.ptime, SSRC: p.ssrc,
	}
	if len(sdp.Formats) == 0 {
		return nil, sdpFailure("no_common_codec", "the peer's SDP has neither PCMU nor PCMA, and this call has no other codec")
	}
	if p.audioDirection != nil {
		sdp.Direction = *p.audioDirection
	}
	sdp.RTCP = p.rtcpEndpoint(address)
	return sdp, nil
}

// usable returns the formats of ours. A static payload type needs no rtpmap; one that maps it to something else wins.
func (p *sdpParser) usable() []AudioFormat {
	var formats []AudioFormat
	for _, pt := range p.payloadTypes {
		codec, ok := p.formats[pt]
		if !ok && !p.mapped[pt] {
			codec, ok = CodecByPayloadType(pt)
		}
		if ok {
			formats = append(formats, AudioFormat{Codec: codec, PayloadType: pt})
		}
	}
	return formats
}

func (p *sdpParser) rtcpEndpoint(address netip.Addr) netip.AddrPort {
	if p.rtcpAddress.IsValid() {
		address = p.rtcpAddress
	}
	switch {
	case p.rtcpPort != 0:
		return netip.AddrPortFrom(address, p.rtcpPort)
	case p.port == math.MaxUint16:
		return netip.AddrPortFrom(address, p.port) // there is no next port
	default:
		return netip.AddrPortFrom(address, p.port+1)
	}
}
