package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/record"
)

func TestICEErrorLabel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		in   record.ICEError
		want string
	}{
		{"answer", record.ICEError{URL: "turn:a:3478", Code: new(401), Text: "Unauthorized"}, "turn:a:3478: 401 Unauthorized"},
		{"answer without text", record.ICEError{URL: "turn:a:3478", Code: new(401)}, "turn:a:3478: 401"},
		{"no answer", record.ICEError{URL: "stun:a:3478", Text: "no answer"}, "stun:a:3478: no answer"},
		{
			"loopback",
			record.ICEError{URL: "stun:192.0.2.1:3999", Text: "write udp4 127.0.0.1:35500->192.0.2.1:3999: sendto: invalid argument"},
			"stun:192.0.2.1:3999: cannot be reached from 127.0.0.1: the media use loopback; --local chooses another address",
		},
		{
			"within another error, IPv6",
			record.ICEError{URL: "stun:a", Text: "send: write udp6 [::1]:9->[2001:db8::1]:3478: sendto: network is unreachable"},
			"stun:a: cannot be reached from ::1: the media use loopback; --local chooses another address",
		},
		{
			"no way from a real address",
			record.ICEError{URL: "stun:a", Text: "write udp 192.0.2.7:9->192.0.2.1:3478: sendto: network is unreachable"},
			"stun:a: network is unreachable",
		},
		{
			"refused",
			record.ICEError{URL: "turn:a", Text: "dial tcp4 127.0.0.1:4000->127.0.0.1:9: connect: connection refused"},
			"turn:a: connection refused",
		},
		{"unknown server", record.ICEError{Text: "no answer"}, "unknown server: no answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := iceErrorLabel(c.in); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// Calls that succeed over another path hide that a server is of no use: the summary says so.
func TestWarningsOfICEServers(t *testing.T) {
	t.Parallel()
	var calls []*record.Record
	for n := range 20 {
		r := call(n + 1)
		r.WebRTC.ICEErrors = []record.ICEError{
			{URL: "turn:192.0.2.1:3478", Code: new(401), Text: "Unauthorized"},
			{URL: "stun:192.0.2.1:3999", Text: fmt.Sprintf("write udp4 127.0.0.1:%d->192.0.2.1:3999: sendto: invalid argument", 30000+n)},
			{URL: "stun:192.0.2.1:3999", Text: fmt.Sprintf("write udp4 127.0.0.1:%d->192.0.2.1:3999: sendto: invalid argument", 40000+n)},
		}
		if n == 0 {
			for port := range 10 {
				r.WebRTC.ICEErrors = append(r.WebRTC.ICEErrors, record.ICEError{URL: fmt.Sprintf("stun:192.0.2.2:%d", port), Text: "no answer"})
			}
		}
		calls = append(calls, r)
	}
	s := build(Run{}, calls)
	if s.Verdict != Passed || len(s.Warnings) != maxICEWarnings+1 {
		t.Errorf("verdict %s, warnings %q", s.Verdict, s.Warnings)
	}
	for i, want := range []string{
		"ICE server stun:192.0.2.1:3999: cannot be reached from 127.0.0.1: the media use loopback; --local chooses another address, in 20 calls",
		"ICE server turn:192.0.2.1:3478: 401 Unauthorized, in 20 calls",
		"ICE server stun:192.0.2.2:0: no answer, in 1 call",
	} {
		if s.Warnings[i] != want {
			t.Errorf("got  %s\nwant %s", s.Warnings[i], want)
		}
	}
	if last := s.Warnings[maxICEWarnings]; !strings.Contains(last, "7 more ways") {
		t.Errorf("last: %s", last)
	}
}

// A call that was aborted, or whose peer refused it, says nothing about the media.
func TestWebRTCFailuresAreThoseOfTheMedia(t *testing.T) {
	t.Parallel()
	var calls []*record.Record
	for n := range 50 {
		r := call(n + 1)
		switch {
		case n < 10: // aborted while connected
			r.Outcome, r.FailStage = outcome.Aborted, new("scenario")
		case n < 13: // aborted before
			failed(r, outcome.Aborted, outcome.StageScenario, "aborted", "recv 200", "the run was stopped")
		case n < 15:
			failed(r, outcome.MediaFailed, outcome.StageICE, "ice_failed", "recv 200", "no path")
		case n < 16: // ICE found a path, DTLS did not come about
			r.Outcome, r.FailStage, r.Media.ConnectMS = outcome.MediaFailed, new("dtls"), nil
		}
		calls = append(calls, r)
	}
	s := build(Run{}, calls)
	if s.WebRTC.Connected != 44 || s.WebRTC.NotConnected != 6 || len(s.WebRTC.FailuresByStage) != 2 ||
		s.WebRTC.FailuresByStage["ice"] != 2 || s.WebRTC.FailuresByStage["dtls"] != 1 {
		t.Errorf("%+v", s.WebRTC)
	}
	if got, want := s.webrtc(), "44 connected (host-host 45), 6 not connected; media failed at ice 2, dtls 1"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if slices.Contains(s.Warnings, "") {
		t.Error("an empty warning")
	}
}
