package sdp

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// maxCandidateLine bounds one candidate of the peer.
const maxCandidateLine = 512

// Candidate is one ICE candidate as it stands in SDP (RFC 8839 5.1), without "a=" and with the extensions dropped.
type Candidate struct {
	Foundation string
	Component  int    // 1 is RTP, 2 RTCP
	Protocol   string // lower case
	Priority   uint32
	Host       string // address or name
	Port       uint16
	Type       string // host, srflx, prflx or relay
	// Related is "raddr … rport …", or empty.
	Related string
	TCPType string // active, passive, so, or empty (RFC 6544 4.5)
	Ufrag   string // of the description that it belongs to; empty if not said
}

var errCandidate = errors.New("not a candidate line of RFC 8839 5.1")

// ParseCandidate reads "candidate:…" with or without "a=".
func ParseCandidate(line string) (Candidate, error) {
	line = strings.TrimSpace(line)
	if len(line) > maxCandidateLine {
		return Candidate{}, errCandidate
	}
	line = strings.TrimPrefix(strings.TrimPrefix(line, "a="), "candidate:")
	f := strings.Fields(line)
	if len(f) < 8 || !strings.EqualFold(f[6], "typ") {
		return Candidate{}, errCandidate
	}
	component, err1 := strconv.Atoi(f[1])
	priority, err2 := strconv.ParseUint(f[3], 10, 32)
	port, err3 := strconv.ParseUint(f[5], 10, 16)
	if err1 != nil || err2 != nil || err3 != nil || component < 1 || component > 256 {
		return Candidate{}, errCandidate
	}
	c := Candidate{
		Foundation: f[0], Component: component, Protocol: strings.ToLower(f[2]), Priority: uint32(priority),
		Host: f[4], Port: uint16(port), Type: strings.ToLower(f[7]),
	}
	if !isICEString(c.Foundation, 32) || !validCandidateHost(c.Host) {
		return Candidate{}, errCandidate
	}
	switch c.Type {
	case "host", "srflx", "prflx", "relay":
	default:
		return Candidate{}, errCandidate
	}
	return c, c.parseExtensions(f[8:])
}

func (c *Candidate) parseExtensions(f []string) error {
	var raddr, rport string
	for i := 0; i+1 < len(f); i += 2 {
		switch value := f[i+1]; f[i] {
		case "raddr":
			raddr = value
		case "rport":
			rport = value
		case "tcptype":
			c.TCPType = value
		case "ufrag":
			c.Ufrag = value
		}
	}
	if raddr != "" && rport != "" {
		if _, err := strconv.ParseUint(rport, 10, 16); err != nil || !validCandidateHost(raddr) {
			return errCandidate
		}
		c.Related = "raddr " + raddr + " rport " + rport
	}
	if c.TCPType != "" && c.TCPType != "active" && c.TCPType != "passive" && c.TCPType != "so" {
		return errCandidate
	}
	return nil
}

func validCandidateHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return ValidHostName(host)
}

// ValidHostName tells whether the text can be the name of a host: letters, digits, and what DNS and mDNS names have between them.
func ValidHostName(host string) bool {
	if host == "" || len(host) > 253 {
		return false
	}
	for _, c := range []byte(host) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_') {
			return false
		}
	}
	return true
}

// String returns the value of the attribute: "candidate:…". The ufrag extension is left out: it would only repeat the
// attribute of the description that the candidate stands in.
func (c Candidate) String() string {
	var b strings.Builder
	b.WriteString("candidate:" + c.Foundation + " " + strconv.Itoa(c.Component) + " " + c.Protocol + " ")
	b.WriteString(strconv.FormatUint(uint64(c.Priority), 10) + " " + c.Host + " " + strconv.Itoa(int(c.Port)) + " typ " + c.Type)
	if c.Related != "" {
		b.WriteString(" " + c.Related)
	}
	if c.TCPType != "" {
		b.WriteString(" tcptype " + c.TCPType)
	}
	return b.String()
}

// Usable tells whether a bridge can send to the candidate: RTP's component (RTCP shares it), UDP, an address. Names, which
// browsers put in place of addresses (mDNS), are not resolved: their checks arrive all the same.
func (c Candidate) Usable() bool {
	_, err := netip.ParseAddr(c.Host)
	return err == nil && c.Component == 1 && c.Protocol == "udp" && c.Port != 0
}

// AddrPort returns address and port; it is not valid if Host is a name.
func (c Candidate) AddrPort() netip.AddrPort {
	addr, err := netip.ParseAddr(c.Host)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(addr, c.Port)
}

// isICEString tells whether s consists of ice-char (RFC 8839 5.1) and is not too long.
func isICEString(s string, longest int) bool {
	if s == "" || len(s) > longest {
		return false
	}
	for _, c := range []byte(s) {
		// "-", "_" and "=" are not in the grammar, but some peers send them, and they do no harm.
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("+/-_=", c) >= 0) {
			return false
		}
	}
	return true
}
