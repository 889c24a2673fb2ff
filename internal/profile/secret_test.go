package profile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"gopkg.in/yaml.v3"
)

// shown returns the value in every way in which a program may print it.
func shown(t *testing.T, value any) map[string]string {
	t.Helper()
	views := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%T", "%t"} {
		views[verb] = fmt.Sprintf(verb, value)
		views[verb+" of a struct"] = fmt.Sprintf(verb, struct{ V any }{value})
		views[verb+" of a hidden field"] = fmt.Sprintf(verb, struct{ v any }{value})
	}
	for name, marshal := range map[string]func(any) ([]byte, error){"json": json.Marshal, "yaml": yaml.Marshal} {
		data, err := marshal(value)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		views[name] = string(data)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", value)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", value)
	views["slog"] = log.String()
	return views
}

func TestNothingShowsASecret(t *testing.T) {
	t.Parallel()
	loaded := load(t, `{scenario: x, transports: [{type: webrtc, ice_username: u, ice_credential: hunter2, ice_auth_secret: hunter2,
		ice_servers: ["turn:alice:hunter2@h", "turn:alice:hun@ter2:hunter2@h"]}]}`)
	row, _ := loaded.Profile.WebRTC()
	if row.ICECredential.Reveal() != "hunter2" || row.ICEServers[0].Reveal() != "turn:alice:hunter2@h" {
		t.Fatal("the secrets were not loaded")
	}
	hidden := struct{ secret Secret }{row.ICECredential}
	for name, value := range map[string]any{
		"Secret": row.ICECredential, "ICEServer": row.ICEServers[0], "list": row.ICEServers, "row": row, "profile": loaded.Profile,
		"masked": loaded.Profile.Masked(), "loaded": loaded, "hidden field": hidden,
	} {
		for view, text := range shown(t, value) {
			if strings.Contains(text, "hunter2") || strings.Contains(text, "ter2") {
				t.Errorf("%s as %s shows the secret: %s", name, view, text)
			}
		}
	}
	if text := fmt.Sprint(row.ICECredential, row.ICEServers[0]); text != mask+" turn:alice:"+mask+"@h" {
		t.Errorf("printed as %q", text)
	}
	if text := fmt.Sprintf("%v|%#v|%q", Secret{}, Secret{}, NewSecret("x")); text != `|""|"********"` {
		t.Errorf("printed as %q", text)
	}
	var out bytes.Buffer
	if err := Show(&out, loaded); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "hunter2") || strings.Count(out.String(), mask) != 4 {
		t.Errorf("Show printed\n%s", out.String())
	}
	if masked, _ := loaded.Profile.Masked().WebRTC(); masked.ICECredential.Reveal() != mask || row.ICECredential.Reveal() != "hunter2" {
		t.Error("Masked did not mask its copy, or changed the original")
	}
}

func TestICEServerMasksWhatMayBeAPassword(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"stun:a:3478":                "stun:a:3478",
		"turn:u:p@a?transport=tcp":   "turn:u:" + mask + "@a?transport=tcp",
		"turn:u:p@q:r@a":             "turn:u:" + mask + "@a",
		"turn:p@a":                   "turn:" + mask + "@a",
		"u:p@a":                      mask + "@a",
		"turn:alice:p?transport=udp": "turn:alice:" + mask + "?transport=udp",
		"turn:alice:p:q":             "turn:alice:" + mask,
		"turn:[2001:db8::1]":         "turn:[2001:db8::1]",
		"turn:[2001:db8::1]:3478":    "turn:[2001:db8::1]:3478",
		"p@a":                        mask + "@a",
		"":                           "",
	} {
		if got := NewICEServer(url).String(); got != want {
			t.Errorf("%q is shown as %q, want %q", url, got, want)
		}
	}
}

func TestGoodICEServers(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"stun:h", "stun:h:19302", "stuns:h:5349", "turn:h:3478?transport=udp", "turn:alice:secret@h:3478?transport=udp",
		"turns:h:5349?transport=tcp", "stun:[2001:db8::1]", "turn:u:p@[2001:db8::1]:3478", "stun:192.0.2.1", "turn:u:p%40q@h",
	} {
		if err := NewICEServer(url).check(); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestTURNCredentials(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, settings string
		want           string
	}{
		{"none", "ice_servers: [turn:h]", "has no credentials"},
		{"static", "ice_servers: [turn:h], ice_username: u, ice_credential: p", ""},
		{"shared secret", "ice_servers: [turn:h], ice_auth_secret: s", ""},
		{"shared secret with identity", "ice_servers: [turn:h], ice_auth_secret: s, ice_username: u", ""},
		{"all", "ice_servers: ['turn:a:b@h'], ice_auth_secret: s, ice_username: u, ice_credential: p", ""},
		{"inline", "ice_servers: ['turn:a:b@h']", ""},
		{"user alone", "ice_servers: ['turn:a:b@h'], ice_username: u", "ice_credential: is missing"},
		{"password alone", "ice_servers: ['turn:a:b@h'], ice_credential: p", "ice_username: is missing"},
		{"STUN needs none", "ice_servers: [stun:h]", ""},
		{"a disabled row is judged too", "enabled: false, ice_servers: [turn:h]", "has no credentials"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			data := "{scenario: x, transports: [{type: webrtc, " + c.settings + "}]}"
			_, err := Load(Sources{File: "p.yaml", Data: []byte(data)})
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("the error is %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestSecretsFromElsewhere(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{
		"etc/turn.secret":  {Data: []byte("hunter2\n"), Mode: 0o600},
		"etc/open.secret":  {Data: []byte("hunter2"), Mode: 0o644},
		"cwd.secret":       {Data: []byte(" hunter2 \r\n"), Mode: 0o600},
		"etc/empty":        {Data: []byte("\n"), Mode: 0o600},
		"etc/long":         {Data: bytes.Repeat([]byte("x"), maxSecret+1), Mode: 0o600},
		"etc/lines":        {Data: []byte("hunter2\nhunter3\n"), Mode: 0o600},
		"etc/p/other.yaml": {Data: []byte("x")},
	}
	environ := []string{"TURN_SECRET=old", "TURN_SECRET=hunter2", "EMPTY="}
	for _, c := range []struct {
		name, inFile, byFlag, environ string
		wantError, wantWarning        string
	}{
		{name: "file beside the profile", inFile: "@turn.secret"},
		{name: "file in the working directory", byFlag: "@cwd.secret"},
		{name: "file named by a variable", environ: "@cwd.secret"},
		{name: "variable", inFile: "env:TURN_SECRET"},
		{name: "variable, by flag", byFlag: "env:TURN_SECRET"},
		{name: "file that all can read", inFile: "@open.secret", wantWarning: "chmod 600"},
		{name: "missing file", inFile: "@hunter2", wantError: "cannot be read: file does not exist"},
		{name: "empty file", inFile: "@empty", wantError: "is empty"},
		{name: "large file", inFile: "@long", wantError: "larger than 4096 bytes"},
		{name: "several lines", inFile: "@lines", wantError: "one line"},
		{name: "no name", inFile: "@", wantError: "after the @"},
		{name: "missing variable", byFlag: "env:hunter2", wantError: "is not set"},
		{name: "empty variable", byFlag: "env:EMPTY", wantError: "is not set"},
		{name: "no variable", byFlag: "env:", wantError: "after env:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sources := Sources{File: "etc/p.yaml", Environ: slices.Clone(environ), Open: files.Open}
			sources.Data = []byte("{scenario: x, transports: [{type: webrtc}]}")
			if c.inFile != "" {
				sources.Data = fmt.Appendf(nil, "{scenario: x, transports: [{type: webrtc, ice_auth_secret: %q}]}", c.inFile)
			}
			if c.byFlag != "" {
				sources.Flags = []Setting{{"transports.webrtc.ice_auth_secret", c.byFlag, "--ice-auth-secret"}}
			}
			if c.environ != "" {
				sources.Environ = append(sources.Environ, "GOSSIPPER_WEBRTC_ICE_AUTH_SECRET="+c.environ)
			}
			loaded, err := Load(sources)
			if c.wantError != "" {
				if err == nil || !strings.Contains(err.Error(), c.wantError) || strings.Contains(err.Error(), "hunter") {
					t.Errorf("the error is %v, want one with %q", err, c.wantError)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if row, _ := loaded.Profile.WebRTC(); row.ICEAuthSecret.Reveal() != "hunter2" {
				t.Errorf("the secret is %q", row.ICEAuthSecret.Reveal())
			}
			if got := fmt.Sprint(loaded.Warnings); strings.Contains(got, c.wantWarning) == (c.wantWarning == "") && got != "[]" {
				t.Errorf("the warnings are %s, want %q", got, c.wantWarning)
			}
			if c.wantWarning != "" && len(loaded.Warnings) != 1 {
				t.Errorf("%d warnings, want 1", len(loaded.Warnings))
			}
		})
	}
}

func TestPartialProfilesDoNotNeedTheirSecrets(t *testing.T) {
	t.Parallel()
	const data = "transports: [{type: webrtc, ice_auth_secret: env:NOT_HERE, ice_servers: [turn:h]}]"
	loaded, err := Load(Sources{File: "p.yaml", Data: []byte(data), Partial: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(loaded.Warnings) != 1 || loaded.Warnings[0].Path != "transports.webrtc.ice_auth_secret" {
		t.Errorf("the warnings are %v", loaded.Warnings)
	}
}

// A secret that cannot be read was given all the same: it is not the default.
func TestShowSaysThatASecretIsLacking(t *testing.T) {
	t.Parallel()
	const data = "transports:\n  - type: webrtc\n    ice_auth_secret: env:NONE\n"
	for _, c := range []struct {
		name    string
		environ []string
		want    string
	}{
		{"in the file", nil, `ice_auth_secret: "" # p.yaml:3:22, but the environment variable named after env: is not set`},
		{"in a variable", []string{"GOSSIPPER_WEBRTC_ICE_AUTH_SECRET=env:NONE"}, `ice_auth_secret: "" # $GOSSIPPER_WEBRTC_ICE_AUTH_SECRET, but the`},
		{"set after all", []string{"NONE=hunter2"}, `ice_auth_secret: '********' # p.yaml:3:22` + "\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			loaded, err := Load(Sources{File: "p.yaml", Data: []byte(data), Environ: c.environ, Partial: true})
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := Show(&out, loaded); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(out.String(), c.want) {
				t.Errorf("no %q in\n%s", c.want, out.String())
			}
		})
	}
}
