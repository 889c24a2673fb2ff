package main

import (
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/engine"
	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/record"
	"github.com/gossipper/gossipper/internal/scenario"
)

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
