package webrtc

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/turn/v5"

	"github.com/gossipper/gossipper/internal/outcome"
)

// turnServer is a TURN server in this process.
type turnServer struct {
	udp, tcp string // addresses

	mu    sync.Mutex
	users []string // of accepted requests
}

// startTURN runs a server that accepts REST credentials made with the secret, and the user "static" with the password "pass".
func startTURN(t testing.TB, secret string) *turnServer {
	t.Helper()
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &turnServer{udp: udp.LocalAddr().String(), tcp: tcp.Addr().String()}
	relay := func() turn.RelayAddressGenerator {
		return &turn.RelayAddressGeneratorStatic{RelayAddress: net.IPv4(127, 0, 0, 1), Address: "127.0.0.1"}
	}
	rest := turn.LongTermTURNRESTAuthHandler(secret, nopLog{})
	server, err := turn.NewServer(turn.ServerConfig{
		Realm: "example.net", LoggerFactory: nopFactory{},
		AuthHandler: func(ra *turn.RequestAttributes) (string, []byte, bool) {
			id, key, ok := rest(ra)
			if ra.Username == "static" {
				id, key, ok = ra.Username, turn.GenerateAuthKey("static", ra.Realm, "pass"), true
			}
			if ok {
				s.mu.Lock()
				s.users = append(s.users, ra.Username)
				s.mu.Unlock()
			}
			return id, key, ok
		},
		PacketConnConfigs: []turn.PacketConnConfig{{PacketConn: udp, RelayAddressGenerator: relay()}},
		ListenerConfigs:   []turn.ListenerConfig{{Listener: tcp, RelayAddressGenerator: relay()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return s
}

// seen returns the different user names that were accepted.
func (s *turnServer) seen() map[string]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := map[string]bool{}
	for _, u := range s.users {
		seen[u] = true
	}
	return seen
}

func TestRelayOnlyCall(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		options func(s *turnServer) Options
		auth    string
		user    string
	}{
		{"rest", func(s *turnServer) Options {
			return Options{ICEServers: []string{"turn:" + s.udp}, ICEAuthSecret: "north", ICEUsername: "load", ICEAuthTTL: time.Hour}
		}, "rest", ":load"},
		{"static over tcp", func(s *turnServer) Options {
			return Options{ICEServers: []string{"turn:" + s.tcp + "?transport=tcp"}, ICEUsername: "static", ICECredential: "pass"}
		}, "static", "static"},
		{"inline", func(s *turnServer) Options {
			return Options{ICEServers: []string{"turn:static:pass@" + s.udp}, ICEAuthSecret: "wrong"}
		}, "inline", "static"},
		{"full gather", func(s *turnServer) Options {
			return Options{ICEServers: []string{"turn:static:pass@" + s.udp}, ICETrickleFullGather: true}
		}, "inline", "static"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := startTURN(t, "north")
			o := tc.options(s)
			o.ICEPolicy = PolicyRelay
			f := newTestFactory(t, o)
			caller, callee := newTestBridge(t, f), newTestBridge(t, f)
			heard := listen(t, callee)
			started := time.Now()
			connect(t, caller, callee)
			if took := time.Since(started); took > 1500*time.Millisecond {
				t.Errorf("connecting took %s: is Pion waiting for better candidates?", took)
			}
			if err := caller.WritePCMU(frame(3)); err != nil {
				t.Fatal(err)
			}
			if got := <-heard; string(got.payload) != string(frame(3)) {
				t.Errorf("got %x", got.payload)
			}
			d := caller.Diagnostics()
			if d.TURNAuth != tc.auth || d.SelectedPair == nil || d.SelectedPair.Local.Type != "relay" || d.TURNRefreshCount != 0 {
				t.Errorf("diagnostics: %+v, pair %+v", d, d.SelectedPair)
			}
			if rest := tc.auth == "rest"; rest == d.TURNCredentialExpires.IsZero() || rest && time.Until(d.TURNCredentialExpires) > time.Hour {
				t.Errorf("the credential expires %v", d.TURNCredentialExpires)
			}
			for user := range s.seen() {
				if !strings.HasSuffix(user, tc.user) {
					t.Errorf("the server saw the user %q", user)
				}
			}
		})
	}
}

func TestWrongSecretFailsAtGather(t *testing.T) {
	t.Parallel()
	s := startTURN(t, "north")
	for name, url := range map[string]string{"udp": "turn:" + s.udp, "tcp": "turn:" + s.tcp + "?transport=tcp"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newTestFactory(t, Options{ICEServers: []string{url}, ICEAuthSecret: "hunter2", ICEPolicy: PolicyRelay})
			b := newTestBridge(t, f)
			_, err := b.CreateOffer(testContext(t))
			// This server says 400 where coturn says 401.
			wantFailure(t, err, outcome.StageGather, codeNoRelay, strings.SplitN(url, "?", 2)[0], "400")
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the secret is shown: %v", err)
			}
			d := b.Diagnostics()
			if len(d.ICEErrors) != 1 || d.ICEErrors[0].Code != 400 || !strings.HasPrefix(d.ICEErrors[0].URL, "turn:127.0.0.1:") {
				t.Errorf("ICE errors: %+v", d.ICEErrors)
			}
		})
	}
}

func TestEveryBridgeMintsItsOwnCredential(t *testing.T) {
	t.Parallel()
	a := startTURN(t, "north")
	b := startTURN(t, "south")
	for s, other := range map[*turnServer]*turnServer{a: b, b: a} {
		secret := "north"
		if s == b {
			secret = "south"
		}
		before := len(other.seen())
		f := newTestFactory(t, Options{ICEServers: []string{"turn:" + s.udp}, ICEAuthSecret: secret, ICEPolicy: PolicyRelay})
		first := newTestBridge(t, f)
		if _, err := first.CreateOffer(testContext(t)); err != nil {
			t.Fatal(err)
		}
		if len(s.seen()) != 1 || len(other.seen()) != before {
			t.Errorf("users %v at the configured server, %v at the other", s.seen(), other.seen())
		}
	}
	// The expiry has seconds; mint at other times to see that minting is per bridge.
	o := Options{ICEAuthSecret: "north"}.withDefaults()
	server := Server{Scheme: "turn", Host: "h", Port: 1, Transport: "udp"}
	now := time.Unix(1700000000, 0)
	if x, y := o.authorize([]Server{server}, now)[0], o.authorize([]Server{server}, now.Add(time.Second))[0]; x.credential == y.credential {
		t.Error("the credential of a later bridge is the same")
	}
}

func TestLateCandidatesAreQueued(t *testing.T) {
	t.Parallel()
	s := startTURN(t, "north")
	f := newTestFactory(t, Options{ICEServers: []string{"turn:" + s.udp, "stun:" + s.udp}, ICEAuthSecret: "north"})
	b := newTestBridge(t, f)
	if _, err := b.CreateOffer(testContext(t)); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(testWait)
	for {
		lines, complete := b.LocalCandidates()
		if all := strings.Join(lines, "\n"); complete {
			if !strings.Contains(all, "typ host") || !strings.Contains(all, "typ relay") {
				t.Errorf("candidates:\n%s", all)
			}
			return
		}
		select {
		case <-b.gather:
		case <-deadline:
			t.Fatal("gathering did not end")
		}
	}
}
