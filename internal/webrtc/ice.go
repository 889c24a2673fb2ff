package webrtc

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/gossipper/gossipper/internal/webrtc/sdp"
)

// Default ports of STUN and TURN: plain (RFC 8489 18.6) and over TLS.
const (
	defaultPort    = 3478
	defaultTLSPort = 5349
)

// maxServerURL bounds what is read from a configuration.
const maxServerURL = 2048

// Server is one STUN or TURN server (RFC 7064, RFC 7065).
type Server struct {
	Scheme    string // stun, stuns, turn or turns
	Host      string // name or address, IPv6 without brackets
	Port      uint16
	Transport string // udp or tcp; for turns and stuns, tcp means TLS
	// inline is the credential written into the URL.
	inline *Credential
}

// IsTURN tells whether the server relays.
func (s Server) IsTURN() bool { return s.Scheme == "turn" || s.Scheme == "turns" }

// String returns the URL without credentials, with port and, for TURN, with transport.
func (s Server) String() string {
	u := s.Scheme + ":" + s.hostPort()
	if s.IsTURN() {
		u += "?transport=" + s.Transport
	}
	return u
}

// GoString shows no credentials.
func (s Server) GoString() string { return s.String() }

func (s Server) hostPort() string { return net.JoinHostPort(s.Host, strconv.Itoa(int(s.Port))) }

// ParseServers reads any number of URLs; an entry may hold several, one per line. Blank lines are skipped. All mistakes are
// returned together.
func ParseServers(entries []string) ([]Server, error) {
	var servers []Server
	var errs []error
	for _, entry := range entries {
		for line := range strings.SplitSeq(entry, "\n") {
			line = strings.TrimSpace(line)
			if line == "" {
				continue
			}
			s, err := ParseServer(line)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			servers = append(servers, s)
		}
	}
	return servers, errors.Join(errs...)
}

// ParseServer reads one URL:
//
//	stun:host[:port]  stuns:host[:port]  turn:[user:password@]host[:port][?transport=udp|tcp]  turns:…
//
// Percent-encoding is undone in user and password, which may also contain ":" (the password) and "@" as they are.
// Errors name the URL without its credentials.
func ParseServer(raw string) (Server, error) {
	raw = strings.TrimSpace(raw)
	if len(raw) > maxServerURL {
		return Server{}, fmt.Errorf("ICE server URL is longer than %d characters", maxServerURL)
	}
	scheme, rest, found := strings.Cut(raw, ":")
	s := Server{Scheme: strings.ToLower(scheme)}
	if !found {
		return Server{}, serverError(raw, "it has no scheme; write stun:, stuns:, turn: or turns: before the host")
	}
	switch s.Scheme {
	case "stun", "turn":
		s.Port, s.Transport = defaultPort, "udp"
	case "stuns", "turns":
		s.Port, s.Transport = defaultTLSPort, "tcp"
	default:
		return Server{}, serverError(raw, "the scheme must be stun, stuns, turn or turns")
	}
	if strings.HasPrefix(rest, "//") {
		return Server{}, serverError(raw, "write "+s.Scheme+":host, without //")
	}
	// The last @ ends the user information, so that a password may contain one.
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		var err error
		if s.inline, err = parseUserInfo(rest[:at]); err != nil {
			return Server{}, serverError(raw, err.Error())
		}
		if !s.IsTURN() {
			return Server{}, serverError(raw, "a STUN server takes no credentials")
		}
		rest = rest[at+1:]
	}
	hostPort, query, hasQuery := strings.Cut(rest, "?")
	if hasQuery {
		if err := s.parseQuery(query); err != nil {
			return Server{}, serverError(raw, err.Error())
		}
	}
	if err := s.parseHostPort(hostPort); err != nil {
		return Server{}, serverError(raw, err.Error())
	}
	return s, nil
}

func parseUserInfo(info string) (*Credential, error) {
	user, password, found := strings.Cut(info, ":")
	if !found || user == "" || password == "" {
		return nil, errors.New("user information must be user:password")
	}
	var c Credential
	var err1, err2 error
	c.Username, err1 = url.PathUnescape(user)
	c.Password, err2 = url.PathUnescape(password)
	if err1 != nil || err2 != nil {
		// The error of the url package quotes its input, which is secret.
		return nil, errors.New("wrong percent-encoding in the user information; a literal % is written %25")
	}
	return &c, nil
}

func (s *Server) parseQuery(query string) error {
	if !s.IsTURN() {
		return errors.New("a STUN URL has no parameters")
	}
	name, value, _ := strings.Cut(query, "=")
	value = strings.ToLower(value)
	if name != "transport" || (value != "udp" && value != "tcp") {
		return errors.New("the only parameter is transport=udp or transport=tcp")
	}
	s.Transport = value
	return nil
}

func (s *Server) parseHostPort(hostPort string) error {
	host, port, hasPort, err := splitHostPort(hostPort)
	if err != nil {
		return err
	}
	s.Host = host
	if !hasPort {
		return nil
	}
	if port == "" {
		return errors.New("the port is empty")
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return errors.New("the port must be a number from 1 to 65535")
	}
	s.Port = uint16(n)
	return nil
}

// splitHostPort divides host[:port], and checks the host.
func splitHostPort(hostPort string) (host, port string, hasPort bool, err error) {
	if inBrackets, ok := strings.CutPrefix(hostPort, "["); ok {
		host, rest, closed := strings.Cut(inBrackets, "]")
		if !closed {
			return "", "", false, errors.New("the [ of an IPv6 address is not closed")
		}
		if addr, err := netip.ParseAddr(host); err != nil || !addr.Is6() {
			return "", "", false, errors.New("what stands in brackets is not an IPv6 address")
		}
		port, hasPort := strings.CutPrefix(rest, ":")
		if rest != "" && !hasPort {
			return "", "", false, errors.New("only :port may follow an IPv6 address")
		}
		return host, port, hasPort, nil
	}
	if strings.Count(hostPort, ":") > 1 {
		return "", "", false, errors.New("an IPv6 address is written in brackets, user information before @")
	}
	host, port, hasPort = strings.Cut(hostPort, ":")
	if !sdp.ValidHostName(host) {
		return "", "", false, errors.New("the host name is empty or has characters that it may not have")
	}
	return host, port, hasPort, nil
}

func serverError(raw, what string) error {
	return fmt.Errorf("ICE server %q: %s", redactURL(raw), what)
}

// redactURL removes everything that may be a secret: what stands before the last @, and, where nothing does, what follows
// the second colon, because a forgotten host leaves the password there.
func redactURL(raw string) string {
	scheme, rest, found := strings.Cut(raw, ":")
	if !found {
		if strings.Contains(raw, "@") {
			return "***"
		}
		return raw
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		return scheme + ":***@" + rest[at+1:]
	}
	if strings.HasPrefix(rest, "[") {
		return raw
	}
	if host, port, ok := strings.Cut(rest, ":"); ok {
		if _, err := strconv.Atoi(strings.SplitN(port, "?", 2)[0]); err != nil {
			return scheme + ":" + host + ":***"
		}
	}
	return raw
}
