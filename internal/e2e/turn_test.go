package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/testpeer"
)

// profileWith writes a profile with one webrtc row and returns its path.
func profileWith(t *testing.T, row string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "profile.yaml")
	text := "name: test\ntransports:\n  - {type: udp, listen: \"127.0.0.1:0\"}\n  - type: webrtc\n"
	for _, line := range strings.Split(strings.TrimSpace(row), "\n") {
		text += "    " + strings.TrimSpace(line) + "\n"
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func relayRow(server *testpeer.TURNServer, secret string) string {
	return "enabled: true\nice_servers: [\"" + server.URL() + "\"]\nice_auth_secret: \"" + secret + "\"\nice_policy: relay"
}

func TestProfileSendsWebRTCThroughCoturn(t *testing.T) {
	t.Parallel()
	server := testpeer.Coturn(t)
	profile := profileWith(t, relayRow(server, server.Secret))
	uas, address := listen(t, "call_uas", "--profile", profile, "--calls", "5")
	uac := start(t, "call_uac", address, "--profile", profile, "--calls", "5", "--rate", "5", "--hold", "1s")
	uac.end(t, 0)
	uas.end(t, 0)
	for _, side := range []*run{uac, uas} {
		for _, rec := range side.wantOutcomes(t, map[string]int{"success": 5}) {
			switch {
			case rec.MediaKind != "webrtc" || rec.WebRTC == nil || rec.WebRTC.SelectedPair == nil:
				t.Errorf("call %d: media %s, webrtc %+v", rec.CallNumber, rec.MediaKind, rec.WebRTC)
			case rec.WebRTC.SelectedPair.Local.Type != "relay":
				t.Errorf("call %d: local candidate is %s, want relay", rec.CallNumber, rec.WebRTC.SelectedPair.Local.Type)
			case rec.WebRTC.TURNAuth != "rest":
				t.Errorf("call %d: turn_auth is %s, want rest", rec.CallNumber, rec.WebRTC.TURNAuth)
			case rec.Media.PacketsReceived == 0:
				t.Errorf("call %d: no packet arrived", rec.CallNumber)
			}
		}
	}
	wantRelayedCalls(t, server, 10)
}

// wantRelayedCalls reads coturn's log: one allocation per call and side under a name <expiry>:<identity>, and the bytes of
// their sessions.
func wantRelayedCalls(t *testing.T, server *testpeer.TURNServer, allocations int) {
	t.Helper()
	server.WaitOutput(t, "usage:")
	log := server.Output()
	names := regexp.MustCompile(`new, realm=<[^>]*>, username=<\d{10}:gossipper>`).FindAllString(log, -1)
	if len(names) != allocations {
		t.Errorf("coturn made %d allocations for <expiry>:gossipper, want %d", len(names), allocations)
	}
	relayed := regexp.MustCompile(`usage: realm=<[^>]*>, username=<\d{10}:gossipper>, rp=[1-9]\d*, rb=[1-9]\d*, sp=[1-9]\d*, sb=[1-9]\d*`)
	if !relayed.MatchString(log) {
		t.Error("coturn's log shows no session with relayed bytes")
	}
}

func TestDisabledRowRunsTheSameScenarioOverRTP(t *testing.T) {
	t.Parallel()
	row := "enabled: false\nice_servers: [\"turn:127.0.0.1:9\"]\nice_auth_secret: s\nice_policy: relay"
	profile := profileWith(t, row)
	uas, address := listen(t, "call_uas", "--profile", profile, "--calls", "3")
	uac := start(t, "call_uac", address, "--profile", profile, "--calls", "3", "--hold", "1s")
	uac.end(t, 0)
	uas.end(t, 0)
	for _, side := range []*run{uac, uas} {
		for _, rec := range side.wantOutcomes(t, map[string]int{"success": 3}) {
			if rec.MediaKind != "rtp" || rec.WebRTC != nil || rec.Media.PacketsReceived == 0 {
				t.Errorf("call %d: media %s, %+v, webrtc %v", rec.CallNumber, rec.MediaKind, rec.Media, rec.WebRTC)
			}
		}
	}
}

func TestWrongTURNSecretIsExplained(t *testing.T) {
	t.Parallel()
	server := testpeer.Coturn(t)
	_, address := listen(t, "webrtc_uas")
	uac := start(t, "webrtc_uac", address, "--profile", profileWith(t, relayRow(server, "wrong")), "--calls", "2")
	uac.end(t, 1)
	for _, rec := range uac.wantOutcomes(t, map[string]int{"media_failed": 2}) {
		if stage := text(rec.FailStage); stage != "gather" && stage != "ice" {
			t.Errorf("call %d failed at stage %s, want gather or ice", rec.CallNumber, stage)
		}
		if reason := text(rec.Reason); !strings.Contains(reason, server.Addr.String()) || !strings.Contains(reason, "401") {
			t.Errorf("call %d: reason %q names not both the server %v and 401", rec.CallNumber, reason, server.Addr)
		}
		if strings.Contains(text(rec.Reason), "wrong") {
			t.Errorf("call %d: reason shows the secret", rec.CallNumber)
		}
	}
}

// wantOnSchedule checks that calls were started when they were due: n of them n/rate seconds after the first.
func wantOnSchedule(t *testing.T, all []record, rate float64) {
	t.Helper()
	const late = 250 * time.Millisecond // of a busy machine
	var first time.Time
	for _, rec := range all {
		if rec.CallNumber == 1 {
			first = rec.StartedAt
		}
	}
	if first.IsZero() {
		t.Fatal("there is no record of the first call")
	}
	for _, rec := range all {
		due := first.Add(time.Duration(float64(rec.CallNumber-1) / rate * float64(time.Second)))
		if off := rec.StartedAt.Sub(due); off.Abs() > late {
			t.Errorf("call %d was started %v off schedule", rec.CallNumber, off)
		}
	}
}

func TestDeadServersDelayNothing(t *testing.T) {
	t.Parallel()
	dead := testpeer.BlackHole(t).String()
	uas, address := listen(t, "webrtc_uas", "--calls", "60")
	uac := start(t, "webrtc_uac", address, "--calls", "60", "--rate", "20", "--hold", "500ms",
		"--ice-server", "stun:"+dead, "--ice-server", "turn:user:password@"+dead)
	uac.end(t, 0)
	uas.end(t, 0)
	all := uac.wantOutcomes(t, map[string]int{"success": 60})
	wantOnSchedule(t, all, 20)
	for _, rec := range all {
		for _, entry := range rec.WebRTC.Timeline {
			if entry.Event == "offer_created" && entry.AtMS >= 500 {
				t.Errorf("call %d: the offer took %.0f ms", rec.CallNumber, entry.AtMS)
			}
		}
	}
	if summary := uac.summary(t); summary.StartsMissed != 0 {
		t.Errorf("%d calls were not started in time", summary.StartsMissed)
	}
}
