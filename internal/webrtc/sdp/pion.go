package sdp

import (
	"strconv"
	"strings"
)

// placeholderSSRC stands in descriptions for Pion where the peer announced no SSRC.
const placeholderSSRC = 1

// ForPion writes the peer's description in the one shape that Pion sees: a single audio section, always with mid, BUNDLE,
// sendrecv and both G.711 codecs.
//
// Nothing that the peer says about codecs, direction, hold or other m-lines reaches Pion: Pion would reject an offer without
// mid, answer port 0 to one without BUNDLE, ignore one without direction, and stop a transceiver for good when the call is put on hold.
// An SSRC is always declared: for undeclared ones Pion would add a transceiver each, but a section with an SSRC of its own stops it.
func (r *Remote) ForPion() string {
	var b strings.Builder
	b.Grow(512 + 96*len(r.Candidates))
	b.WriteString("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n")
	if r.Lite {
		b.WriteString("a=ice-lite\r\n")
	}
	b.WriteString("m=audio 9 UDP/TLS/RTP/SAVPF 0 8\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\n")
	b.WriteString("a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n")
	if r.Setup != "" {
		b.WriteString("a=setup:" + r.Setup + "\r\n")
	}
	b.WriteString("a=ice-ufrag:" + r.Ufrag + "\r\na=ice-pwd:" + r.pwd + "\r\n")
	b.WriteString("a=fingerprint:" + r.hash + " " + r.fingerprint + "\r\n")
	ssrc := r.ssrc
	if ssrc == 0 {
		ssrc = placeholderSSRC
	}
	b.WriteString("a=ssrc:" + strconv.FormatUint(uint64(ssrc), 10) + " cname:peer\r\n")
	for _, c := range r.Candidates {
		b.WriteString("a=" + c.String() + "\r\n")
	}
	return b.String()
}

// LocalParams are what Pion's own description says and ours needs.
type LocalParams struct {
	Ufrag, Pwd string // ICE credentials (RFC 8839 5.4)
	Setup      string // role in DTLS (RFC 4145 4)
	SSRC       uint32 // of the packets that we send
}

// ReadPion takes the parameters from a description that Pion wrote.
func ReadPion(sdp string) LocalParams {
	var p LocalParams
	for line := range strings.SplitSeq(sdp, "\r\n") {
		key, value, _ := strings.Cut(line, ":")
		switch key {
		case "a=ice-ufrag":
			p.Ufrag = value
		case "a=ice-pwd":
			p.Pwd = value
		case "a=setup":
			p.Setup = value
		case "a=ssrc":
			number, _, _ := strings.Cut(value, " ")
			if n, err := strconv.ParseUint(number, 10, 32); err == nil {
				p.SSRC = uint32(n)
			}
		}
	}
	return p
}
