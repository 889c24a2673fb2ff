package webrtc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pion/turn/v5"
)

func wantCheckError(t testing.TB, err error, code int, parts ...string) {
	t.Helper()
	var e *CheckError
	if !errors.As(err, &e) {
		t.Fatalf("got %v", err)
	}
	if e.Code != code {
		t.Errorf("got code %d, want %d: %v", e.Code, code, err)
	}
	for _, p := range append(parts, e.URL) {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("%q is missing in: %v", p, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the secret is shown: %v", err)
	}
}

func TestCheckTURN(t *testing.T) {
	t.Parallel()
	s := startTURN(t, "north")
	for name, url := range map[string]string{"udp": "turn:static:pass@" + s.udp, "tcp": "turn:static:pass@" + s.tcp + "?transport=tcp"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := CheckTURN(testContext(t), CheckOptions{URL: url})
			if err != nil {
				t.Fatal(err)
			}
			if r.Realm != "example.net" || r.Relayed.Addr() != loopback || r.Mapped.Addr() != loopback || r.Lifetime <= 0 ||
				r.Auth != "inline" || !r.Looped || strings.Contains(r.URL, "pass") {
				t.Errorf("%+v", r)
			}
		})
	}
	r, err := CheckTURN(testContext(t), CheckOptions{URL: "stun:" + s.udp})
	if err != nil || r.Mapped.Addr() != loopback || r.Relayed.IsValid() {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestCheckTURNFailures(t *testing.T) {
	t.Parallel()
	dead := deadServer(t)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	_ = l.Close()
	const soon = 200 * time.Millisecond
	mute, err := net.Listen("tcp4", "127.0.0.1:0") // accepts, and never says anything
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mute.Close() })
	withoutTLS := startTURN(t, "north").tcp
	for _, tc := range []struct {
		name    string
		options CheckOptions
		parts   []string
	}{
		{"dead turn", CheckOptions{URL: "turn:u:hunter2@" + dead, Timeout: soon}, []string{"nothing answered at " + dead + " within 200ms"}},
		{"dead stun", CheckOptions{URL: "stun:" + dead, Timeout: soon}, []string{"nothing answered"}},
		{"dead turn, longer than between two requests", CheckOptions{URL: "turn:u:hunter2@" + dead, Timeout: time.Second}, []string{"nothing answered at " + dead + " within 1s"}},
		{
			"no TLS",
			CheckOptions{URL: "turns:u:hunter2@" + mute.Addr().String(), Timeout: soon},
			[]string{mute.Addr().String() + " accepted the connection, but the TLS handshake failed: no answer within 200ms", "transport=tcp"},
		},
		{"TURN without TLS", CheckOptions{URL: "turns:u:hunter2@" + withoutTLS, Timeout: soon}, []string{withoutTLS + " accepted the connection, but the TLS handshake failed"}},
		{"refused", CheckOptions{URL: "turn:u:hunter2@" + closed + "?transport=tcp"}, []string{"was refused"}},
		{"name", CheckOptions{URL: "turn:u:hunter2@does-not-exist.invalid"}, []string{"does-not-exist.invalid"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			started := time.Now()
			_, err := CheckTURN(testContext(t), tc.options)
			wantCheckError(t, err, 0, tc.parts...)
			// Of the longer time-out, before the next repetition of the request, which would come 875 ms later.
			if took := time.Since(started); tc.options.Timeout > 0 && took > tc.options.Timeout+700*time.Millisecond {
				t.Errorf("took %s", took)
			}
		})
	}
	for name, o := range map[string]CheckOptions{
		"no credential": {URL: "turn:h"}, "bad URL": {URL: "x:h"}, "dtls": {URL: "turns:u:p@h?transport=udp"},
	} {
		if _, err := CheckTURN(testContext(t), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestCheckTURNOverTLS(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{loopback.AsSlice()},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	secured := tls.NewListener(plain, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12})
	server, err := turn.NewServer(turn.ServerConfig{
		Realm: "example.net", LoggerFactory: nopFactory{},
		AuthHandler: func(ra *turn.RequestAttributes) (string, []byte, bool) {
			return ra.Username, turn.GenerateAuthKey(ra.Username, ra.Realm, "pass"), true
		},
		ListenerConfigs: []turn.ListenerConfig{{
			Listener: secured, RelayAddressGenerator: &turn.RelayAddressGeneratorStatic{RelayAddress: net.IPv4(127, 0, 0, 1), Address: "127.0.0.1"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	o := CheckOptions{URL: "turns:u:pass@" + plain.Addr().String()}
	_, err = CheckTURN(testContext(t), o)
	wantCheckError(t, err, 0, "certificate must be valid for 127.0.0.1")
	roots := x509.NewCertPool()
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(certificate)
	o.TLSConfig = &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
	if r, err := CheckTURN(testContext(t), o); err != nil || !r.Relayed.IsValid() {
		t.Errorf("%+v, %v", r, err)
	}
}
