package profile

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// ICEServer is the URL of a STUN or TURN server (RFC 7064, RFC 7065), which may hold a password: turn:alice:secret@host. Like a
// Secret it is never shown whole.
type ICEServer struct{ url *string }

// NewICEServer returns the server with the URL text, which is not checked.
func NewICEServer(text string) ICEServer { return ICEServer{&text} }

// Reveal returns the URL with its password. Its result must not reach an error, a log or a file.
func (s ICEServer) Reveal() string {
	if s.url == nil {
		return ""
	}
	return *s.url
}

// String returns the URL with the password masked.
func (s ICEServer) String() string {
	text := s.Reveal()
	// The last @ ends the credentials, so that a password with @ in it is masked whole. Without a known scheme the text is not a
	// URL, and anything in front of the @ may be a password.
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return maskPort(text)
	}
	scheme, rest, _ := strings.Cut(text[:at], ":")
	if !isICEScheme(scheme) {
		return mask + text[at:]
	}
	user, _, found := strings.Cut(rest, ":")
	if !found {
		// One word before the @: a user without a password, or a password without a user.
		return scheme + ":" + mask + text[at:]
	}
	return scheme + ":" + user + ":" + mask + text[at:]
}

// maskPort masks what stands where the port should, if it is no number: turn:alice:secret, whose @HOST was forgotten.
func maskPort(text string) string {
	scheme, rest, _ := strings.Cut(text, ":")
	address, query, hasQuery := strings.Cut(rest, "?")
	colon := strings.LastIndexByte(address, ':')
	if !isICEScheme(scheme) || colon < 0 || strings.HasSuffix(address, "]") {
		return text
	}
	if _, err := strconv.ParseUint(address[colon+1:], 10, 64); err == nil {
		return text
	}
	masked := scheme + ":" + address[:strings.IndexByte(address, ':')+1] + mask
	if hasQuery {
		masked += "?" + query
	}
	return masked
}

// GoString returns String in quotes, for %#v.
func (s ICEServer) GoString() string { return strconv.Quote(s.String()) }

// Format prints String for every verb: without it a wrong verb would print the value beneath.
func (s ICEServer) Format(f fmt.State, verb rune) { formatMasked(f, verb, s.String()) }

// MarshalText returns String, for JSON and other encodings.
func (s ICEServer) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML returns String.
func (s ICEServer) MarshalYAML() (any, error) { return s.String(), nil }

// LogValue returns String, for log/slog.
func (s ICEServer) LogValue() slog.Value { return slog.StringValue(s.String()) }

// IsTURN tells whether it is a TURN server, from the scheme alone.
func (s ICEServer) IsTURN() bool {
	scheme, _, _ := strings.Cut(s.Reveal(), ":")
	return scheme == "turn" || scheme == "turns"
}

// hasCredentials tells whether user and password stand in the URL.
func (s ICEServer) hasCredentials() bool { return strings.Contains(s.Reveal(), "@") }

func isICEScheme(scheme string) bool {
	switch scheme {
	case "stun", "stuns", "turn", "turns":
		return true
	default:
		return false
	}
}

// check returns what is wrong with the form of the URL. The error shows nothing that stands before an @.
func (s ICEServer) check() error {
	scheme, rest, found := strings.Cut(s.Reveal(), ":")
	if !found || !isICEScheme(scheme) {
		return fmt.Errorf("%q is not the URL of a STUN or TURN server: write stun:HOST, stuns:HOST, turn:HOST or turns:HOST", s.String())
	}
	if strings.HasPrefix(rest, "//") {
		return fmt.Errorf("%q: write %s:HOST, without // (RFC 7064, RFC 7065)", s.String(), scheme)
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		if err := s.checkCredentials(scheme, rest[:at]); err != nil {
			return err
		}
		rest = rest[at+1:]
	}
	address, query, hasQuery := strings.Cut(rest, "?")
	if err := checkHostPort(address); err != nil {
		return fmt.Errorf("%q: %w", s.String(), err)
	}
	if hasQuery {
		return s.checkQuery(scheme, query)
	}
	return nil
}

func (s ICEServer) checkCredentials(scheme, credentials string) error {
	if !s.IsTURN() {
		return fmt.Errorf("%q: a STUN server takes no credentials; remove them, or write turn: if it is a TURN server", s.String())
	}
	user, password, found := strings.Cut(credentials, ":")
	if !found || user == "" || password == "" {
		return fmt.Errorf("%q: credentials in a URL are written %s:USER:PASSWORD@HOST", s.String(), scheme)
	}
	return nil
}

func (s ICEServer) checkQuery(scheme, query string) error {
	if !s.IsTURN() {
		return fmt.Errorf("%q: a %s: URL has nothing after the port", s.String(), scheme)
	}
	if query != "transport=udp" && query != "transport=tcp" {
		return fmt.Errorf("%q: after the ? only transport=udp or transport=tcp can stand", s.String())
	}
	return nil
}

// checkHostPort checks HOST or HOST:PORT, where an IPv6 address is in brackets.
func checkHostPort(address string) error {
	host, port := address, ""
	if strings.HasPrefix(address, "[") || strings.Contains(address, ":") {
		var err error
		if strings.HasSuffix(address, "]") {
			host = address
		} else if host, port, err = net.SplitHostPort(address); err != nil {
			return errors.New("an IPv6 address is written in brackets, a port after one colon: [2001:db8::1]:3478")
		} else if err = checkPort(port); err != nil {
			return err
		} else if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
	}
	return checkHost(host)
}

// checkHost checks a name, an IPv4 address or an IPv6 address in brackets.
func checkHost(host string) error {
	if inner, isIPv6 := strings.CutPrefix(host, "["); isIPv6 {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		if err != nil || !addr.Is6() {
			return errors.New("what stands in brackets must be an IPv6 address")
		}
		return nil
	}
	if host == "" {
		return errors.New("the host is missing")
	}
	for _, r := range host {
		isName := r == '-' || r == '.' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !isName {
			return fmt.Errorf("%q cannot stand in a host name", r)
		}
	}
	return nil
}

func checkPort(port string) error {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return errors.New("the port must be a number from 1 to 65535")
	}
	return nil
}
