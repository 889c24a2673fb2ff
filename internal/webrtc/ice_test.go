package webrtc

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestParseServer(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, in, want string
		user, password string
		err            string
	}{
		{name: "stun with port", in: "stun:stun.example.net:19302", want: "stun:stun.example.net:19302"},
		{name: "stun default port", in: "stun:stun.example.net", want: "stun:stun.example.net:3478"},
		{name: "stuns default port", in: "stuns:stun.example.net", want: "stuns:stun.example.net:5349"},
		{name: "turn over udp", in: "turn:turn.example.net:3478?transport=udp", want: "turn:turn.example.net:3478?transport=udp"},
		{name: "turn default transport", in: "turn:turn.example.net", want: "turn:turn.example.net:3478?transport=udp"},
		{name: "turn over tcp", in: "turn:turn.example.net?transport=tcp", want: "turn:turn.example.net:3478?transport=tcp"},
		{name: "turns defaults", in: "turns:turn.example.net", want: "turns:turn.example.net:5349?transport=tcp"},
		{name: "scheme and transport in capitals", in: "TURN:h?transport=UDP", want: "turn:h:3478?transport=udp"},
		{
			name: "inline credentials", in: "turn:alice:secret@turn.example.net:3478?transport=udp",
			want: "turn:turn.example.net:3478?transport=udp", user: "alice", password: "secret",
		},
		{name: "colon in the secret", in: "turn:alice:a:b@h", want: "turn:h:3478?transport=udp", user: "alice", password: "a:b"},
		{name: "at sign in the secret", in: "turn:alice:a@b@h:99", want: "turn:h:99?transport=udp", user: "alice", password: "a@b"},
		{name: "question mark in the secret", in: "turn:alice:a?b@h", want: "turn:h:3478?transport=udp", user: "alice", password: "a?b"},
		{name: "percent-encoding", in: "turn:al%3Aice:p%40s%25@h", want: "turn:h:3478?transport=udp", user: "al:ice", password: "p@s%"},
		{name: "IPv6", in: "turn:u:p@[2001:db8::1]:3479", want: "turn:[2001:db8::1]:3479?transport=udp", user: "u", password: "p"},
		{name: "IPv6 default port", in: "stun:[::1]", want: "stun:[::1]:3478"},
		{name: "no scheme", in: "turn.example.net", err: "no scheme"},
		{name: "bad scheme", in: "http:u:hunter2@h", err: `"http:***@h": the scheme must be`},
		{name: "slashes", in: "turn://h", err: "without //"},
		{name: "bad transport", in: "turn:u:hunter2@h?transport=sctp", err: "transport=udp or transport=tcp"},
		{name: "parameter of stun", in: "stun:h?transport=udp", err: "no parameters"},
		{name: "credentials of stun", in: "stun:u:hunter2@h", err: "takes no credentials"},
		{name: "user without password", in: "turn:alice@h", err: "must be user:password"},
		{name: "bad percent-encoding", in: "turn:u:hunter2%zz@h", err: "wrong percent-encoding"},
		{name: "port zero", in: "turn:h:0", err: "1 to 65535"},
		{name: "port too large", in: "turn:h:65536", err: "1 to 65535"},
		{name: "empty port", in: "turn:h:", err: "port is empty"},
		{name: "host forgotten", in: "turn:alice:hunter2", err: `"turn:alice:***": the port must be`},
		{name: "empty host", in: "turn:", err: "host name is empty"},
		{name: "bare IPv6", in: "turn:2001:db8::1", err: "in brackets"},
		{name: "open bracket", in: "turn:[::1", err: "not closed"},
		{name: "rubbish in brackets", in: "turn:[x]", err: "not an IPv6 address"},
		{name: "rubbish after brackets", in: "turn:[::1]x", err: "only :port"},
		{name: "too long", in: "turn:" + strings.Repeat("a", 3000), err: "longer than"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, err := ParseServer(tc.in)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Fatalf("got %v, want an error with %q", err, tc.err)
				}
				if strings.Contains(err.Error(), "hunter2") {
					t.Fatalf("the error shows the secret: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if s.String() != tc.want {
				t.Errorf("got %s, want %s", s, tc.want)
			}
			var got Credential
			if s.inline != nil {
				got = *s.inline
			}
			if got.Username != tc.user || got.Password != tc.password {
				t.Errorf("credentials: got %q %q, want %q %q", got.Username, got.Password, tc.user, tc.password)
			}
			if shown := fmt.Sprintf("%v %+v %#v", s, s, s); tc.password != "" && tc.password != "p" && strings.Contains(shown, tc.password) {
				t.Errorf("printing the server shows the secret: %s", shown)
			}
		})
	}
}

func TestParseServersTakesLinesAndLists(t *testing.T) {
	t.Parallel()
	s, err := ParseServers([]string{"stun:a\n\n  turn:u:p@b\r\n", "turns:u:p@c"})
	if err != nil || fmt.Sprint(s) != "[stun:a:3478 turn:b:3478?transport=udp turns:c:5349?transport=tcp]" {
		t.Errorf("got %v, %v", s, err)
	}
	if _, err = ParseServers([]string{"x:a\ny:b"}); err == nil || !strings.Contains(err.Error(), "x:a") || !strings.Contains(err.Error(), "y:b") {
		t.Errorf("both mistakes must be reported: %v", err)
	}
}

func TestCredentialPrecedence(t *testing.T) {
	t.Parallel()
	now := time.Unix(1700000000, 0)
	for _, tc := range []struct {
		name, url                string
		user, credential, secret string
		mode                     authMode
		username, password       string
	}{
		{name: "stun, everything configured", url: "stun:h", user: "u", credential: "c", secret: "s", mode: authNone},
		{name: "turn, nothing", url: "turn:h", mode: authNone},
		{name: "turn, user only", url: "turn:h", user: "u", mode: authNone},
		{name: "static", url: "turn:h", user: "u", credential: "c", mode: authStatic, username: "u", password: "c"},
		{name: "static for turns", url: "turns:h", user: "u", credential: "c", mode: authStatic, username: "u", password: "c"},
		{name: "rest before static", url: "turn:h", user: "u", credential: "c", secret: "s", mode: authREST, username: "1700086400:u"},
		{name: "rest, default identity", url: "turn:h", secret: "s", mode: authREST, username: "1700086400:gossipper"},
		{name: "inline before all", url: "turn:i:p@h", user: "u", credential: "c", secret: "s", mode: authInline, username: "i", password: "p"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := Options{ICEServers: []string{tc.url}, ICEUsername: tc.user, ICECredential: tc.credential, ICEAuthSecret: tc.secret}.withDefaults()
			s, err := ParseServer(tc.url)
			if err != nil {
				t.Fatal(err)
			}
			a := o.authorize([]Server{s}, now)[0]
			if a.mode != tc.mode || a.credential.Username != tc.username || tc.mode != authREST && a.credential.Password != tc.password {
				t.Errorf("got %s %q %q", a.mode, a.credential.Username, a.credential.Password)
			}
			wantErr := s.IsTURN() && tc.mode == authNone
			if err := o.Validate(); (err != nil) != wantErr {
				t.Errorf("Validate: %v", err)
			}
		})
	}
}

func TestOptionsReportAllMistakes(t *testing.T) {
	t.Parallel()
	o := Options{
		ICEServers: []string{"turn:h", "ftp:h"}, ICEPolicy: "some", ICEAuthTTL: -1, ICEGatherTimeout: -1, HostGrace: -1,
		ICEConnectTimeout: -1, DTLSTimeout: -1, TURNRefresh: "often", ICECredential: "hunter2",
	}
	err := o.Validate()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"turn:h:3478", "ftp:h", "some", "auth TTL", "gather timeout", "host grace", "connect timeout", "DTLS timeout", "often", "user name"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
	if strings.Contains(err.Error()+fmt.Sprintf("%v %+v %#v", o, o, o), "hunter2") {
		t.Error("the secret is shown")
	}
	if err := (Options{ICEPolicy: PolicyRelay}).Validate(); err == nil || !strings.Contains(err.Error(), "no TURN server") {
		t.Errorf("relay without TURN: %v", err)
	}
}

func FuzzParseServer(f *testing.F) {
	for _, s := range []string{"stun:h", "turn:u:p@[::1]:1?transport=udp", "turns:a%40:b@c", "turn:a:b", "x", ":@:@?", "turn:[::1]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		s, err := ParseServer(in)
		if err != nil {
			return
		}
		again, err := ParseServer(s.String())
		if err != nil || again.String() != s.String() {
			t.Errorf("%q became %s, which became %v, %v", in, s, again, err)
		}
	})
}
