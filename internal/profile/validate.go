package profile

import (
	"errors"
	"math"
	"net/netip"
	"strings"
)

// maxTTL bounds the lifetime of minted credentials, in seconds: ten years.
const maxTTL = 10 * 365 * 24 * 3600

// validate reports what is wrong with the finished profile. It changes nothing in it.
func (l *loader) validate() {
	l.validateCall()
	l.validateLoad()
	l.validateMedia()
	l.validateTransports()
	l.validateWebRTC()
	if len(l.profile.Thresholds) > 0 {
		l.warn(l.origins["thresholds"], "thresholds", "they are not evaluated yet")
	}
}

// invalid reports a value, unless it could not even be read.
func (l *loader) invalid(path, format string, args ...any) {
	if !l.failed[path] {
		l.problem(l.origin(path), path, format, args...)
	}
}

// origin returns where a setting was given, or else the section around it, or else the file.
func (l *loader) origin(path string) Origin {
	for path != "" {
		if origin, known := l.origins[path]; known {
			return origin
		}
		dot := strings.LastIndexByte(path, '.')
		path = path[:max(dot, 0)]
	}
	if l.sources.File != "" {
		return Origin{Kind: FromFile, Name: l.sources.File, Line: 1, Column: 1}
	}
	return Origin{}
}

func (l *loader) validateCall() {
	p := l.profile
	if p.Scenario == "" && !l.sources.Partial {
		l.invalid("scenario", "is missing: give the name of a built-in scenario, or a file")
	}
	switch {
	case p.Target == "" && p.Role == UAC && !l.sources.Partial:
		l.invalid("target", "is missing: a uac needs HOST:PORT or a sip: URI to call")
	case p.Target != "" && p.Role == UAS:
		l.warn(l.origin("target"), "target", "is not used: a uas waits for calls")
	}
	if p.Target == "" {
		return
	}
	target, err := ParseTarget(p.Target)
	if err != nil {
		l.invalid("target", "%s is not a target: %v", quoted(p.Target), err)
	} else if target.Transport != UDP {
		l.invalid("target", "transport=%s is not supported yet; only udp is", target.Transport)
	}
}

func (l *loader) validateLoad() {
	load := l.profile.Load
	if load.Rate <= 0 {
		l.invalid("load.rate", "must be more than 0, but is %v", load.Rate)
	}
	if load.Period <= 0 {
		l.invalid("load.period", "must be more than 0s")
	}
	if load.Limit < 0 {
		l.invalid("load.limit", "must not be negative, but is %d; 0 means no limit", load.Limit)
	}
}

func (l *loader) validateMedia() {
	m := l.profile.Media
	if m.RecordStereo && !m.RecordWAV {
		l.invalid("media.record_stereo", "needs record_wav: true")
	}
	lowOK, highOK := l.validatePort("media.port_min", m.PortMin), l.validatePort("media.port_max", m.PortMax)
	switch {
	case !lowOK || !highOK:
	case m.PortMin == 0 && m.PortMax != 0:
		l.invalid("media.port_max", "needs port_min too")
	case m.PortMin != 0 && m.PortMax == 0:
		l.invalid("media.port_min", "needs port_max too")
	case m.PortMin != 0 && m.PortMax <= m.PortMin:
		// RTP and RTCP need a port each (RFC 3550 11).
		l.invalid("media.port_max", "must be more than port_min (%d), but is %d", m.PortMin, m.PortMax)
	}
}

func (l *loader) validatePort(path string, port int) bool {
	if port != 0 && (port < 1024 || port > 65535) {
		l.invalid(path, "must be a port from 1024 to 65535, or 0, but is %d", port)
	}
	return !l.failed[path]
}

func (l *loader) validateTransports() {
	enabled := 0
	for _, row := range l.profile.Transports.SIP {
		path := "transports." + string(row.Type)
		if row.Enabled {
			enabled++
			if row.Type != UDP {
				at := path
				if _, inFile := l.origins[path]; !inFile {
					at += ".enabled"
				}
				l.invalid(at, "SIP over %s is not supported yet; only udp is", row.Type)
			}
		}
		if row.Listen != "" {
			if _, err := parseListen(row.Listen); err != nil {
				l.invalid(path+".listen", "%v", err)
			}
		}
		if row.Advertise == "" {
			continue
		}
		if addr := row.AdvertiseAddr(); !addr.IsValid() || addr.IsUnspecified() {
			l.invalid(path+".advertise", "must be an IP address that peers can reach, not %s", quoted(row.Advertise))
		}
	}
	if enabled == 0 && !l.failed["transports"] {
		l.invalid("transports", "no SIP transport is enabled: a webrtc row carries media, not SIP; add {type: udp}")
	}
}

var errListen = errors.New("must be an IP address and a port, like 127.0.0.1:5060, 0.0.0.0:5060 or [::1]:0")

// parseListen reads an address to bind. Names are refused: a name can mean several addresses.
func parseListen(text string) (netip.AddrPort, error) {
	addr, err := netip.ParseAddrPort(text)
	if err != nil {
		return netip.AddrPort{}, errListen
	}
	return addr, nil
}

// validateWebRTC judges the row even if it is not enabled: a scenario that asks for WebRTC by itself uses it.
func (l *loader) validateWebRTC() {
	row := l.profile.Transports.WebRTC
	if row == nil {
		return
	}
	const path = "transports.webrtc"
	turnServers := l.validateICEServers(row, path+".ice_servers")
	if row.ICEPolicy == ICERelay && turnServers == 0 && !l.failed[path+".ice_servers"] {
		l.invalid(path+".ice_policy", "relay needs a TURN server in ice_servers")
	}
	if row.ICEAuthTTLSec < 0 {
		l.invalid(path+".ice_auth_ttl_sec", "must not be negative, but is %d; 0 means 86400", row.ICEAuthTTLSec)
	}
	if row.ICEAuthTTLSec > maxTTL {
		l.invalid(path+".ice_auth_ttl_sec", "must be at most %d (ten years), but is %d", maxTTL, row.ICEAuthTTLSec)
	}
	if row.UDPMuxPort < 0 || row.UDPMuxPort > math.MaxUint16 {
		l.invalid(path+".udp_mux_port", "must be a port from 1 to %d, or 0, but is %d", math.MaxUint16, row.UDPMuxPort)
	}
	if row.GatherTimeout <= 0 {
		l.invalid(path+".gather_timeout", "must be more than 0s")
	}
	// A default that is too long for a short gather_timeout is nobody's mistake; the shorter of both holds.
	if _, given := l.origins[path+".host_grace"]; given && row.HostGrace > row.GatherTimeout {
		l.invalid(path+".host_grace", "must not be longer than gather_timeout (%v), but is %v", row.GatherTimeout, row.HostGrace)
	}
	l.validateStaticCredentials(row, path)
}

// validateICEServers returns the number of TURN servers.
func (l *loader) validateICEServers(row *WebRTCRow, path string) int {
	turnServers := 0
	hasCredentials := row.ICEAuthSecret.IsSet() || row.ICEUsername != "" && row.ICECredential.IsSet()
	// A credential that could not be read is a problem already.
	const section = "transports.webrtc."
	unread := l.failed[section+"ice_auth_secret"] || l.failed[section+"ice_credential"] || l.failed[section+"ice_username"]
	for i, server := range row.ICEServers {
		if err := server.check(); err != nil {
			l.invalid(itemPath(path, i), "%v", err)
			l.failed[path] = true
			continue
		}
		if !server.IsTURN() {
			continue
		}
		turnServers++
		if !server.hasCredentials() && !hasCredentials && !unread {
			l.invalid(itemPath(path, i),
				"%q has no credentials: set ice_auth_secret, or ice_username and ice_credential, or write turn:USER:PASSWORD@HOST",
				server.String())
		}
	}
	return turnServers
}

// validateStaticCredentials reports half a pair of user name and password.
func (l *loader) validateStaticCredentials(row *WebRTCRow, path string) {
	if row.ICEAuthSecret.IsSet() || l.failed[path+".ice_auth_secret"] {
		// The user name is then the identity of minted credentials.
		return
	}
	switch {
	case row.ICECredential.IsSet() && row.ICEUsername == "":
		l.invalid(path+".ice_username", "is missing: ice_credential needs it")
	case row.ICEUsername != "" && !row.ICECredential.IsSet():
		l.invalid(path+".ice_credential", "is missing: ice_username needs it, or ice_auth_secret")
	}
}
