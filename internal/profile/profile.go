package profile

import (
	"net/netip"
	"time"
)

// Profile is the whole description of a run. The struct tags are the one place where keys, defaults, allowed words and
// descriptions are written down: the loader, Show and docs/profiles.md are made from them.
type Profile struct {
	Name string `yaml:"name" json:"name" doc:"A name for the run, shown in results. Without one: the name of the file, or of the scenario."`
	// Role is empty when it was not given: it then follows from the scenario.
	Role     Role   `yaml:"role" json:"role" enum:"uac,uas" doc:"The side to play: uac starts calls, uas answers them. Without it the scenario's first message decides."`
	Scenario string `yaml:"scenario" json:"scenario" doc:"A built-in scenario, or a file: with a / in it or ending in .xml, relative to the profile."`
	Target   string `yaml:"target" json:"target" doc:"Where a uac calls: host:port or a sip: URI. A uas has none."`

	Transports Transports    `yaml:"transports" json:"transports"`
	Load       LoadSettings  `yaml:"load" json:"load"`
	Media      MediaSettings `yaml:"media" json:"media"`
	// Thresholds are kept as written; they are not evaluated yet.
	Thresholds []string `yaml:"thresholds" json:"thresholds" doc:"Conditions for a good run. They are kept, but not evaluated yet; loading warns of it."`
}

// Role is the side that a run plays; empty: the scenario decides.
type Role string

// The roles.
const (
	UAC Role = "uac" // starts calls
	UAS Role = "uas" // answers calls
)

// LoadSettings say how many calls a uac starts, and when.
type LoadSettings struct {
	Rate   float64  `yaml:"rate" json:"rate" default:"10" doc:"Calls started in each period; fractions are allowed."`
	Period Duration `yaml:"period" json:"period" default:"1s" doc:"The period of rate."`
	Calls  uint64   `yaml:"calls" json:"calls" default:"0" doc:"Calls after which no more are started (uac) or awaited (uas); 0: no end."`
	Limit  int      `yaml:"limit" json:"limit" default:"0" doc:"Calls that may be open at once; 0: no limit."`
	// Duration is how long calls are started, 0: no end.
	Duration Duration `yaml:"duration" json:"duration" default:"0s" doc:"How long calls are started; 0s: no end."`
	Hold     Duration `yaml:"hold" json:"hold" default:"0s" doc:"How long a pause of the scenario without a length lasts. If nothing says so, a run whose calls have media takes 5s."`
}

// MediaSettings say what the calls hear and what is kept of it.
type MediaSettings struct {
	Play         string  `yaml:"play" json:"play" doc:"What every call plays from the moment its media are up: a WAV file, relative to the profile, or tone:440 or silence."`
	RecordWAV    bool    `yaml:"record_wav" json:"record_wav" default:"false" doc:"Record what each call receives to a WAV file."`
	RecordStereo bool    `yaml:"record_stereo" json:"record_stereo" default:"false" doc:"Put both directions into the recording: caller left, callee right. Needs record_wav."`
	PortMin      int     `yaml:"port_min" json:"port_min" default:"0" doc:"Lowest UDP port for RTP; 0: the system chooses."`
	PortMax      int     `yaml:"port_max" json:"port_max" default:"0" doc:"Highest UDP port for RTP; 0: the system chooses."`
	Sockets      Sockets `yaml:"sockets" json:"sockets" default:"per-call" enum:"shared,per-call" doc:"Whether calls share sockets for RTP or each has its own."`
}

// Sockets says whether calls share a socket.
type Sockets string

// The ways to have sockets.
const (
	Shared  Sockets = "shared"
	PerCall Sockets = "per-call"
)

// RowType is the type of a row under transports.
type RowType string

// The types of rows. All but Webrtc are SIP transports.
const (
	UDP    RowType = "udp"
	TCP    RowType = "tcp"
	TLS    RowType = "tls"
	WS     RowType = "ws"
	WSS    RowType = "wss"
	WebRTC RowType = "webrtc"
)

// Transports are the rows under transports, divided by what they are: rows that carry SIP, and the one that is about media.
type Transports struct {
	SIP []TransportRow
	// WebRTC is nil when there is no such row.
	WebRTC *WebRTCRow
}

// TransportRow is one way to carry SIP messages.
type TransportRow struct {
	Type    RowType `yaml:"type" json:"type" doc:"udp. The names tcp, tls, ws and wss are known, but not supported yet."`
	Enabled bool    `yaml:"enabled" json:"enabled" default:"true" doc:"Whether the row is used."`
	// Listen is an address and a port; port 0 lets the system choose. Load fills it in when the role is known.
	Listen    string  `yaml:"listen" json:"listen" doc:"Address and port to bind; port 0 lets the system choose. Default: 127.0.0.1:5060 for a uas; for a uac the address that reaches the target."`
	Advertise string  `yaml:"advertise" json:"advertise" doc:"IP address to write into messages in place of the bound one."`
	Sockets   Sockets `yaml:"sockets" json:"sockets" default:"shared" enum:"shared,per-call" doc:"One socket for all calls, or one each."`
}

// WebRTCRow has the settings of WebRTC media. It is never a SIP transport.
type WebRTCRow struct {
	Type          RowType     `yaml:"type" json:"type" doc:"webrtc."`
	Enabled       bool        `yaml:"enabled" json:"enabled" default:"true" doc:"Whether calls have WebRTC media even if the scenario does not ask for it."`
	ICEServers    []ICEServer `yaml:"ice_servers" json:"ice_servers" doc:"STUN and TURN servers: a list, or text with one URL per line."`
	ICEUsername   string      `yaml:"ice_username" json:"ice_username" doc:"User name for all TURN servers; with ice_auth_secret the identity in the minted user names (without it: gossipper)."`
	ICECredential Secret      `yaml:"ice_credential" json:"ice_credential" doc:"Password that belongs to ice_username. A secret."`
	ICEAuthSecret Secret      `yaml:"ice_auth_secret" json:"ice_auth_secret" doc:"The secret shared with coturn (use-auth-secret): every call mints its own credentials. A secret."`
	// ICEAuthTTLSec is in seconds. 0 means the default; Load puts the default in its place.
	ICEAuthTTLSec int         `yaml:"ice_auth_ttl_sec" json:"ice_auth_ttl_sec" default:"86400" doc:"How long minted credentials are good for, in seconds; 0: 86400."`
	PreferPCMA    bool        `yaml:"prefer_pcma" json:"prefer_pcma" default:"false" doc:"Prefer G.711 A-law (PCMA) to µ-law (PCMU)."`
	ICEPolicy     ICEPolicy   `yaml:"ice_policy" json:"ice_policy" default:"all" enum:"all,relay" doc:"relay allows only candidates of a TURN server."`
	Trickle       Trickle     `yaml:"trickle" json:"trickle" default:"trickle" enum:"trickle,full" doc:"trickle sends SDP after the first host candidates; full waits for all candidates."`
	GatherTimeout Duration    `yaml:"gather_timeout" json:"gather_timeout" default:"5s" doc:"Longest wait for candidates with trickle: full."`
	HostGrace     Duration    `yaml:"host_grace" json:"host_grace" default:"400ms" doc:"Longest wait for the first host candidates with trickle: trickle."`
	TURNRefresh   TURNRefresh `yaml:"turn_refresh" json:"turn_refresh" default:"auto" enum:"auto,off" doc:"Whether minted credentials are renewed before they expire."`
	UDPMuxPort    int         `yaml:"udp_mux_port" json:"udp_mux_port" default:"0" doc:"One UDP port for the media of all calls, whose peers must then not share an address and port; 0: a port for each call."`
}

// ICEPolicy says which candidates may be used (RFC 8829 4.1.1).
type ICEPolicy string

// The policies.
const (
	ICEAll   ICEPolicy = "all"
	ICERelay ICEPolicy = "relay"
)

// Trickle says when the SDP is sent.
type Trickle string

// The modes.
const (
	TrickleOn   Trickle = "trickle" // after the first host candidates
	TrickleFull Trickle = "full"    // after all candidates
)

// TURNRefresh says whether minted TURN credentials are renewed.
type TURNRefresh string

// The modes.
const (
	TURNRefreshAuto TURNRefresh = "auto"
	TURNRefreshOff  TURNRefresh = "off"
)

// Addresses for a row without listen: loopback, so that nobody tests the open Internet by accident.
const (
	defaultListenUAC = "127.0.0.1:0"
	defaultListenUAS = "127.0.0.1:5060"
)

// SIPTransports returns the enabled rows that carry SIP. A webrtc row is never among them. A row without listen gets the
// default of p.Role, so set the Role first if it follows from the scenario.
//
// A loaded profile without any SIP row has one of the default settings: UDP on loopback.
func (p *Profile) SIPTransports() []TransportRow {
	var rows []TransportRow
	for _, row := range p.Transports.SIP {
		if !row.Enabled {
			continue
		}
		if row.Listen == "" {
			row.Listen = defaultListen(p.Role)
		}
		rows = append(rows, row)
	}
	return rows
}

func defaultListen(role Role) string {
	if role == UAS {
		return defaultListenUAS
	}
	return defaultListenUAC
}

// WebRTC returns the settings of WebRTC media, and whether the profile switches the calls to it. The settings hold for a
// scenario that asks for WebRTC by itself too, so they are complete even without a row, or with one that is not enabled.
func (p *Profile) WebRTC() (WebRTCRow, bool) {
	if p.Transports.WebRTC == nil {
		return defaultWebRTCRow(), false
	}
	row := *p.Transports.WebRTC
	row.ICEServers = append([]ICEServer(nil), row.ICEServers...)
	return row, row.Enabled
}

// ListenAddr returns the address to bind; it is not valid when Listen is empty or malformed.
func (r TransportRow) ListenAddr() netip.AddrPort {
	addr, _ := parseListen(r.Listen)
	return addr
}

// AdvertiseAddr returns the address to write into messages; it is not valid when none was given.
func (r TransportRow) AdvertiseAddr() netip.Addr {
	addr, err := netip.ParseAddr(r.Advertise)
	if err != nil {
		return netip.Addr{}
	}
	return addr
}

// ICEAuthTTL returns how long minted credentials are good for.
func (r WebRTCRow) ICEAuthTTL() time.Duration {
	return time.Duration(r.ICEAuthTTLSec) * time.Second
}
