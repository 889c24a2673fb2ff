package sdp

import (
	"slices"
	"strconv"
	"strings"
)

// MaxCandidates bounds the candidates of one description; a peer's further ones are left out.
const MaxCandidates = 64

// Bounds on what else is read of a peer's SDP; maxSize is in bytes.
const (
	maxSize     = 64 << 10
	maxSections = 16
	maxFormats  = 64
)

// Direction of media (RFC 4566 6), seen from the one whose description it stands in.
type Direction string

// The directions.
const (
	SendRecv Direction = "sendrecv"
	SendOnly Direction = "sendonly"
	RecvOnly Direction = "recvonly"
	Inactive Direction = "inactive"
)

// Receives tells whether the one who says d wants to get media.
func (d Direction) Receives() bool { return d == SendRecv || d == RecvOnly }

// answer is the widest direction that may answer d.
func (d Direction) answer() Direction {
	switch d {
	case SendOnly:
		return RecvOnly
	case RecvOnly:
		return SendOnly
	default:
		return d
	}
}

// Format is one payload type of an m-line.
type Format struct {
	PT   uint8  // payload type, 0 to 127
	Name string // encoding name (RFC 4855 3), upper case; empty for a dynamic payload type without rtpmap
}

// section is one m-line with what its attributes say.
type section struct {
	media, proto string
	port         int
	formats      []string
	attributes   []attribute
}

type attribute struct{ key, value string }

func (s *section) attr(key string) (string, bool) {
	for _, a := range s.attributes {
		if a.key == key {
			return a.value, true
		}
	}
	return "", false
}

// Remote is what a bridge needs of a peer's offer or answer.
type Remote struct {
	// Audio is the index of the m-line that is used.
	Audio int
	// Mid is its media identification (RFC 5888 4), or empty.
	Mid string
	// Ufrag is the user name fragment of the peer's ICE session (RFC 8839 5.4).
	Ufrag string
	// Setup is the peer's role in DTLS (RFC 4145 4): active, passive, actpass, or empty.
	Setup string
	// Lite tells that the peer does no ICE checks of its own (RFC 8445 2.5).
	Lite bool
	// Direction is what the peer says of its own sending and receiving.
	Direction Direction
	// Formats are those of the m-line, in the peer's order.
	Formats []Format
	// Candidates are those that can be used; see Candidate.Usable.
	Candidates []Candidate

	sections    []section
	bundle      bool
	proto, pwd  string
	hash        string // lower case: sha-256
	fingerprint string // upper case
	ssrc        uint32
}

// Parse reads a peer's offer, or its answer, and refuses with an *outcome.Failure what cannot be used. It does not ask for a codec that
// we speak; see CommonFormats.
func Parse(body []byte, isOffer bool) (*Remote, error) {
	role := "answered"
	if isOffer {
		role = "offered"
	}
	session, sections, err := split(body)
	if err != nil {
		return nil, err
	}
	r := &Remote{sections: sections, Audio: -1}
	if err := r.chooseAudio(session, role); err != nil {
		return nil, err
	}
	if err := r.readTransport(session); err != nil {
		return nil, err
	}
	r.readAudio(session)
	r.detach()
	return r, nil
}

// DropSections frees what only AnswerTo needs.
func (r *Remote) DropSections() { r.sections = nil }

// detach copies what is kept for the call, so that the whole description is not kept with it.
func (r *Remote) detach() {
	keep := []*string{&r.Mid, &r.proto, &r.Ufrag, &r.pwd, &r.hash, &r.fingerprint, &r.Setup}
	for i := range r.Formats {
		keep = append(keep, &r.Formats[i].Name)
	}
	for i := range r.Candidates {
		c := &r.Candidates[i]
		keep = append(keep, &c.Foundation, &c.Protocol, &c.Host, &c.Type, &c.Related, &c.TCPType, &c.Ufrag)
	}
	n := 0
	for _, s := range keep {
		n += len(*s)
	}
	var all strings.Builder // one allocation for all
	all.Grow(n)
	for _, s := range keep {
		all.WriteString(*s)
	}
	rest := all.String()
	for _, s := range keep {
		*s, rest = rest[:len(*s)], rest[len(*s):]
	}
}

// split divides the body into the session part and the m-lines. It does not insist on the order of lines: RFC 4566 does,
// but nothing is gained by refusing what can be understood.
func split(body []byte) (*section, []section, error) {
	if len(body) > maxSize {
		return nil, nil, Incompatible(CodeInvalid, "the peer's SDP has %d bytes, more than the %d that are read", len(body), maxSize)
	}
	session := &section{}
	var sections []section
	current := session
	version := false
	for line := range strings.SplitSeq(string(body), "\n") {
		line = strings.TrimRight(line, "\r\t ")
		if len(line) < 2 || line[1] != '=' {
			continue
		}
		switch value := line[2:]; line[0] {
		case 'v':
			version = true
		case 'm':
			if len(sections) == maxSections {
				return nil, nil, Incompatible(CodeInvalid, "the peer's SDP has more than %d m-lines", maxSections)
			}
			s, ok := parseMediaLine(value)
			if !ok {
				return nil, nil, Incompatible(CodeInvalid, "the peer's SDP has a malformed m-line: %.80q", line)
			}
			sections = append(sections, s)
			current = &sections[len(sections)-1]
		case 'a':
			key, val, _ := strings.Cut(value, ":")
			current.attributes = append(current.attributes, attribute{key: strings.ToLower(key), value: strings.TrimSpace(val)})
		}
	}
	if !version {
		return nil, nil, Incompatible(CodeInvalid, "the peer's message body is not SDP: it has no v= line")
	}
	if len(sections) == 0 {
		return nil, nil, Incompatible(CodeInvalid, "the peer's SDP has no m-line")
	}
	return session, sections, nil
}

func parseMediaLine(value string) (section, bool) {
	f := strings.Fields(value)
	if len(f) < 4 || len(f)-3 > maxFormats {
		return section{}, false
	}
	portText, _, _ := strings.Cut(f[1], "/")
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || !isToken(f[0]) || !isToken(strings.ReplaceAll(f[2], "/", "")) {
		return section{}, false
	}
	for _, format := range f[3:] {
		if !isToken(format) {
			return section{}, false
		}
	}
	return section{media: strings.ToLower(f[0]), port: int(port), proto: f[2], formats: f[3:]}, true
}

// isToken tells whether s can stand in an m-line of ours (RFC 4566 9, token).
func isToken(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]`, c) >= 0 {
			return false
		}
	}
	return true
}

// chooseAudio finds the first audio m-line that can be used, or says what is wrong with the first audio m-line.
func (r *Remote) chooseAudio(session *section, role string) error {
	first := -1
	for i := range r.sections {
		s := &r.sections[i]
		if s.media != "audio" {
			continue
		}
		if first < 0 {
			first = i
		}
		if s.accepted() && secure(session, s) {
			r.Audio = i
			return nil
		}
	}
	if first < 0 {
		return Incompatible(CodeMediaRejected, "the peer %s no audio: its SDP has no m=audio line", role)
	}
	s := &r.sections[first]
	if !s.accepted() {
		return Incompatible(CodeMediaRejected, "the peer refused the audio: m=audio 0 in its SDP")
	}
	if _, sdes := s.attr("crypto"); sdes {
		return Incompatible(CodeProfileMismatch, "the peer %s SRTP with keys in SDP (%s, a=crypto), WebRTC needs DTLS-SRTP "+
			"(UDP/TLS/RTP/SAVPF with a=fingerprint); switch it to DTLS, or run this scenario with classic RTP", role, s.proto)
	}
	verb := "answered with plain RTP (" + s.proto + ") to a WebRTC offer"
	if role == "offered" {
		verb = "offered plain RTP (" + s.proto + ") to a WebRTC call"
	}
	return Incompatible(CodeProfileMismatch, "the peer %s: no a=fingerprint, so there are no keys; "+
		"enable WebRTC (DTLS-SRTP and ICE) at the peer, or run this scenario with classic RTP", verb)
}

// accepted tells whether the m-line is in use: port 0 refuses it, unless the port is that of its BUNDLE group (RFC 8843 6).
func (s *section) accepted() bool {
	_, bundleOnly := s.attr("bundle-only")
	return s.port != 0 || bundleOnly
}

// profiles that can mean DTLS-SRTP. The fingerprint decides, not the name: peers write RTP/SAVPF, RTP/SAVP, UDP/TLS/RTP/SAVP and
// even RTP/AVP, and mean the same.
var profiles = []string{"UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP", "RTP/AVPF", "RTP/AVP"}

// secure tells whether the m-line can carry DTLS-SRTP.
func secure(session, s *section) bool {
	_, inMedia := s.attr("fingerprint")
	_, inSession := session.attr("fingerprint")
	return slices.Contains(profiles, strings.ToUpper(s.proto)) && (inMedia || inSession)
}

// readTransport reads what ICE and DTLS need, from the m-line first and from the session part otherwise.
func (r *Remote) readTransport(session *section) error {
	s := &r.sections[r.Audio]
	get := func(key string) string {
		if v, ok := s.attr(key); ok {
			return v
		}
		v, _ := session.attr(key)
		return v
	}
	r.proto = s.proto
	r.Ufrag, r.pwd = get("ice-ufrag"), get("ice-pwd")
	if r.Ufrag == "" || r.pwd == "" {
		return Incompatible(CodeProfileMismatch, "the peer's SDP has DTLS-SRTP but no ICE (a=ice-ufrag and a=ice-pwd); WebRTC needs both")
	}
	if !isICEString(r.Ufrag, 256) || !isICEString(r.pwd, 256) {
		return Incompatible(CodeInvalid, "the peer's a=ice-ufrag or a=ice-pwd has characters that are not allowed (RFC 8839 5.4)")
	}
	r.readFingerprint(session, s)
	if r.hash == "" {
		return Incompatible(CodeInvalid, "the peer's a=fingerprint is malformed, or its hash is unknown (RFC 8122 5)")
	}
	switch setup := strings.ToLower(get("setup")); setup {
	case "active", "passive", "actpass":
		r.Setup = setup
	}
	_, r.Lite = session.attr("ice-lite")
	r.Mid, _ = s.attr("mid")
	if !isToken(r.Mid) {
		r.Mid = ""
	}
	r.bundle = slices.ContainsFunc(session.attributes, func(a attribute) bool {
		f := strings.Fields(a.value)
		return a.key == "group" && len(f) > 0 && f[0] == "BUNDLE"
	})
	return nil
}

// readFingerprint reads the certificate's fingerprint, from the m-line first. A certificate may be announced by several hashes; SHA-256
// is the one that everybody must support (RFC 8122 5).
func (r *Remote) readFingerprint(session, s *section) {
	from := s
	if _, ok := s.attr("fingerprint"); !ok {
		from = session
	}
	for _, a := range from.attributes {
		if a.key != "fingerprint" {
			continue
		}
		hash, value, ok := parseFingerprint(a.value)
		if ok && (r.hash == "" || hash == "sha-256" && r.hash != "sha-256") {
			r.hash, r.fingerprint = hash, value
		}
	}
}

// readAudio reads formats, direction, candidates and the first SSRC.
func (r *Remote) readAudio(session *section) {
	s := &r.sections[r.Audio]
	r.Direction = SendRecv
	for _, part := range []*section{session, s} {
		for _, a := range part.attributes {
			switch Direction(a.key) {
			case SendRecv:
				r.Direction = SendRecv
			case SendOnly:
				r.Direction = SendOnly
			case RecvOnly:
				r.Direction = RecvOnly
			case Inactive:
				r.Direction = Inactive
			}
		}
	}
	r.Formats = readFormats(s)
	for _, a := range s.attributes {
		switch a.key {
		case "candidate":
			c, err := ParseCandidate(a.value)
			if err == nil && c.Usable() && len(r.Candidates) < MaxCandidates {
				r.Candidates = append(r.Candidates, c)
			}
		case "ssrc":
			number, _, _ := strings.Cut(a.value, " ")
			if n, err := strconv.ParseUint(number, 10, 32); err == nil && r.ssrc == 0 {
				r.ssrc = uint32(n)
			}
		}
	}
}

// readFormats names the payload types: by rtpmap, or for 0 and 8 by their static meaning (RFC 3551 6).
func readFormats(s *section) []Format {
	names := map[uint8]string{0: "PCMU", 8: "PCMA"}
	for _, a := range s.attributes {
		if a.key != "rtpmap" {
			continue
		}
		ptText, encoding, _ := strings.Cut(a.value, " ")
		pt, err := strconv.ParseUint(ptText, 10, 7)
		if err != nil {
			continue
		}
		name, clock, _ := strings.Cut(strings.TrimSpace(encoding), "/")
		rate, channels, _ := strings.Cut(clock, "/")
		if rate != "8000" || channels != "" && channels != "1" {
			name = "" // telephone-event at 48 kHz belongs to Opus
		}
		names[uint8(pt)] = strings.ToUpper(name)
	}
	formats := make([]Format, 0, len(s.formats))
	for _, text := range s.formats {
		if pt, err := strconv.ParseUint(text, 10, 7); err == nil {
			formats = append(formats, Format{PT: uint8(pt), Name: names[uint8(pt)]})
		}
	}
	return formats
}
