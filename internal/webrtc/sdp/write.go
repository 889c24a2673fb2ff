package sdp

import (
	"net/netip"
	"strconv"
	"strings"
)

// dtmfName is the encoding name of digits in RTP (RFC 4733 2.4), in the case in which readFormats gives names.
const dtmfName = "TELEPHONE-EVENT"

// offeredDTMF is the payload type that we offer for digits; in answers it is the offerer's.
const offeredDTMF = 101

// Local is an offer or answer of ours.
type Local struct {
	// SessionID and Version stand in the o-line (RFC 4566 5.2); the version grows with every description of a session.
	SessionID, Version uint64
	// Address stands in the o-line.
	Address netip.Addr
	// Ufrag and Pwd are our ICE credentials (RFC 8839 5.4).
	Ufrag, Pwd string
	// Fingerprint is that of our certificate (RFC 8122 5): "sha-256 AB:CD:…".
	Fingerprint string
	// Setup is our role in DTLS (RFC 4145 4): active, passive or actpass.
	Setup string
	// Proto is the profile in the m-line: UDP/TLS/RTP/SAVPF.
	Proto string
	// Mid is the media identification (RFC 5888 4); empty: no a=mid.
	Mid string
	// Bundle puts the m-line into a BUNDLE group, if it has a Mid (RFC 8843).
	Bundle bool
	// Direction is that of our own sending and receiving.
	Direction Direction
	// Formats are in order of preference.
	Formats []Format
	// SSRC and CNAME are those of the packets that we send (RFC 5576 4.1).
	SSRC  uint32
	CNAME string
	// Candidates are those that are known so far.
	Candidates []Candidate
	// Trickle announces that candidates may follow (RFC 8840 4.1), Complete that none will (RFC 8840 8.2).
	Trickle, Complete bool

	// sections are the m-lines of the offer that is answered, audio the index of ours among them; the others are refused
	// (RFC 3264 6). An offer has none.
	sections []section
	audio    int
}

// AnswerTo makes the description an answer to the peer's offer: it gets as many m-lines (RFC 3264 6), the profile and the identification
// of the one that is used, and the widest direction that the offer allows. Setup and Formats are left to the caller.
func (l *Local) AnswerTo(offer *Remote) {
	l.Proto, l.Mid, l.Bundle = offer.proto, offer.Mid, offer.bundle
	l.Direction = offer.Direction.answer()
	l.sections, l.audio = offer.sections, offer.Audio
}

// Bytes renders the description.
func (l *Local) Bytes() []byte {
	var b strings.Builder
	b.Grow(1024)
	family := "IP4"
	if l.Address.Is6() {
		family = "IP6"
	}
	line := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(p)
		}
		b.WriteString("\r\n")
	}
	line("v=0")
	line("o=- ", strconv.FormatUint(l.SessionID, 10), " ", strconv.FormatUint(l.Version, 10), " IN ", family, " ", l.Address.String())
	line("s=-")
	line("t=0 0")
	if l.Bundle && l.Mid != "" {
		line("a=group:BUNDLE ", l.Mid)
	}
	if l.Trickle {
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
		line("c=IN ", family, " ", l.Address.String())
		if mid, ok := s.attr("mid"); ok && isToken(mid) {
			line("a=mid:", mid)
		}
		line("a=inactive")
	}
	return []byte(b.String())
}

func (l *Local) writeAudio(line func(...string)) {
	connection, port := defaultAddress(l.Candidates)
	family := "IP4"
	if connection.Is6() {
		family = "IP6"
	}
	pts := make([]string, len(l.Formats))
	for i, f := range l.Formats {
		pts[i] = strconv.Itoa(int(f.PT))
	}
	line("m=audio ", strconv.Itoa(int(port)), " ", l.Proto, " ", strings.Join(pts, " "))
	line("c=IN ", family, " ", connection.String())
	if l.Mid != "" {
		line("a=mid:", l.Mid)
	}
	line("a=", string(l.Direction))
	line("a=rtcp-mux")
	line("a=setup:", l.Setup)
	line("a=fingerprint:", l.Fingerprint)
	line("a=ice-ufrag:", l.Ufrag)
	line("a=ice-pwd:", l.Pwd)
	for i, f := range l.Formats {
		if f.Name == dtmfName {
			line("a=rtpmap:", pts[i], " telephone-event/8000")
			line("a=fmtp:", pts[i], " 0-15")
			continue
		}
		line("a=rtpmap:", pts[i], " ", f.Name, "/8000")
	}
	line("a=ptime:20")
	line("a=ssrc:", strconv.FormatUint(uint64(l.SSRC), 10), " cname:", l.CNAME)
	for _, c := range l.Candidates {
		line("a=", c.String())
	}
	if l.Complete {
		line("a=end-of-candidates")
	}
}

// defaultAddress chooses the candidate that most probably works for a peer without ICE (RFC 8839 4.2.1.2): relayed, then
// reflexive, then host. Without any it is what trickle ICE prescribes (RFC 8840 4.1.1). The c-line and the m-line carry it so that
// the check for ICE mismatch (RFC 8839 4.2.5) of SIP peers holds.
func defaultAddress(candidates []Candidate) (netip.Addr, uint16) {
	rank := map[string]int{"relay": 3, "srflx": 2, "host": 1}
	best := -1
	for i, c := range candidates {
		if c.Usable() && (best < 0 || rank[c.Type] > rank[candidates[best].Type]) {
			best = i
		}
	}
	if best < 0 {
		return netip.IPv4Unspecified(), 9
	}
	return candidates[best].AddrPort().Addr(), candidates[best].Port
}

// OfferFormats are the formats of our offers, in order of preference.
func OfferFormats(preferPCMA bool) []Format {
	dtmf := Format{offeredDTMF, dtmfName}
	if preferPCMA {
		return []Format{{8, "PCMA"}, {0, "PCMU"}, dtmf}
	}
	return []Format{{0, "PCMU"}, {8, "PCMA"}, dtmf}
}

// CommonFormats picks from the peer's formats what we speak, in the peer's order, except that PCMA comes first if it is
// preferred; digits come last. It fails with an
// *outcome.Failure if there is no codec among them.
func CommonFormats(remote []Format, preferPCMA bool) ([]Format, error) {
	var codecs, dtmf []Format
	seen := map[string]bool{}
	for _, f := range remote {
		switch {
		case seen[f.Name]:
		case f.Name == "PCMA" && preferPCMA:
			codecs = append([]Format{f}, codecs...)
		case f.Name == "PCMA", f.Name == "PCMU":
			codecs = append(codecs, f)
		case f.Name == dtmfName:
			dtmf = append(dtmf, f)
		}
		seen[f.Name] = true
	}
	if len(codecs) == 0 {
		return nil, Incompatible(CodeNoCommonCodec, "no common codec: the peer's m=audio has %s, we have PCMU and PCMA", formatNames(remote))
	}
	return append(codecs, dtmf...), nil
}

// AnswerFormats keeps one codec, and digits: with two, the peer could change between them as it likes.
func AnswerFormats(formats []Format) []Format {
	out := formats[:1:1]
	for _, f := range formats[1:] {
		if f.Name == dtmfName {
			out = append(out, f)
		}
	}
	return out
}

func formatNames(formats []Format) string {
	if len(formats) == 0 {
		return "no codec that is known"
	}
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.Name
		if f.Name == "" || !isToken(f.Name) {
			names[i] = "payload type " + strconv.Itoa(int(f.PT))
		}
	}
	return strings.Join(names, ", ")
}
