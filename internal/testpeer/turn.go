package testpeer

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strconv"
	"testing"
)

// TURNServer is a coturn with the REST credentials of use-auth-secret.
type TURNServer struct {
	*Process
	Addr   netip.AddrPort
	Secret string
	Realm  string
}

// URL is the server as an ICE server URL over UDP.
func (s *TURNServer) URL() string { return "turn:" + s.Addr.String() + "?transport=udp" }

// Coturn starts a TURN server on UDP and TCP. Its log is its output: usernames, errors, and the bytes of a session when
// that is deleted.
func Coturn(t testing.TB) *TURNServer {
	t.Helper()
	s := &TURNServer{Secret: "correct horse battery staple", Realm: "gossipper.test"}
	dir := t.TempDir()
	s.Addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(FreeUDPPort(t)))
	s.Process = startInstalled(t, dir, "turnserver", "coturn",
		"-n", "--verbose", "--log-file=stdout", "--simple-log", "--no-cli", "--no-tls", "--no-dtls",
		"--listening-ip=127.0.0.1", "--listening-port="+strconv.Itoa(int(s.Addr.Port())), "--relay-ip=127.0.0.1",
		"--use-auth-secret", "--static-auth-secret="+s.Secret, "--realm="+s.Realm,
		// Both ends of the tests' relayed calls are on loopback, which coturn refuses as a peer otherwise.
		"--allow-loopback-peers",
		"--pidfile="+filepath.Join(dir, "pid"), "--userdb="+filepath.Join(dir, "db"))
	s.WaitOutput(t, fmt.Sprintf("UDP listener opened on: %s", s.Addr))
	return s
}
