package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/gossipper/gossipper/internal/engine"
	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/record"
	"github.com/gossipper/gossipper/internal/scenario"
	"github.com/gossipper/gossipper/internal/stats"
)

func TestTune(t *testing.T) {
	t.Parallel()
	meminfo := &fstest.MapFile{Data: []byte("MemTotal:       1000000 kB\nMemFree: 5 kB\n")}
	for _, c := range []struct {
		name    string
		environ []string
		root    fstest.MapFS
		percent int
		limit   int64
	}{
		{"the machine's memory", nil, fstest.MapFS{"proc/meminfo": meminfo}, 400, 1000000 * 1024 / 10 * 8},
		{"a smaller group", nil, fstest.MapFS{"proc/meminfo": meminfo, "sys/fs/cgroup/memory.max": {Data: []byte("500000\n")}}, 400, 400000},
		{"a group without limit", nil, fstest.MapFS{"proc/meminfo": meminfo, "sys/fs/cgroup/memory.max": {Data: []byte("max\n")}}, 400, 1000000 * 1024 / 10 * 8},
		{"an older group", nil, fstest.MapFS{"sys/fs/cgroup/memory/memory.limit_in_bytes": {Data: []byte("1000")}}, 400, 800},
		{"nothing known", nil, fstest.MapFS{}, 400, 0},
		{"garbage", nil, fstest.MapFS{"proc/meminfo": {Data: []byte("MemTotal: many kB\n")}}, 400, 0},
		{"the environment says it", []string{"GOGC=50", "GOMEMLIMIT=1GiB"}, fstest.MapFS{"proc/meminfo": meminfo}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			percent, limit := 0, int64(0)
			tune(&Env{Environ: c.environ}, c.root, func(p int) int { percent = p; return 100 }, func(l int64) int64 { limit = l; return 0 })
			if percent != c.percent || limit != c.limit {
				t.Errorf("GC percent %d, limit %d; want %d, %d", percent, limit, c.percent, c.limit)
			}
		})
	}
}

func TestGetenv(t *testing.T) {
	t.Parallel()
	env := &Env{Environ: []string{"A=1", "AB=2", "A=3"}}
	if got := env.Getenv("A"); got != "3" {
		t.Errorf("A = %q, want the last one", got)
	}
	if got := env.Getenv("B"); got != "" {
		t.Errorf("B = %q", got)
	}
}

func TestSecondsOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		want int
		ok   bool
	}{{"3600", 3600, true}, {"1h", 3600, true}, {"90s", 90, true}, {"-5", -5, true}, {"soon", 0, false}, {"", 0, false}, {"9999999h", 0, false}} {
		got, err := secondsOf(c.in)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("secondsOf(%q) = %d, %v; want %d", c.in, got, err, c.want)
		}
	}
}

func TestProgressPlain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		live := stats.NewRun()
		p := &progress{screen: &console{to: &out}, mode: progressPlain, live: live, start: time.Now(), now: time.Now}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { p.run(ctx); close(done) }()
		live.CallsStarted.Store(50)
		live.CallsRunning.Store(7)
		live.EndCall(outcome.Success)
		live.EndCall(outcome.NoAnswer)
		live.Setup.Record(20 * time.Millisecond)
		live.StartsMissed.Store(4)
		live.Dropped.Store(9)
		<-time.After(plainInterval + time.Millisecond) // virtual time
		live.CallsStarted.Store(150)
		<-time.After(plainInterval)
		cancel()
		<-done
		want := "   5.0s  started 50  running 7  ok 1  failed 1  10.0/s  setup p50 20.0 ms p95 20.0 ms  missed 4  dropped 9\n" +
			"  10.0s  started 150  running 7  ok 1  failed 1  20.0/s  setup p50 20.0 ms p95 20.0 ms  missed 4  dropped 9\n" +
			"  10.0s  started 150  running 7  ok 1  failed 1  setup p50 20.0 ms p95 20.0 ms  missed 4  dropped 9\n"
		if out.String() != want {
			t.Errorf("got\n%s\nwant\n%s", out.String(), want)
		}
	})
}

func TestProgressOnATerminal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := &progress{
			screen: &console{to: &out}, mode: progressTTY, live: stats.NewRun(), start: time.Now(), now: time.Now,
			width: func() int { return 21 },
		}
		ctx, cancel := context.WithTimeout(t.Context(), ttyInterval*2+time.Millisecond)
		defer cancel()
		p.run(ctx)
		want := eraseLine + "   0.5s  started 0  " + eraseLine + "   1.0s  started 0  " +
			eraseLine + "   1.0s  started 0  running 0  ok 0  failed 0\n"
		if out.String() != want {
			t.Errorf("got  %q\nwant %q", out.String(), want)
		}
	})
}

func TestProgressMode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		flag     string
		terminal bool
		want     string
	}{{"auto", true, "tty"}, {"auto", false, "plain"}, {"none", true, "none"}, {"plain", true, "plain"}, {"tty", false, "tty"}} {
		if got := progressMode(c.flag, &Env{Terminal: c.terminal}); got != c.want {
			t.Errorf("--progress %s, terminal %v: %s, want %s", c.flag, c.terminal, got, c.want)
		}
	}
}

func TestConsoleErasesTheStatusLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	c := &console{to: &out}
	c.say("one\n")
	c.showStatus("status")
	c.say("two")
	c.clearStatus()
	if want := "one\n" + eraseLine + "status" + eraseLine + "two\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestLogLimitsWarningsOnTheScreen(t *testing.T) {
	t.Parallel()
	var file, screen bytes.Buffer
	log := newLog(&file, &console{to: &screen}, "errors.log").With("run", "x").WithGroup("g")
	log.Info("only in the file")
	for n := range maxConsoleWarnings + 5 {
		log.Warn("odd", "n", n)
	}
	if got := strings.Count(file.String(), "msg=odd run=x g.n="); got != maxConsoleWarnings+5 {
		t.Errorf("the file has %d warnings:\n%s", got, file.String())
	}
	if !strings.Contains(file.String(), "only in the file") || strings.Contains(screen.String(), "only in the file") {
		t.Error("information belongs into the file alone")
	}
	if got := strings.Count(screen.String(), "Warning: odd (run x, g.n "); got != maxConsoleWarnings {
		t.Errorf("the screen shows %d warnings:\n%s", got, screen.String())
	}
	if got := strings.Count(screen.String(), "all are in errors.log"); got != 1 {
		t.Errorf("it is said %d times where the rest is", got)
	}
	if log.Enabled(t.Context(), slog.LevelDebug) {
		t.Error("debugging is on")
	}
}

func TestRecordOfAResult(t *testing.T) {
	t.Parallel()
	dir, err := record.CreateRunDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.FixedZone("x", 3600))
	made := &recorder{dir: dir, rtds: []string{"setup", "never"}, kind: media.KindWebRTC}
	unknown := made.record(&engine.Result{
		CallNumber: 1, CallID: "a", Role: scenario.UAS, StartedAt: start, EndedAt: start, Outcome: outcome.Aborted,
		Failure: &outcome.Failure{Outcome: outcome.Aborted, Code: "aborted", Reason: "the run was stopped"}, FailedStep: "recv ACK (line 3)",
	})
	if unknown.Media != nil || unknown.WebRTC != nil || unknown.Local != nil || unknown.SIP.FinalStatus != nil || unknown.SIP.SetupMS != nil ||
		unknown.FailStage != nil || unknown.Recording != nil || unknown.MediaKind != "webrtc" || *unknown.FailedStep != "recv ACK (line 3)" ||
		unknown.SIP.ResponseTimes["setup"] != nil || len(unknown.SIP.ResponseTimes) != 2 {
		t.Errorf("what is unknown must be null: %+v", unknown)
	}
	if unknown.StartedAt.Format(time.RFC3339Nano) != "2026-03-01T11:00:00.123456Z" {
		t.Errorf("started at %v, want UTC to the microsecond", unknown.StartedAt)
	}
	setup := 1500 * time.Microsecond
	known := made.record(&engine.Result{
		StartedAt: start, EndedAt: start.Add(2 * time.Second), Outcome: outcome.Success,
		Local: netip.MustParseAddrPort("127.0.0.1:5060"),
		SIP:   engine.SIPResult{FinalStatus: 200, Setup: &setup, ResponseTimes: []*time.Duration{&setup, nil}, Retransmissions: 2},
		Media: media.Stats{
			Kind: media.KindWebRTC, Codec: "PCMA", PacketsSent: 10, PacketsReceived: 8, PacketsLost: 2, FractionLost: new(0.2),
			ConnectedAt: start.Add(30 * time.Millisecond), FirstRTPAt: start.Add(50 * time.Millisecond),
			Recording: filepath.Join(dir.Recordings(), "x.wav"),
			WebRTC: &media.WebRTCStats{
				PCID: "pc", TURNAuth: "rest", TURNCredentialExpires: start.Add(time.Hour),
				SelectedPair: &media.CandidatePair{
					Local:  media.Candidate{ID: "1", Type: "host", Protocol: "udp", Address: netip.MustParseAddrPort("127.0.0.1:9")},
					Remote: media.Candidate{ID: "2", Type: "prflx", Protocol: "udp"},
				},
				ICEErrors: []media.ICEError{{URL: "turn:a", Code: 401, Text: "Unauthorized"}, {URL: "stun:b", Text: "no answer"}},
				Timeline:  []media.TimelineEntry{{At: start.Add(time.Millisecond), Event: "offer_created"}},
			},
		},
	})
	w := known.WebRTC
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"setup", *known.SIP.SetupMS, 1.5},
		{"response time", *known.SIP.ResponseTimes["setup"], 1.5},
		{"duration", known.DurationMS, 2000.0},
		{"lost", *known.Media.PacketsLost, int64(2)},
		{"connected", *known.Media.ConnectMS, 30.0},
		{"first packet", *known.Media.FirstRTPMS, 50.0},
		{"recording", *known.Recording, "recordings/x.wav"},
		{"RTP counters", w.RTPPacketsSent + w.RTPPacketsReceived, uint64(18)},
		{"pair", w.SelectedPair.Local.Type + "-" + w.SelectedPair.Remote.Type, "host-prflx"},
		{"address of the pair", *w.SelectedPair.Local.Address, "127.0.0.1:9"},
		{"unknown address of the pair", w.SelectedPair.Remote.Address == nil, true},
		{"ICE error", *w.ICEErrors[0].Code, 401},
		{"no answer", w.ICEErrors[1].Code == nil, true},
		{"timeline", w.Timeline[0].MS, 1.0},
		{"expiry", w.TURNCredExpires.Format(time.RFC3339), "2026-03-01T12:00:00Z"},
	} {
		if c.got != c.want {
			t.Errorf("%s = %v, want %v", c.what, c.got, c.want)
		}
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	v4, v6 := netip.MustParseAddrPort("127.0.0.1:0"), netip.MustParseAddrPort("[::1]:0")
	for _, c := range []struct {
		name, target string
		local        netip.AddrPort
		given        bool
		want         string // empty: an error
	}{
		{"IPv4", "127.0.0.1:5070", v4, true, "127.0.0.1:5070"},
		{"IPv6, nothing given", "[::1]:5070", v4, false, "[::1]:5070"},
		{"IPv6 from IPv4", "[::1]:5070", v4, true, ""},
		{"IPv4 from IPv6", "127.0.0.1:5070", v6, true, ""},
		{"IPv4 from all addresses", "127.0.0.1:5070", netip.MustParseAddrPort("[::]:0"), true, "127.0.0.1:5070"},
		{"port 0", "127.0.0.1:0", v4, true, ""},
		{"no port", "127.0.0.1", v4, true, ""},
		{"a name that cannot exist", "nowhere.invalid:5060", v4, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := resolve(t.Context(), c.target, c.local, c.given)
			if (err != nil) != (c.want == "") || err == nil && got.String() != c.want {
				t.Errorf("resolve = %v, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestUserFiles(t *testing.T) {
	t.Parallel()
	mine := writeFile(t, "mine.wav", "mine")
	files := userFiles{fstest.MapFS{"speech.wav": {Data: []byte("built in")}}}
	for name, want := range map[string]string{mine: "mine", "speech.wav": "built in"} {
		file, err := files.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		text := make([]byte, 20)
		n, _ := file.Read(text)
		file.Close()
		if string(text[:n]) != want {
			t.Errorf("%s holds %q, want %q", name, text[:n], want)
		}
	}
	if _, err := files.Open("/no/such.wav"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want ErrNotExist", err)
	}
}

func TestLostRecordsEndTheRunWith255(t *testing.T) {
	t.Parallel()
	uas, address := listen(t, "uas", "--calls", "2", "--media", "none")
	dir := filepath.Join(t.TempDir(), "run")
	p := &program{signals: make(chan os.Signal, 1)}
	env := &Env{Stdout: &p.stdout, Stderr: &p.stderr, Signals: p.signals, Now: time.Now, Width: func() int { return 80 }}
	flags := runFlags{out: dir, progress: progressNone, media: "none"}
	flags.set("load.calls", "2", "test")
	checked, err := prepare(t.Context(), env, request{scenario: "uac", target: address, flags: flags})
	if err != nil {
		t.Fatal(err)
	}
	r, err := start(checked, env, &console{to: &p.stderr})
	if err != nil {
		t.Fatal(err)
	}
	// As if the disk were gone: no record can be written from here on.
	if err := r.records.Close(); err != nil {
		t.Fatal(err)
	}
	summary, runErr := supervise(t.Context(), r, progressNone)
	uas.end(t, ExitOK)
	if code := exitCodeOf(finish(env, summary, runErr)); code != ExitFatal {
		t.Errorf("exit code %d, want %d", code, ExitFatal)
	}
	for _, want := range []string{"call records are being lost", "2 call records were not written"} {
		if said := fmt.Sprint(p.stderr.String(), p.stdout.String()); !strings.Contains(said, want) {
			t.Errorf("nothing says %q:\n%s", want, said)
		}
	}
}
