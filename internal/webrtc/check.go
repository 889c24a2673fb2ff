package webrtc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
)

// DefaultCheckTimeout is how long CheckTURN waits for a server.
const DefaultCheckTimeout = 3 * time.Second

// CheckOptions say which server to try and how to log in.
type CheckOptions struct {
	// URL is a STUN or TURN URL, see ParseServer. DTLS (turns:…?transport=udp) cannot be checked.
	URL string
	// Username and Credential are static; with AuthSecret a credential is minted for the identity Username instead. One in the URL comes
	// first.
	Username, Credential, AuthSecret string
	AuthTTL                          time.Duration
	// Timeout bounds each step; zero means 3 s.
	Timeout time.Duration
	// TLSConfig replaces the default check of the server's certificate.
	TLSConfig *tls.Config
}

// String shows the options without secrets.
func (o CheckOptions) String() string { return redactURL(o.URL) }

// GoString shows the options without secrets.
func (o CheckOptions) GoString() string { return o.String() }

// CheckResult is what a server gave.
type CheckResult struct {
	URL        string // without credentials
	ServerAddr string
	Auth       string // none, inline, rest, static
	Username   string
	// Mapped is how the server sees us.
	Mapped netip.AddrPort
	// The rest is of TURN servers only.
	Relayed  netip.AddrPort
	Realm    string
	Software string
	Lifetime time.Duration
	// Looped tells that a packet came back that was sent to the relayed address through the server.
	Looped bool
	// Took is how long the binding request, or the allocation, took.
	Took time.Duration
}

// CheckError is why a server cannot be used.
type CheckError struct {
	URL    string // without credentials
	Code   int    // STUN error code, 0 if there was no such answer
	Reason string
	Advice string
	Err    error
}

// Error returns what happened and what to do.
func (e *CheckError) Error() string {
	s := e.URL + ": " + e.Reason
	if e.Advice != "" {
		s += ": " + e.Advice
	}
	return s
}

// Unwrap returns the cause.
func (e *CheckError) Unwrap() error { return e.Err }

// CheckTURN makes a real allocation at a TURN server, and sends a packet through it; of a STUN server it asks for the mapped address. The
// error is a *CheckError, except for options that make no sense.
func CheckTURN(ctx context.Context, o CheckOptions) (CheckResult, error) {
	server, err := ParseServer(o.URL)
	if err != nil {
		return CheckResult{}, err
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultCheckTimeout
	}
	login := Options{ICEUsername: o.Username, ICECredential: o.Credential, ICEAuthSecret: o.AuthSecret, ICEAuthTTL: o.AuthTTL}
	auth := login.authorize([]Server{server}, time.Now())[0]
	switch {
	case server.IsTURN() && auth.mode == authNone:
		return CheckResult{}, fmt.Errorf("%s: a TURN server needs a credential: in the URL, a secret, or user name and credential", server)
	case server.Scheme == "turns" && server.Transport == "udp":
		return CheckResult{}, fmt.Errorf("%s: TURN over DTLS cannot be checked; use transport=tcp", server)
	}
	c := checker{options: o, server: auth}
	c.result = CheckResult{URL: server.String(), Auth: string(auth.mode), Username: auth.credential.Username}
	return c.run(ctx)
}

// checker is one check.
type checker struct {
	options CheckOptions
	server  authorized
	result  CheckResult
	seen    *seenConn
}

func (c *checker) run(ctx context.Context) (CheckResult, error) {
	started := time.Now()
	conn, addr, err := c.dial(ctx)
	if err != nil {
		return c.result, c.failure(err)
	}
	defer func() { _ = conn.Close() }()
	c.result.ServerAddr = addr.String()
	c.seen = &seenConn{PacketConn: conn}
	client, err := turn.NewClient(&turn.ClientConfig{
		STUNServerAddr: addr.String(), TURNServerAddr: addr.String(), Conn: c.seen,
		Username: c.server.credential.Username, Password: c.server.credential.Password,
		// Retransmissions after 1, 3 and 7 of these units fit into the time-out.
		RTO: c.options.Timeout / 8, Software: "gossipper", LoggerFactory: nopFactory{},
	})
	if err != nil {
		return c.result, c.failure(err)
	}
	defer client.Close()
	if err := client.Listen(); err != nil {
		return c.result, c.failure(err)
	}
	// Whatever the client waits for ends with the context and with the time-out. A closed socket alone does not do it: the client would
	// find that out when it repeats its request.
	giveUp := func() {
		_ = conn.Close()
		client.Close()
	}
	stop := context.AfterFunc(ctx, giveUp)
	defer stop()
	guard := time.AfterFunc(c.options.Timeout, giveUp)
	defer guard.Stop()
	mapped, err := client.SendBindingRequest()
	if err != nil && (!c.server.IsTURN() || noAnswer(err)) {
		return c.result, c.failure(err)
	}
	c.result.Mapped = addrPortOf(mapped)
	if c.server.IsTURN() {
		guard.Reset(c.options.Timeout)
		if err := c.allocate(client, guard); err != nil {
			return c.result, c.failure(err)
		}
	}
	c.result.Took = time.Since(started)
	c.result.Software = c.seen.software()
	return c.result, nil
}

// dial opens the transport to the server.
func (c *checker) dial(ctx context.Context) (net.PacketConn, net.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	hostPort := c.server.hostPort()
	if c.server.Transport == "udp" {
		addr, err := resolveUDP(ctx, hostPort, c.server.Port)
		if err != nil {
			return nil, nil, err
		}
		network := "udp4" // the family of the socket becomes that of the allocation
		if addr.AddrPort().Addr().Is6() {
			network = "udp6"
		}
		conn, err := (&net.ListenConfig{}).ListenPacket(ctx, network, ":0")
		return conn, addr, err
	}
	dialer := &net.Dialer{}
	conn, err := dialer.DialContext(ctx, "tcp", hostPort)
	if err != nil {
		return nil, nil, err
	}
	if c.server.Scheme == "turns" || c.server.Scheme == "stuns" {
		config := c.options.TLSConfig
		if config == nil {
			config = &tls.Config{ServerName: c.server.Host, MinVersion: tls.VersionTLS12}
		}
		secured := tls.Client(conn, config)
		if err := secured.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, nil, &handshakeError{err}
		}
		conn = secured
	}
	return turn.NewSTUNConn(conn), conn.RemoteAddr(), nil
}

// handshakeError is why TLS did not come about on a connection that did.
type handshakeError struct{ err error }

// Error returns the cause.
func (e *handshakeError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *handshakeError) Unwrap() error { return e.err }

func resolveUDP(ctx context.Context, hostPort string, port uint16) (*net.UDPAddr, error) {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(addrs[0].Unmap(), port)), nil
}

func (c *checker) allocate(client *turn.Client, guard *time.Timer) error {
	relay, err := client.Allocate()
	if err != nil {
		return err
	}
	defer func() { _ = relay.Close() }()
	c.result.Realm = client.Realm().String()
	c.result.Relayed = addrPortOf(relay.LocalAddr())
	c.result.Lifetime = c.seen.lifetime()
	guard.Reset(c.options.Timeout)
	c.result.Looped = c.loop(relay)
	return nil
}

// loop sends a packet from a socket of ours to the relayed address, and waits for it to come out of the allocation. Servers that
// forbid the address, and networks without a way to it, do not make the allocation useless, so a failure is a result, not an error.
func (c *checker) loop(relay net.PacketConn) bool {
	if !c.result.Mapped.IsValid() {
		return false
	}
	// The permission of TURN (RFC 8656 9) is for an address whatever its port: writing to our mapped address makes one.
	if _, err := relay.WriteTo([]byte("gossipper"), net.UDPAddrFromAddrPort(c.result.Mapped)); err != nil {
		return false
	}
	probe, err := net.Dial("udp", c.result.Relayed.String())
	if err != nil {
		return false
	}
	defer func() { _ = probe.Close() }()
	text := []byte("gossipper turn check")
	buf := make([]byte, 64)
	for range 3 {
		if _, err := probe.Write(text); err != nil {
			return false
		}
		if err := relay.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
			return false
		}
		if n, _, err := relay.ReadFrom(buf); err == nil && string(buf[:n]) == string(text) {
			return true
		}
	}
	return false
}

func addrPortOf(a net.Addr) netip.AddrPort {
	if u, ok := a.(*net.UDPAddr); ok && u != nil {
		ap := u.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}

// failure turns an error into what a user can act upon.
func (c *checker) failure(err error) *CheckError {
	e := &CheckError{URL: c.result.URL, Err: err, Reason: err.Error()}
	var text string
	if e.Code, text = stunCode(err); e.Code == 0 && c.seen != nil {
		e.Code, text = c.seen.refusal()
	}
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var handshake *handshakeError
	switch {
	case e.Code != 0:
		e.Reason = strings.TrimSpace(fmt.Sprintf("the server answered %d %s", e.Code, text))
		e.Advice = adviceFor(e.Code)
	case errors.As(err, &dns):
		e.Reason, e.Advice = "the name "+c.server.Host+" cannot be resolved", "check the host name and the DNS"
	case errors.As(err, &certificate):
		e.Advice = "the certificate must be valid for " + c.server.Host
	case errors.As(err, &handshake):
		why := err.Error()
		if noAnswer(err) {
			why = fmt.Sprintf("no answer within %s", c.options.Timeout)
		}
		e.Reason = fmt.Sprintf("%s accepted the connection, but the TLS handshake failed: %s", c.server.hostPort(), why)
		e.Advice = "check that this is the server's port for TLS; turn:…?transport=tcp goes without TLS"
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Reason, e.Advice = "the connection to "+c.server.hostPort()+" was refused", "check that the server runs and listens on this port and transport"
	case noAnswer(err):
		e.Reason = fmt.Sprintf("nothing answered at %s within %s", c.server.hostPort(), c.options.Timeout)
		e.Advice = "check address, port, transport (" + c.server.Transport + ") and firewalls"
	}
	return e
}

// noAnswer recognizes the client's own time-out ("all retransmissions failed", no type of its own) and ours, which closes the client
// ("transaction closed") and the socket under it.
func noAnswer(err error) bool {
	var timeout net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &timeout) && timeout.Timeout() || strings.Contains(err.Error(), "retrans") ||
		strings.Contains(err.Error(), "transaction closed")
}

// adviceFor explains the error codes of STUN (RFC 8489 14.8) and TURN (RFC 8656 19).
func adviceFor(code int) string {
	switch code {
	case int(stun.CodeUnauthorized):
		return "the server refused the credentials: check user name, password or secret, and the clock"
	case int(stun.CodeForbidden):
		return "the server forbids this: check its allowed and denied peers"
	case int(stun.CodeAllocMismatch):
		return "the allocation belongs to other credentials"
	case int(stun.CodeStaleNonce):
		return "the server renewed its nonce: try again"
	case int(stun.CodeUnsupportedTransProto):
		return "the server does not relay this transport"
	case int(stun.CodeAllocQuotaReached):
		return "the user's quota of allocations is used up: wait for old ones to expire, or raise user-quota"
	case int(stun.CodeInsufficientCapacity):
		return "the server has no relay ports left: widen its port range"
	default:
		return ""
	}
}
