package webrtc

import (
	"net/netip"
	"strconv"
	"strings"
)

// dtmfName is the encoding name of digits in RTP (RFC 4733 2.4), in the case in which readFormats gives names.
const dtmfName = "TELEPHONE-EVENT"

// offeredDTMF is the payload type that we offer for digits; in answers it is the offerer's.
const offeredDTMF = 101

// localSDP is an offer or answer of ours.
type localSDP struct {
	sessionID, version uint64
	address            netip.Addr
	ufrag, pwd         string
	fingerprint        string // "sha-256 AB:CD:…"
	setup              string
	proto              string
	mid                string // empty: no a=mid
	bundle             bool
	direction          direction
	formats            []format
	ssrc               uint32
	cname              string
	candidates         []candidate
	trickle, complete  bool
	// sections are the m-lines of the offer that is answered, audio the index of ours among them; the others are refused
	// (RFC 3264 6). An offer has none.
	sections []section
	audio    int
}

// bytes renders the description.
func (l *localSDP) bytes() []byte {
	var b strings.Builder
	b.Grow(1024)
	family := "IP4"
	if l.address.Is6() {
		family = "IP6"
	}
	line := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(p)
		}
		b.WriteString("\r\n")
	}
	line("v=0")
	line("o=- ", strconv.FormatUint(l.sessionID, 10), " ", strconv.FormatUint(l.version, 10), " IN ", family, " ", l.address.String())
	line("s=-")
	line("t=0 0")
	if l.bundle && l.mid != "" {
		line("a=group:BUNDLE ", l.mid)
	}
	if l.trickle {
		line("a=ice-options:trickle")
	}
	if len(l.sections) == 0 {
		l.writeAudio(line)
	}
	for i, s := range l.sections {
		if i == l.audio {
			l.writeAudio(line)
			continue
		}
		line("m=", s.media, " 0 ", s.proto, " ", strings.Join(s.formats, " "))
		line("c=IN ", family, " ", l.address.String())
		if mid, ok := s.attr("mid"); ok && isToken(mid) {
			line("a=mid:", mid)
		}
		line("a=inactive")
	}
	return []byte(b.String())
}

func (l *localSDP) writeAudio(line func(...string)) {
	connection, port := defaultAddress(l.candidates)
	family := "IP4"
	if connection.Is6() {
		family = "IP6"
	}
	pts := make([]string, len(l.formats))
	for i, f := range l.formats {
		pts[i] = strconv.Itoa(int(f.pt))
	}
	line("m=audio ", strconv.Itoa(int(port)), " ", l.proto, " ", strings.Join(pts, " "))
	line("c=IN ", family, " ", connection.String())
	if l.mid != "" {
		line("a=mid:", l.mid)
	}
	line("a=", string(l.direction))
	line("a=rtcp-mux")
	line("a=setup:", l.setup)
	line("a=fingerprint:", l.fingerprint)
	line("a=ice-ufrag:", l.ufrag)
	line("a=ice-pwd:", l.pwd)
	for i, f := range l.formats {
		if f.name == dtmfName {
			line("a=rtpmap:", pts[i], " telephone-event/8000")
			line("a=fmtp:", pts[i], " 0-15")
			continue
		}
		line("a=rtpmap:", pts[i], " ", f.name, "/8000")
	}
	line("a=ptime:20")
	line("a=ssrc:", strconv.FormatUint(uint64(l.ssrc), 10), " cname:", l.cname)
	for _, c := range l.candidates {
		line("a=", c.String())
	}
	if l.complete {
		line("a=end-of-candidates")
	}
}

// defaultAddress chooses the candidate that most probably works for a peer without ICE (RFC 8839 4.2.1.2): relayed, then
// reflexive, then host. Without any it is what trickle ICE prescribes (RFC 8840 4.1.1). The c-line and the m-line carry it so that
// the check for ICE mismatch (RFC 8839 4.2.5) of SIP peers holds.
func defaultAddress(candidates []candidate) (netip.Addr, uint16) {
	rank := map[string]int{"relay": 3, "srflx": 2, "host": 1}
	best := -1
	for i, c := range candidates {
		if c.usable() && (best < 0 || rank[c.typ] > rank[candidates[best].typ]) {
			best = i
		}
	}
	if best < 0 {
		return netip.IPv4Unspecified(), 9
	}
	return candidates[best].addrPort().Addr(), candidates[best].port
}

// offerFormats are the formats of our offers, in order of preference.
func offerFormats(preferPCMA bool) []format {
	dtmf := format{offeredDTMF, dtmfName}
	if preferPCMA {
		return []format{{8, "PCMA"}, {0, "PCMU"}, dtmf}
	}
	return []format{{0, "PCMU"}, {8, "PCMA"}, dtmf}
}

// commonFormats picks from the peer's formats what we speak, in the peer's order, except that PCMA comes first if it is
// preferred; digits come last. It fails if there is no codec among them.
func commonFormats(remote []format, preferPCMA bool) ([]format, error) {
	var codecs, dtmf []format
	seen := map[string]bool{}
	for _, f := range remote {
		switch {
		case seen[f.name]:
		case f.name == "PCMA" && preferPCMA:
			codecs = append([]format{f}, codecs...)
		case f.name == "PCMA", f.name == "PCMU":
			codecs = append(codecs, f)
		case f.name == dtmfName:
			dtmf = append(dtmf, f)
		}
		seen[f.name] = true
	}
	if len(codecs) == 0 {
		return nil, incompatible(codeNoCommonCodec, "no common codec: the peer's m=audio has %s, we have PCMU and PCMA", formatNames(remote))
	}
	return append(codecs, dtmf...), nil
}

func formatNames(formats []format) string {
	if len(formats) == 0 {
		return "no codec that is known"
	}
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
		if f.name == "" || !isToken(f.name) {
			names[i] = "payload type " + strconv.Itoa(int(f.pt))
		}
	}
	return strings.Join(names, ", ")
}
