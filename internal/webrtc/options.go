package webrtc

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/gossipper/gossipper/internal/media"
)

// Policy says which candidates are gathered.
type Policy string

// The policies; the empty one means all.
const (
	PolicyAll   Policy = "all"
	PolicyRelay Policy = "relay"
)

// Defaults of Options.
const (
	DefaultGatherTimeout  = 5 * time.Second
	DefaultHostGrace      = 400 * time.Millisecond
	DefaultConnectTimeout = 15 * time.Second
	DefaultDTLSTimeout    = 10 * time.Second
)

// TURNRefresh says what is done when REST credentials are about to expire during a call.
type TURNRefresh string

// The modes; the empty one means auto. Today both leave a live allocation alone: its credentials cannot be changed
// (RFC 8656 5), and coturn checks them at allocation only.
const (
	TURNRefreshAuto TURNRefresh = "auto"
	TURNRefreshOff  TURNRefresh = "off"
)

// Options are the settings that all bridges of a factory share. The zero value is usable: host candidates only.
type Options struct {
	// ICEServers are STUN and TURN URLs, see ParseServer; an entry may hold several, one per line.
	ICEServers []string
	// ICEUsername and ICECredential are the static credential of every TURN server. With ICEAuthSecret, ICEUsername is the
	// identity in REST credentials (empty: DefaultIdentity).
	ICEUsername   string
	ICECredential string
	// ICEAuthSecret is shared with the TURN server (coturn: static-auth-secret): every bridge mints its own credential.
	ICEAuthSecret string
	// ICEAuthTTL is the life of a minted credential; zero means DefaultAuthTTL.
	ICEAuthTTL time.Duration
	// ICEPolicy restricts the candidates; with PolicyRelay all media go through TURN.
	ICEPolicy Policy
	// ICETrickleFullGather makes SDP wait for all candidates, at most ICEGatherTimeout, and leaves trickle ICE out.
	ICETrickleFullGather bool
	// ICEGatherTimeout bounds a full gathering, and the wait for a relay candidate under PolicyRelay; zero means 5 s.
	ICEGatherTimeout time.Duration
	// HostGrace is the longest wait for host candidates; it is a ceiling, not a wait. Zero means 400 ms.
	HostGrace time.Duration
	// ICEConnectTimeout bounds the connectivity checks from the moment both descriptions are known; zero means 15 s.
	ICEConnectTimeout time.Duration
	// DTLSTimeout bounds the DTLS handshake; zero means 10 s.
	DTLSTimeout time.Duration
	// TURNRefresh is kept for calls that outlive their credentials.
	TURNRefresh TURNRefresh
	// PreferPCMA puts PCMA before PCMU.
	PreferPCMA bool
	// Interface is the network interface to use; IP the address. Without both, the address with which this machine reaches
	// the Internet is used, else loopback.
	Interface string
	IP        netip.Addr
	// UDPMuxPort makes the host candidates of all calls share this port; 0 gives each call one of its own. The peers must then have
	// addresses of their own: two calls at once with the same remote address and port are not told apart. TURN is not affected.
	UDPMuxPort uint16
	// Pacer sends the packets of all calls; nil makes the factory run its own.
	Pacer *media.Pacer
	// Logger receives warnings; nil drops them.
	Logger *slog.Logger
}

// String shows the options without secrets.
func (o Options) String() string {
	servers, _ := ParseServers(o.ICEServers)
	return fmt.Sprintf("ICE servers %v, policy %s, full gather %t, IP %s", servers, o.ICEPolicy, o.ICETrickleFullGather, o.IP)
}

// GoString shows the options without secrets.
func (o Options) GoString() string { return o.String() }

// withDefaults fills in what was left out.
func (o Options) withDefaults() Options {
	setDefault := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	setDefault(&o.ICEAuthTTL, DefaultAuthTTL)
	setDefault(&o.ICEGatherTimeout, DefaultGatherTimeout)
	setDefault(&o.HostGrace, DefaultHostGrace)
	setDefault(&o.ICEConnectTimeout, DefaultConnectTimeout)
	setDefault(&o.DTLSTimeout, DefaultDTLSTimeout)
	if o.ICEPolicy == "" {
		o.ICEPolicy = PolicyAll
	}
	if o.TURNRefresh == "" {
		o.TURNRefresh = TURNRefreshAuto
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// validate returns every mistake at once, and the servers.
func (o Options) validate() ([]Server, error) {
	servers, err := ParseServers(o.ICEServers)
	errs := []error{err}
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(o.ICEPolicy == PolicyAll || o.ICEPolicy == PolicyRelay, "ICE policy %q: must be all or relay", o.ICEPolicy)
	check(o.TURNRefresh == TURNRefreshAuto || o.TURNRefresh == TURNRefreshOff, "TURN refresh %q: must be auto or off", o.TURNRefresh)
	check(o.ICEAuthTTL > 0, "ICE auth TTL %s: must not be negative", o.ICEAuthTTL)
	check(o.ICEGatherTimeout > 0, "ICE gather timeout %s: must not be negative", o.ICEGatherTimeout)
	check(o.HostGrace > 0, "host grace %s: must not be negative", o.HostGrace)
	check(o.ICEConnectTimeout > 0, "ICE connect timeout %s: must not be negative", o.ICEConnectTimeout)
	check(o.DTLSTimeout > 0, "DTLS timeout %s: must not be negative", o.DTLSTimeout)
	check(o.ICECredential == "" || o.ICEUsername != "", "there is an ICE credential but no ICE user name")
	turn := 0
	for _, s := range servers {
		if !s.IsTURN() {
			continue
		}
		turn++
		// Pion would refuse the whole peer at the first call; say so before the run.
		check(o.authFor(s) != authNone, "%s: a TURN server needs a credential: in the URL, ICE auth secret, or ICE user name and credential", s)
	}
	check(o.ICEPolicy != PolicyRelay || turn > 0 || err != nil, "ICE policy relay: there is no TURN server")
	return servers, errors.Join(errs...)
}

// authMode is how a credential for a TURN server is found.
type authMode string

const (
	authNone   authMode = "none"
	authInline authMode = "inline"
	authREST   authMode = "rest"
	authStatic authMode = "static"
)

// authFor applies the precedence: in the URL, then REST, then static. STUN gets none.
func (o Options) authFor(s Server) authMode {
	switch {
	case !s.IsTURN():
		return authNone
	case s.inline != nil:
		return authInline
	case o.ICEAuthSecret != "":
		return authREST
	case o.ICEUsername != "" && o.ICECredential != "":
		return authStatic
	default:
		return authNone
	}
}

// authorized is a server with the credential that a bridge uses for it.
type authorized struct {
	Server
	mode       authMode
	credential Credential
}

// authorize gives every server its credential. REST credentials are minted once, now, for all of them: right before
// gathering, so that their whole life is the call's.
func (o Options) authorize(servers []Server, now time.Time) []authorized {
	out := make([]authorized, len(servers))
	var minted Credential
	for i, s := range servers {
		out[i] = authorized{Server: s, mode: o.authFor(s)}
		switch out[i].mode {
		case authInline:
			out[i].credential = *s.inline
		case authREST:
			if minted.Username == "" {
				minted = MintREST(o.ICEAuthSecret, o.ICEUsername, o.ICEAuthTTL, now)
			}
			out[i].credential = minted
		case authStatic:
			out[i].credential = Credential{Username: o.ICEUsername, Password: o.ICECredential}
		case authNone:
		}
	}
	return out
}

// Validate returns every mistake in the options at once, or nil.
func (o Options) Validate() error {
	_, err := o.withDefaults().validate()
	return err
}
