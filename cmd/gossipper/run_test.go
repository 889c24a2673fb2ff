package main

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/report"
	"github.com/gossipper/gossipper/internal/schematest"
)

func TestCallsOverLoopback(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, uac, uas, kind string
		args                 []string
	}{
		{"signalling only", "uac", "uas", "none", []string{"--media", "none"}},
		{"RTP", "call_uac", "call_uas", "rtp", []string{"--hold", "300ms"}},
		{"RTP for SDP written by hand", "uac", "uas", "rtp", []string{"--media", "rtp", "--hold", "300ms"}},
		{"a socket for each call", "uac", "uas", "none", []string{"--sockets", "per-call", "--media", "none"}},
		{"WebRTC", "webrtc_uac", "webrtc_uas", "webrtc", []string{"--hold", "300ms", "--record-wav"}},
		{"WebRTC by flag", "call_uac", "call_uas", "webrtc", []string{"--media", "webrtc", "--hold", "300ms"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"--calls", "10"}, c.args...)
			uas, address := listen(t, append([]string{c.uas}, args...)...)
			uac := launchRun(t, append([]string{c.uac, address, "--rate", "50"}, args...)...)
			uac.end(t, ExitOK)
			uas.end(t, ExitOK)
			for _, s := range []*side{uac, uas} {
				summary := s.summary(t)
				if summary.Verdict != report.Passed || summary.Calls.OK != 10 || summary.Media != c.kind || summary.Setup.Count != 10 {
					t.Errorf("summary %+v", summary)
				}
				records := s.records(t)
				if len(records) != 10 {
					t.Fatalf("%d records, want 10", len(records))
				}
				for _, r := range records {
					hasMedia, hasWebRTC := r.Media != nil, r.WebRTC != nil
					if r.Outcome != outcome.Success || r.MediaKind != c.kind || hasMedia != (c.kind != "none") || hasWebRTC != (c.kind == "webrtc") {
						t.Errorf("call %d: %v, media %s, figures %v, WebRTC %v", r.CallNumber, r.Outcome, r.MediaKind, hasMedia, hasWebRTC)
					}
					if r.SIP.SetupMS == nil || r.SIP.FinalStatus == nil || *r.SIP.FinalStatus != 200 || r.Local == nil || r.Remote == nil {
						t.Errorf("call %d: signalling %+v from %v to %v", r.CallNumber, r.SIP, r.Local, r.Remote)
					}
					if hasWebRTC {
						checkWebRTC(t, s, r.WebRTC.SelectedPair != nil, r.Recording)
					}
				}
			}
			if slices.Contains(args, "per-call") && !strings.Contains(uac.stdout.String(), "calling "+address+" from a udp socket per call on 127.0.0.1\n") {
				t.Errorf("it said\n%s", uac.stdout.String())
			}
			if text := uac.stdout.String(); !strings.Contains(text, "PASSED  all 10 calls succeeded") || !strings.Contains(text, uac.dir) {
				t.Errorf("the summary says\n%s", text)
			}
		})
	}
}

func checkWebRTC(t *testing.T, s *side, paired bool, recording *string) {
	t.Helper()
	if !paired {
		t.Error("no pair of candidates was selected")
	}
	if recording == nil {
		return
	}
	if info, err := os.Stat(filepath.Join(s.dir, filepath.FromSlash(*recording))); err != nil || info.Size() < 1000 {
		t.Errorf("recording %s: %v", *recording, err)
	}
}

func TestProfileDrivesTheRun(t *testing.T) {
	t.Parallel()
	uas, address := listen(t, "call_uas", "--calls", "3", "--media", "webrtc")
	file := writeFile(t, "edge.yaml", `
scenario: call_uac
target: sip:alice@`+address+`
transports:
  - {type: udp, listen: "127.0.0.1:0"}
  - {type: webrtc, prefer_pcma: true, ice_servers: ["turn:user:pa55word@127.0.0.1:9"]}
load: {rate: 100, calls: 7, hold: 200ms}
`)
	// The environment wins over the file, the flag over both.
	uac := launchRunWith(t, []string{"GOSSIPPER_LOAD_RATE=20", "GOSSIPPER_LOAD_CALLS=5"}, "-p", file, "--calls", "3")
	uac.end(t, ExitOK)
	uas.end(t, ExitOK)
	summary := uac.summary(t)
	if summary.Calls.Asked == nil || *summary.Calls.Asked != 3 || summary.Rate.Asked == nil || *summary.Rate.Asked != 20 || summary.Media != "webrtc" {
		t.Errorf("calls %v, rate %v, media %s; want 3 calls at 20 a second over WebRTC", summary.Calls.Asked, summary.Rate.Asked, summary.Media)
	}
	for _, r := range uac.records(t) {
		if r.Media == nil || r.Media.Codec == nil || *r.Media.Codec != "PCMA" || r.WebRTC.TURNAuth != "inline" {
			t.Errorf("call %d: media %+v, want PCMA; TURN auth %s, want inline", r.CallNumber, r.Media, r.WebRTC.TURNAuth)
		}
	}
	job, err := os.ReadFile(filepath.Join(uac.dir, "job.json"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(job), "pa55word") || !strings.Contains(string(job), "********") {
		t.Errorf("job.json does not mask the password:\n%s", job)
	}
}

func TestExitCodesOfRuns(t *testing.T) {
	t.Parallel()
	taken, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	inUse := taken.LocalAddr().String()
	full := filepath.Dir(writeFile(t, "something.txt", ""))
	broken := writeFile(t, "broken.xml", "<scenario>\n<send>\n</scenario>")
	webrtcOnly := writeFile(t, "snippet.xml", "<scenario name=\"x\">\n<recv request=\"INVITE\"/>\n<send><![CDATA[\nSIP/2.0 200 OK\n[last_Via:]\n\n[webrtc_answer]\n]]></send>\n</scenario>")
	for _, c := range []struct {
		name string
		args []string
		code ExitCode
		says string
	}{
		{"no scenario", []string{"run"}, ExitUsage, "no scenario"},
		{"unknown scenario", []string{"run", "webrtc_ua"}, ExitUsage, "webrtc_uac"},
		{"no target", []string{"run", "uac"}, ExitUsage, "no target"},
		{"a target for a UAS", []string{"run", "uas", "127.0.0.1"}, ExitUsage, "waits for calls"},
		{"a target that is none", []string{"run", "uac", "sip:@@"}, ExitUsage, "TARGET"},
		{"TCP", []string{"run", "uac", "sip:a@127.0.0.1;transport=tcp"}, ExitUsage, "not supported yet"},
		{"TCP by flag", []string{"run", "uac", "127.0.0.1", "--transport", "tcp"}, ExitUsage, "not supported yet"},
		{"WebRTC as transport", []string{"run", "uac", "127.0.0.1", "--transport", "webrtc"}, ExitUsage, "--media webrtc"},
		{"wrong rate", []string{"run", "uac", "127.0.0.1", "--rate", "fast"}, ExitUsage, "--rate"},
		{"wrong media", []string{"run", "uac", "127.0.0.1", "--media", "video"}, ExitUsage, "--media"},
		{"wrong lifetime", []string{"run", "uac", "127.0.0.1", "--ice-auth-ttl", "soon"}, ExitUsage, "--ice-auth-ttl"},
		{"unknown flag", []string{"run", "--warp"}, ExitUsage, "--warp"},
		{"three arguments", []string{"run", "a", "b", "c"}, ExitUsage, "at most 2"},
		{"unknown command of a group", []string{"turn", "chek"}, ExitUsage, "did you mean check?"},
		{"unknown command", []string{"rum"}, ExitUsage, "did you mean run?"},
		{"no such profile", []string{"run", "-p", "/no/such.yaml"}, ExitUsage, "such.yaml"},
		{"role and scenario differ", []string{"run", "uas", "-p", writeFile(t, "p.yaml", "role: uac\ntarget: 127.0.0.1\n")}, ExitUsage, "plays a uas"},
		{"broken scenario", []string{"run", broken, "127.0.0.1"}, ExitUsage, "broken.xml:"},
		{"WebRTC keyword over RTP", []string{"run", webrtcOnly}, ExitUsage, "snippet.xml:7"},
		{"no such sound", []string{"run", "call_uas", "--play", "/no/such.wav"}, ExitUsage, "such.wav"},
		{"TURN without credentials", []string{"run", "webrtc_uas", "--ice-server", "turn:127.0.0.1"}, ExitUsage, "credentials"},
		{"address in use", []string{"run", "uas", "--local", inUse}, ExitBind, inUse},
		{"directory in use", []string{"run", "uas", "--local", "127.0.0.1:0", "--out", full}, ExitFatal, "not empty"},
		{"profile that is wrong", []string{"profile", "lint", writeFile(t, "bad.yaml", "lod: {}\n")}, ExitFailed, ":1:1"},
		{"scenario that is wrong", []string{"scenario", "lint", broken, "uac"}, ExitFailed, "broken.xml:"},
		{"no such built-in", []string{"scenario", "show", "uax"}, ExitUsage, "uac"},
		{"mint without secret", []string{"turn", "credential"}, ExitUsage, "--secret"},
		{"check of a wrong URL", []string{"turn", "check", "http://x"}, ExitUsage, "http"},
		{"wrong progress", []string{"demo", "--progress", "loud"}, ExitUsage, "--progress"},
		{"demo without calls", []string{"demo", "--calls", "0"}, ExitUsage, "--calls"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := launch(t, c.args...).end(t, c.code)
			if said := p.stdout.String() + p.stderr.String(); !strings.Contains(said, c.says) {
				t.Errorf("it said %q, want something with %q", said, c.says)
			}
		})
	}
}

func TestFailedCalls(t *testing.T) {
	t.Parallel()
	// A port at which nobody listens.
	gone, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	address := gone.LocalAddr().String()
	gone.Close()
	file := writeFile(t, "quick.xml", `<scenario name="quick">
<send retrans="10"><![CDATA[
OPTIONS sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:a@[local_ip]>;tag=[call_number]
To: <sip:b@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 OPTIONS
Content-Length: 0

]]></send>
<recv response="200" timeout="300"/>
</scenario>`)
	p := launchRun(t, file, address, "--calls", "3", "--rate", "100")
	p.end(t, ExitFailed)
	summary := p.summary(t)
	if summary.Verdict != report.Failed || summary.Calls.Failed != 3 || len(summary.Failures) == 0 || summary.Failures[0].Count != 3 {
		t.Errorf("verdict %s, calls %+v, failures %+v", summary.Verdict, summary.Calls, summary.Failures)
	}
	for _, r := range p.records(t) {
		if r.Outcome == outcome.Success || r.Reason == nil || r.FailedStep == nil || r.FailStage == nil || *r.FailStage != "sip" || r.SIP.FinalStatus != nil {
			t.Errorf("call %d: %v, reason %v, stage %v, step %v, status %v", r.CallNumber, r.Outcome, r.Reason, r.FailStage, r.FailedStep, r.SIP.FinalStatus)
		}
	}
}

func TestRunWithoutCalls(t *testing.T) {
	t.Parallel()
	p, _ := listen(t, "uas", "--duration", "50ms")
	p.end(t, ExitNoCalls)
	if s := p.summary(t); s.Verdict != report.NoCalls {
		t.Errorf("verdict %s", s.Verdict)
	}
}

func TestSignals(t *testing.T) {
	t.Parallel()
	t.Run("the first lets calls finish", func(t *testing.T) {
		t.Parallel()
		uas, address := listen(t, "uas")
		uac := launchRun(t, "uac", address, "--rate", "20", "--hold", "1s", "--progress", "tty", "--media", "none")
		uac.stderr.wait(t, uac.program, "setup p50")
		uac.signals <- os.Interrupt
		uac.stderr.wait(t, uac.program, "press Ctrl-C again to end now")
		uac.end(t, ExitOK)
		uas.signals <- os.Interrupt
		uas.end(t, ExitOK)
		summary := uac.summary(t)
		if summary.Calls.Started == 0 || summary.Calls.OK != summary.Calls.Started {
			t.Errorf("calls %+v, want all that were started to succeed", summary.Calls)
		}
	})
	t.Run("the second ends them", func(t *testing.T) {
		t.Parallel()
		uas, address := listen(t, "uas")
		uac := launchRun(t, "uac", address, "--rate", "20", "--hold", "1h", "--progress", "tty", "--media", "none")
		uac.stderr.wait(t, uac.program, "running 1")
		uac.signals <- os.Interrupt
		uac.stderr.wait(t, uac.program, "press Ctrl-C again to end now")
		uac.signals <- os.Interrupt
		uac.end(t, ExitFailed)
		uas.signals <- os.Interrupt
		uas.signals <- os.Interrupt
		<-uas.done
		summary := uac.summary(t)
		if n := summary.Calls.ByOutcome[outcome.Aborted]; n == 0 || n != summary.Calls.Started {
			t.Errorf("calls %+v, want all aborted", summary.Calls)
		}
		if got := len(uac.records(t)); uint64(got) != summary.Calls.Started {
			t.Errorf("%d records of %d calls", got, summary.Calls.Started)
		}
	})
}

func TestLimitIsReported(t *testing.T) {
	t.Parallel()
	uas, address := listen(t, "uas", "--calls", "5", "--media", "none")
	uac := launchRun(t, "uac", address, "--rate", "100", "--calls", "5", "--limit", "1", "--hold", "50ms", "--media", "none")
	uac.end(t, ExitOK)
	uas.end(t, ExitOK)
	if s := uac.summary(t); s.StartsMissed == nil || *s.StartsMissed == 0 || !strings.Contains(strings.Join(s.Warnings, "\n"), "limit of 1 open calls") {
		t.Errorf("starts missed %v, warnings %v", s.StartsMissed, s.Warnings)
	}
}

func TestWarningsReachScreenAndLog(t *testing.T) {
	t.Parallel()
	p, _ := listen(t, "uas", "--duration", "50ms", "--ice-server", "turn:a:b@127.0.0.1", "--ice-auth-secret", "hush")
	p.end(t, ExitNoCalls)
	log, err := os.ReadFile(filepath.Join(p.dir, "errors.log"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"the screen": p.stderr.String(), "errors.log": string(log)} {
		for _, want := range []string{"--ice-auth-secret: other users", "--ice-server: other users", "the ICE servers are not used"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q:\n%s", name, want, text)
			}
		}
		if strings.Contains(text, "hush") {
			t.Errorf("%s shows the secret", name)
		}
	}
}

func TestJobSchemaHasTheFieldsOfTheStruct(t *testing.T) {
	t.Parallel()
	schematest.SameProperties(t, "job", reflect.TypeFor[job]())
}

func TestRebuiltSummaryIsThatOfTheRun(t *testing.T) {
	t.Parallel()
	uas, address := listen(t, "uas", "--calls", "4", "--media", "none")
	uac := launchRun(t, "uac", address, "--calls", "4", "--rate", "50", "--media", "none")
	uac.end(t, ExitOK)
	uas.end(t, ExitOK)
	file, err := os.Open(filepath.Join(uac.dir, "call_records.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rebuilt, err := report.Rebuild(file, uac.dir)
	if err != nil {
		t.Fatal(err)
	}
	live := uac.summary(t)
	type figures struct {
		Calls, ByCode, Setup, PDD, Rate any
	}
	live.Calls.Asked, live.Rate.Asked = nil, nil
	got, want := figures{rebuilt.Calls, rebuilt.FailuresByCode, rebuilt.Setup, rebuilt.PDD, rebuilt.Rate},
		figures{live.Calls, live.FailuresByCode, live.Setup, live.PDD, live.Rate}
	gotJSON, _ := json.Marshal(got)
	wantJSON, _ := json.Marshal(want)
	if string(gotJSON) != string(wantJSON) {
		t.Errorf("rebuilt %s\nwant %s", gotJSON, wantJSON)
	}
}
