package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/record"
	"github.com/gossipper/gossipper/internal/schematest"
	"github.com/gossipper/gossipper/internal/stats"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// call is the n-th call of a run of ten a second.
func call(n int) *record.Record {
	at := start.Add(time.Duration(n-1) * 100 * time.Millisecond)
	return &record.Record{
		Schema: record.Schema, CallID: fmt.Sprintf("%d-1@127.0.0.1", n), CallNumber: uint64(n), Role: "uac", Scenario: "webrtc_uac",
		StartedAt: at, EndedAt: at.Add(3 * time.Second), DurationMS: 3000,
		Outcome: outcome.Success, MediaKind: "webrtc",
		SIP: record.SIP{
			FinalStatus: new(200), SetupMS: new(float64(10 * n)), PDDMS: new(float64(n)),
			MessagesSent: 3, MessagesReceived: 4, ResponseTimes: map[string]*float64{},
		},
		Media: &record.Media{
			Codec: new("PCMA"), PacketsSent: 150, PacketsReceived: 149, PacketsLost: new(int64(1)), ConnectMS: new(20.0),
		},
		WebRTC: &record.WebRTC{
			PCID: "pc", ICEGathering: "complete", ICEConnection: "connected", Connection: "connected", TURNAuth: "none",
			SelectedPair: &record.SelectedPair{
				Local: record.Candidate{ID: "1", Type: "host", Protocol: "udp"}, Remote: record.Candidate{ID: "2", Type: "host", Protocol: "udp"},
			},
			ICEErrors: []record.ICEError{}, Timeline: []record.Event{},
		},
		Recording: new(fmt.Sprintf("recordings/%d.wav", n)),
	}
}

// failed makes a record one of a failed call.
func failed(r *record.Record, o outcome.Outcome, stage outcome.Stage, code, step, reason string) *record.Record {
	r.Outcome, r.FailStage, r.ErrorCode, r.FailedStep, r.Reason = o, new(stage.String()), &code, &step, &reason
	r.Recording, r.WebRTC.SelectedPair = nil, nil
	r.Media.PacketsReceived, r.Media.PacketsLost, r.Media.ConnectMS = 0, nil, nil
	return r
}

func allOK() (Run, []*record.Record) {
	var calls []*record.Record
	for n := range 20 {
		calls = append(calls, call(n+1))
	}
	live := stats.NewRun()
	live.CallsStarted.Store(20)
	live.MessagesSent.Store(60)
	live.MessagesReceived.Store(80)
	snapshot := live.Snapshot()
	return Run{
		Role: "uac", Scenario: "webrtc_uac", Media: "webrtc", Target: "sip:service@127.0.0.1:5060", StartedAt: start, EndedAt: start.Add(5 * time.Second),
		AskedCalls: 20, AskedRate: 10, Limit: 50, RunDir: "runs/20260301T120000Z-webrtc_uac", Live: &snapshot,
	}, calls
}

func someFailed() (Run, []*record.Record) {
	run, calls := allOK()
	for n := range 3 {
		failed(calls[n], outcome.Rejected, outcome.StageSIP, "sip_486", "recv 200 (line 31)", "127.0.0.1:5060 answered 486 Busy Here")
		calls[n].SIP.SetupMS = nil
	}
	bad := failed(calls[5], outcome.MediaFailed, outcome.StageGather, "turn_unauthorized", "send INVITE (line 3)", "turn:192.0.2.1:3478 refused the credentials (401)")
	bad.WebRTC.ICEErrors = []record.ICEError{{URL: "turn:192.0.2.1:3478", Code: new(401), Text: "Unauthorized"}}
	bad.SIP.SetupMS, bad.SIP.PDDMS = nil, nil
	failed(calls[6], outcome.NoAnswer, outcome.StageSIP, "no_answer", "recv 100 (line 20)", "no answer to 6 INVITEs\x1b[31m").SIP.SetupMS = nil
	calls[8].Media.PacketsReceived, calls[8].Media.PacketsLost = 0, nil
	run.AskedCalls = 40
	run.Live.CallsStarted = 21
	run.Live.StartsMissed = 12
	run.Live.Dropped = 3
	run.Live.Malformed = 2
	run.Live.OutOfCall = 1
	run.Live.RetransmissionsReceived = 4
	run.Live.Retransmissions = 5
	run.Warnings = []string{"the secret is on the command line"}
	return run, calls
}

func build(run Run, calls []*record.Record) *Summary {
	all := NewAccumulator()
	for _, r := range calls {
		all.Add(r)
	}
	return Build(run, all)
}

func TestGoldenSummaries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		make func() (Run, []*record.Record)
	}{
		{"all_ok", allOK},
		{"some_failed", someFailed},
		{"no_calls", func() (Run, []*record.Record) {
			return Run{Role: "uas", Scenario: "uas", Media: "none", StartedAt: start, EndedAt: start.Add(time.Minute)}, nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := build(c.make())
			var text bytes.Buffer
			if err := s.WriteText(&text); err != nil {
				t.Fatal(err)
			}
			golden(t, c.name+".txt", text.Bytes())
			encoded, err := json.MarshalIndent(s, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			schematest.Validate(t, "summary", encoded)
			golden(t, c.name+".json", append(encoded, '\n'))
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s\n(go test -update writes the file)", name, got, want)
	}
}

func TestSummarySchemaHasTheFieldsOfTheStruct(t *testing.T) {
	t.Parallel()
	schematest.SameProperties(t, "summary", reflect.TypeFor[Summary]())
}

func TestRebuildFromRecordsAlone(t *testing.T) {
	t.Parallel()
	run, calls := someFailed()
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for _, r := range calls {
		if err := encoder.Encode(r); err != nil {
			t.Fatal(err)
		}
	}
	run.Live, run.Warnings, run.AskedCalls, run.AskedRate, run.Limit, run.Target = nil, nil, 0, 0, 0, ""
	run.EndedAt = calls[19].EndedAt
	want := build(run, calls)
	got, err := Rebuild(&lines, run.RunDir)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("rebuilt\n%+v\nwant\n%+v", got, want)
	}
	if got.StartsMissed != nil || got.Messages.Dropped != nil {
		t.Error("the records do not tell of missed starts and drops, but the summary does")
	}
	if _, err := Rebuild(strings.NewReader("hello\n"), ""); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("rebuilt from no record: %v", err)
	}
}

func TestAccumulatorIsBounded(t *testing.T) {
	t.Parallel()
	all := NewAccumulator()
	const calls = 5000
	for n := range calls {
		r := failed(call(n+1), outcome.Rejected, outcome.StageSIP, fmt.Sprintf("code_%d", n), "recv 200", "reason")
		r.Media.Codec = new(fmt.Sprintf("codec %d", n))
		r.WebRTC.ICEErrors = []record.ICEError{{URL: fmt.Sprintf("turn:%d", n), Text: "no answer"}}
		all.Add(r)
	}
	if len(all.groups) != maxGroups || len(all.codes) > maxLabels+1 || len(all.rtp.ByCodec) > maxLabels+1 || len(all.webrtc.ICEErrors) > maxLabels+1 {
		t.Errorf("%d groups, %d codes, %d codecs, %d servers are kept", len(all.groups), len(all.codes), len(all.rtp.ByCodec), len(all.webrtc.ICEErrors))
	}
	s := Build(Run{}, all)
	var shown, byCode uint64
	for _, f := range s.Failures {
		shown += f.Count
	}
	for _, n := range s.FailuresByCode {
		byCode += n
	}
	if len(s.Failures) != maxFailures || shown+s.FailuresNotShown != calls || byCode != calls {
		t.Errorf("%d groups with %d calls, %d not shown, %d by code; no call of %d may be lost", len(s.Failures), shown, s.FailuresNotShown, byCode, calls)
	}
}

func TestAccumulatorFromManyGoroutines(t *testing.T) {
	t.Parallel()
	all := NewAccumulator()
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for n := range 100 {
				all.Add(call(g*100 + n + 1))
			}
		})
	}
	wg.Wait()
	s := Build(Run{}, all)
	if s.Calls.OK != 400 || s.RTP.PacketsSent != 400*150 || *s.RTP.PacketsLost != 400 || s.Setup.Count != 400 || s.WebRTC.Pairs["host-host"] != 400 {
		t.Errorf("calls %+v, RTP %+v, setup %d, pairs %v: want everything of 400 calls", s.Calls, s.RTP, s.Setup.Count, s.WebRTC.Pairs)
	}
}

func TestMilliseconds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   *float64
		want string
	}{
		{nil, "-"},
		{new(0.0), "0.00 ms"},
		{new(0.4249), "0.42 ms"},
		{new(1.236), "1.24 ms"},
		{new(12.54), "12.5 ms"},
		{new(345.6), "346 ms"},
		{new(999.7), "1.00 s"},
		{new(61234.0), "61.2 s"},
	} {
		if got := Milliseconds(c.in); got != c.want {
			t.Errorf("Milliseconds(%v) = %q, want %q", c.in, got, c.want)
		}
	}
}

func BenchmarkAccumulator(b *testing.B) {
	all, r := NewAccumulator(), call(1)
	b.ReportAllocs()
	for b.Loop() {
		all.Add(r)
	}
}
