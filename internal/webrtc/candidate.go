package webrtc

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"github.com/gossipper/gossipper/internal/media"
)

// maxCandidateLine bounds one candidate of the peer.
const maxCandidateLine = 512

// candidate is one ICE candidate as it stands in SDP (RFC 8839 5.1), without "a=" and with the extensions dropped.
type candidate struct {
	foundation string
	component  int
	protocol   string // lower case
	priority   uint32
	host       string // address or name
	port       uint16
	typ        string
	// related is "raddr … rport …", or empty.
	related string
	tcpType string
	ufrag   string
}

var errCandidate = errors.New("not a candidate line of RFC 8839 5.1")

// parseCandidate reads "candidate:…" with or without "a=".
func parseCandidate(line string) (candidate, error) {
	line = strings.TrimSpace(line)
	if len(line) > maxCandidateLine {
		return candidate{}, errCandidate
	}
	line = strings.TrimPrefix(strings.TrimPrefix(line, "a="), "candidate:")
	f := strings.Fields(line)
	if len(f) < 8 || !strings.EqualFold(f[6], "typ") {
		return candidate{}, errCandidate
	}
	component, err1 := strconv.Atoi(f[1])
	priority, err2 := strconv.ParseUint(f[3], 10, 32)
	port, err3 := strconv.ParseUint(f[5], 10, 16)
	if err1 != nil || err2 != nil || err3 != nil || component < 1 || component > 256 {
		return candidate{}, errCandidate
	}
	c := candidate{
		foundation: f[0], component: component, protocol: strings.ToLower(f[2]), priority: uint32(priority),
		host: f[4], port: uint16(port), typ: strings.ToLower(f[7]),
	}
	if !isICEString(c.foundation, 32) || !validCandidateHost(c.host) {
		return candidate{}, errCandidate
	}
	switch c.typ {
	case "host", "srflx", "prflx", "relay":
	default:
		return candidate{}, errCandidate
	}
	return c, c.parseExtensions(f[8:])
}

func (c *candidate) parseExtensions(f []string) error {
	var raddr, rport string
	for i := 0; i+1 < len(f); i += 2 {
		switch value := f[i+1]; f[i] {
		case "raddr":
			raddr = value
		case "rport":
			rport = value
		case "tcptype":
			c.tcpType = value
		case "ufrag":
			c.ufrag = value
		}
	}
	if raddr != "" && rport != "" {
		if _, err := strconv.ParseUint(rport, 10, 16); err != nil || !validCandidateHost(raddr) {
			return errCandidate
		}
		c.related = "raddr " + raddr + " rport " + rport
	}
	if c.tcpType != "" && c.tcpType != "active" && c.tcpType != "passive" && c.tcpType != "so" {
		return errCandidate
	}
	return nil
}

func validCandidateHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return validHostName(host)
}

// String returns the value of the attribute: "candidate:…". The ufrag extension is left out: it would only repeat the
// attribute of the description that the candidate stands in.
func (c candidate) String() string {
	var b strings.Builder
	b.WriteString("candidate:" + c.foundation + " " + strconv.Itoa(c.component) + " " + c.protocol + " ")
	b.WriteString(strconv.FormatUint(uint64(c.priority), 10) + " " + c.host + " " + strconv.Itoa(int(c.port)) + " typ " + c.typ)
	if c.related != "" {
		b.WriteString(" " + c.related)
	}
	if c.tcpType != "" {
		b.WriteString(" tcptype " + c.tcpType)
	}
	return b.String()
}

// usable tells whether a bridge can send to the candidate: RTP's component (RTCP shares it), UDP, an address. Names, which
// browsers put in place of addresses (mDNS), are not resolved: their checks arrive all the same.
func (c candidate) usable() bool {
	_, err := netip.ParseAddr(c.host)
	return err == nil && c.component == 1 && c.protocol == "udp" && c.port != 0
}

func (c candidate) addrPort() netip.AddrPort {
	addr, err := netip.ParseAddr(c.host)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(addr, c.port)
}

// forStats leaves the ID to the caller.
func (c candidate) forStats() media.Candidate {
	return media.Candidate{Type: c.typ, Protocol: c.protocol, Address: c.addrPort()}
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
