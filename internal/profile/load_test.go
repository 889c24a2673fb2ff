package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

var update = flag.Bool("update", false, "write the golden files and the table in docs/profiles.md anew")

// golden compares got with the file, or writes it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update writes it anew):\n--- got\n%s--- want\n%s", file, got, want)
	}
}

// load loads YAML text that must be right.
func load(t *testing.T, yaml string, flags ...Setting) *Loaded {
	t.Helper()
	loaded, err := Load(Sources{File: "test.yaml", Data: []byte(yaml), Flags: flags})
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// problems loads what must be wrong, and returns the lines of the error.
func problems(t *testing.T, sources Sources) []string {
	t.Helper()
	_, err := Load(sources)
	var all *Error
	if !errors.As(err, &all) {
		t.Fatalf("Load returned %v, want an *Error", err)
	}
	return strings.Split(err.Error(), "\n")
}

func TestBadProfiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 15 {
		t.Fatalf("found %d bad profiles: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			lines := problems(t, Sources{File: "bad.yaml", Data: data, Open: fstest.MapFS{}.Open})
			text := strings.Join(lines, "\n") + "\n"
			if strings.Contains(text, "hunter2") {
				t.Errorf("the error shows a secret:\n%s", text)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".txt", text)
		})
	}
}

func TestSampleProfilesLoad(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../testdata/profiles/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no sample profiles: %v", err)
	}
	for _, file := range files {
		loaded, err := Load(Sources{File: file, Environ: []string{"TURN_SECRET=x"}})
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if strings.TrimSuffix(filepath.Base(file), ".yaml") != loaded.Profile.Name {
			t.Errorf("%s has the name %q", file, loaded.Profile.Name)
		}
		if _, err := Lint(file); err != nil {
			t.Errorf("%s: Lint: %v", file, err)
		}
	}
}

// TestEdgeProfile asserts every value of the sample, so that no setting can be lost on its way.
func TestEdgeProfile(t *testing.T) {
	t.Parallel()
	loaded, err := Load(Sources{File: "../../testdata/profiles/edge-webrtc.yaml", Environ: []string{"TURN_SECRET=north wind"}})
	if err != nil {
		t.Fatal(err)
	}
	p := loaded.Profile
	row, enabled := p.WebRTC()
	if !enabled {
		t.Error("the webrtc row is not enabled")
	}
	sip := p.SIPTransports()
	if len(sip) != 1 {
		t.Fatalf("%d SIP transports, want 1", len(sip))
	}
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"role", p.Role, UAC},
		{"scenario", p.Scenario, "webrtc_uac"},
		{"target", p.Target, "sip:service@127.0.0.1:5060"},
		{"type", sip[0].Type, UDP},
		{"listen", sip[0].ListenAddr(), netip.MustParseAddrPort("127.0.0.1:5080")},
		{"sockets", sip[0].Sockets, Shared},
		{"load", p.Load, LoadSettings{Rate: 10, Period: Duration(time.Second), Calls: 100, Limit: 50}},
		{"media", p.Media, MediaSettings{Play: "../../testdata/profiles/speech.wav", RecordWAV: true, Sockets: PerCall}},
		{"thresholds", strings.Join(p.Thresholds, "|"), "call_success >= 0.99|setup_ms.p95 < 500|mos.p5 > 4.0"},
		{"ice_servers", len(row.ICEServers), 2},
		{"stun", row.ICEServers[0].Reveal(), "stun:stun.example.net:3478"},
		{"turn", row.ICEServers[1].Reveal(), "turn:turn.example.net:3478?transport=udp"},
		{"ice_username", row.ICEUsername, ""},
		{"ice_credential", row.ICECredential.IsSet(), false},
		{"ice_auth_secret", row.ICEAuthSecret.Reveal(), "north wind"},
		{"ice_auth_ttl_sec", row.ICEAuthTTL(), 24 * time.Hour},
		{"prefer_pcma", row.PreferPCMA, false},
		{"ice_policy", row.ICEPolicy, ICEAll},
		{"trickle", row.Trickle, TrickleOn},
		{"gather_timeout", row.GatherTimeout, Duration(5 * time.Second)},
		{"host_grace", row.HostGrace, Duration(400 * time.Millisecond)},
		{"turn_refresh", row.TURNRefresh, TURNRefreshAuto},
		{"warnings", len(loaded.Warnings), 1},
		{"warning", loaded.Warnings[0].Path, "thresholds"},
	} {
		if c.got != c.want {
			t.Errorf("%s is %v, want %v", c.what, c.got, c.want)
		}
	}
}

func TestLayersOverrideEachOther(t *testing.T) {
	t.Parallel()
	const file = "scenario: uac\ntarget: 127.0.0.1\nload: {rate: 1, calls: 1, limit: 1}\n"
	loaded, err := Load(Sources{
		File: "p.yaml", Data: []byte(file),
		Environ: []string{"GOSSIPPER_LOAD_CALLS=2", "GOSSIPPER_LOAD_LIMIT=2", "GOSSIPPER_LOAD_HOLD=", "HOME=/root"},
		Flags:   []Setting{{"load.limit", "3", "--limit"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := LoadSettings{Rate: 1, Period: Duration(time.Second), Calls: 2, Limit: 3}
	if loaded.Profile.Load != want {
		t.Errorf("load is %+v, want %+v", loaded.Profile.Load, want)
	}
	for path, want := range map[string]string{
		"load.rate": "p.yaml:3:14", "load.calls": "$GOSSIPPER_LOAD_CALLS", "load.limit": "--limit", "load.period": "default",
	} {
		if got := loaded.Origins[path].String(); got != want {
			t.Errorf("%s comes from %s, want %s", path, got, want)
		}
	}
}

func TestFlagsAlone(t *testing.T) {
	t.Parallel()
	loaded, err := Load(Sources{Flags: []Setting{
		{"scenario", "calls/uac.xml", "SCENARIO"},
		{"target", "192.0.2.1", "TARGET"},
		{"role", "uac", "SCENARIO"},
		{"media.play", "speech.wav", "--play"},
		{"transports.webrtc.enabled", "true", "--media"},
		{"transports.webrtc.ice_servers", "stun:a", "--ice-server"},
		{"transports.webrtc.ice_servers", "turn:u:p@b", "--ice-server"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	p := loaded.Profile
	row, enabled := p.WebRTC()
	if !enabled || len(row.ICEServers) != 2 || row.ICEServers[1].Reveal() != "turn:u:p@b" {
		t.Errorf("webrtc row: enabled %v, %v", enabled, row.ICEServers)
	}
	if p.Scenario != "calls/uac.xml" || p.Media.Play != "speech.wav" || p.Name != "uac" {
		t.Errorf("names are not as they were given: %q, %q, %q", p.Scenario, p.Media.Play, p.Name)
	}
	if rows := p.SIPTransports(); len(rows) != 1 || rows[0].Listen != "127.0.0.1:0" || rows[0].Type != UDP {
		t.Errorf("SIP transports are %+v, want UDP on 127.0.0.1:0", rows)
	}
}

func TestProblemsOfEveryLayerAtOnce(t *testing.T) {
	t.Parallel()
	got := problems(t, Sources{
		File: "p.yaml", Data: []byte("scenario: uac\nload: {rate: x}\n"),
		Environ: []string{"GOSSIPPER_LOAD_CALLS=many", "GOSSIPPER_WEBRTC_ICE_POLICY=non"},
		Flags: []Setting{
			{"load.limit", "few", "--limit"},
			{"load.rat", "1", "--set"},
			{"transports.tcp.enabled", "true", "--transport"},
			{"target", "a b", "TARGET"},
		},
	})
	want := []string{
		`p.yaml:2:14: load.rate: must be a number, not "x"`,
		`$GOSSIPPER_LOAD_CALLS: load.calls: must be a whole number of at least 0, not "many"`,
		`$GOSSIPPER_WEBRTC_ICE_POLICY: transports.webrtc.ice_policy: must be all or relay, not "non"`,
		`--limit: load.limit: must be a whole number, not "few"`,
		`--set: load.rat: there is no such setting; did you mean "load.rate"?`,
		`TARGET: target: "a b" is not a target: write HOST:PORT or sip:USER@HOST:PORT, without spaces, quotes or <>`,
		`--transport: transports.tcp.enabled: SIP over tcp is not supported yet; only udp is`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSettingsForAnAbsentRowDoNotSwitchItOn(t *testing.T) {
	t.Parallel()
	loaded, err := Load(Sources{
		File: "p.yaml", Data: []byte("{scenario: webrtc_uac, target: 127.0.0.1}"),
		Environ: []string{"GOSSIPPER_WEBRTC_ICE_AUTH_SECRET=s", "GOSSIPPER_WEBRTC_ICE_SERVERS=turn:a\nstun:b"},
	})
	if err != nil {
		t.Fatal(err)
	}
	row, enabled := loaded.Profile.WebRTC()
	if enabled {
		t.Error("a secret in the environment switched the media to WebRTC")
	}
	if row.ICEAuthSecret.Reveal() != "s" || len(row.ICEServers) != 2 || row.GatherTimeout != Duration(5*time.Second) {
		t.Errorf("the settings are not complete: %+v", row)
	}
}

func TestWebRTCRowIsNoSIPTransport(t *testing.T) {
	t.Parallel()
	const head = "{scenario: x, target: 127.0.0.1, role: %s, transports: [%s]}"
	for _, c := range []struct {
		name, role, rows string
		listen           []string
		webrtc           bool
	}{
		{"webrtc beside udp", "uac", "{type: webrtc}, {type: udp, listen: '127.0.0.1:5070'}", []string{"127.0.0.1:5070"}, true},
		{"webrtc alone, caller: default UDP row", "uac", "{type: webrtc}", []string{"127.0.0.1:0"}, true},
		{"webrtc alone, callee: default UDP row", "uas", "{type: webrtc}", []string{"127.0.0.1:5060"}, true},
		{"disabled webrtc", "uac", "{type: webrtc, enabled: false}", []string{"127.0.0.1:0"}, false},
		{"no rows", "uas", "", []string{"127.0.0.1:5060"}, false},
		{"a disabled row of a later kind", "uac", "{type: udp}, {type: wss, enabled: false}", []string{"127.0.0.1:0"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := load(t, fmt.Sprintf(head, c.role, c.rows)).Profile
			var listen []string
			for _, row := range p.SIPTransports() {
				listen = append(listen, row.Listen)
			}
			if !slices.Equal(listen, c.listen) {
				t.Errorf("SIP listens on %v, want %v", listen, c.listen)
			}
			if _, enabled := p.WebRTC(); enabled != c.webrtc {
				t.Errorf("WebRTC is %v, want %v", enabled, c.webrtc)
			}
		})
	}
}

func TestListenFollowsARoleThatIsKnownLater(t *testing.T) {
	t.Parallel()
	p := load(t, "{scenario: x}").Profile
	if p.Role != "" || p.SIPTransports()[0].Listen != "127.0.0.1:0" {
		t.Fatalf("role %q listens on %q", p.Role, p.SIPTransports()[0].Listen)
	}
	p.Role = UAS
	if got := p.SIPTransports()[0].Listen; got != "127.0.0.1:5060" {
		t.Errorf("a uas listens on %q", got)
	}
}

func TestTTL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"{type: webrtc}": 24 * time.Hour, "{type: webrtc, ice_auth_ttl_sec: 0}": 24 * time.Hour,
		"{type: webrtc, ice_auth_ttl_sec: 60}": time.Minute,
	} {
		row, _ := load(t, "{scenario: x, transports: ["+text+"]}").Profile.WebRTC()
		if row.ICEAuthTTL() != want {
			t.Errorf("%s lives %v, want %v", text, row.ICEAuthTTL(), want)
		}
	}
}

func TestICEServersAsListAndAsText(t *testing.T) {
	t.Parallel()
	const list = "ice_servers: ['stun:a', 'turn:u:p@b']"
	const text = "ice_servers: |\n      stun:a\n\n      turn:u:p@b  \n"
	for _, servers := range []string{list, text} {
		p := load(t, "scenario: x\ntransports:\n  - type: webrtc\n    "+servers).Profile
		row, _ := p.WebRTC()
		if len(row.ICEServers) != 2 || row.ICEServers[0].Reveal() != "stun:a" || row.ICEServers[1].Reveal() != "turn:u:p@b" {
			t.Errorf("%q became %v", servers, row.ICEServers)
		}
	}
}

func TestFilesAreRelativeToTheProfile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, scenario, play, wantScenario, wantPlay string }{
		{"built-in and tone", "uac", "tone:440", "uac", "tone:440"},
		{"files", "my.xml", "a.wav", filepath.Join("dir", "my.xml"), filepath.Join("dir", "a.wav")},
		{"in a directory", "../s/uac", "../a.wav", filepath.Join("s", "uac"), "a.wav"},
		{"absolute", "/s/my.xml", "/a.wav", "/s/my.xml", "/a.wav"},
		{"silence", "uac", "silence", "uac", "silence"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			data := fmt.Sprintf("{scenario: %q, media: {play: %q}}", c.scenario, c.play)
			loaded, err := Load(Sources{File: filepath.Join("dir", "p.yaml"), Data: []byte(data)})
			if err != nil {
				t.Fatal(err)
			}
			if p := loaded.Profile; p.Scenario != c.wantScenario || p.Media.Play != c.wantPlay {
				t.Errorf("got %q and %q, want %q and %q", p.Scenario, p.Media.Play, c.wantScenario, c.wantPlay)
			}
		})
	}
}

func TestUnreadableFiles(t *testing.T) {
	t.Parallel()
	if _, err := Lint("does-not-exist.yaml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file gives %v", err)
	}
	big := bytes.Repeat([]byte("#"), maxFile+1)
	if _, err := Load(Sources{File: "big.yaml", Data: big}); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a large file gives %v", err)
	}
	files := fstest.MapFS{"big.yaml": {Data: big}}
	if _, err := Load(Sources{File: "big.yaml", Open: files.Open}); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a large file gives %v", err)
	}
}

func TestEmptyFileIsAllDefaults(t *testing.T) {
	t.Parallel()
	for _, data := range []string{"", "# nothing\n", "load:\ntransports:\nthresholds:\n"} {
		loaded, err := Load(Sources{File: "p.yaml", Data: []byte(data), Partial: true})
		if err != nil {
			t.Errorf("%q: %v", data, err)
			continue
		}
		if p := loaded.Profile; p.Load.Rate != 10 || p.Load.Period != Duration(time.Second) || p.Media.Sockets != PerCall || p.Name != "p" {
			t.Errorf("%q is not all defaults: %+v", data, p)
		}
	}
}

func TestJSONHasTheKeysOfYAML(t *testing.T) {
	t.Parallel()
	p := load(t, "{scenario: x, transports: [{type: udp}, {type: webrtc, ice_auth_secret: hunter2}]}").Profile
	data, err := json.Marshal(p.Masked())
	if err != nil {
		t.Fatal(err)
	}
	var back map[string]any
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	rows, _ := back["transports"].([]any)
	if len(rows) != 2 {
		t.Fatalf("transports are %v", back["transports"])
	}
	row, _ := rows[1].(map[string]any)
	if row["type"] != "webrtc" || row["gather_timeout"] != "5s" || row["ice_auth_secret"] != mask {
		t.Errorf("the webrtc row is %v", row)
	}
	if load, _ := back["load"].(map[string]any); load["period"] != "1s" {
		t.Errorf("load is %v", back["load"])
	}
}
