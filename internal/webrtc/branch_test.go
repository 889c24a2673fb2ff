package webrtc

import (
	"bytes"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/outcome"
)

// TestForkedCall has one offer answered by two callees, at every stage that the first may have reached by then.
func TestForkedCall(t *testing.T) {
	s := startTURN(t, "north")
	relayed := Options{ICEServers: []string{"turn:static:pass@" + s.udp}, ICEPolicy: PolicyRelay}
	for _, tc := range []struct {
		name    string
		options Options
		typ     string
		before  func(t *testing.T, caller, first *testBridge)
	}{
		{"at once", Options{}, "host", func(*testing.T, *testBridge, *testBridge) {}},
		{"after the first connected", Options{}, "host", func(t *testing.T, caller, first *testBridge) {
			caller.waitFor(t, media.EventConnected)
			first.waitFor(t, media.EventConnected)
		}},
		{"after the first talked", Options{}, "host", func(t *testing.T, caller, first *testBridge) {
			caller.waitFor(t, media.EventConnected)
			first.waitFor(t, media.EventConnected)
			talk(t, caller, first)
		}},
		{"one port for all calls", Options{UDPMuxPort: freeMuxPort(t)}, "host", func(t *testing.T, caller, first *testBridge) {
			caller.waitFor(t, media.EventConnected)
			first.waitFor(t, media.EventConnected)
		}},
		{"relayed, after the first connected", relayed, "relay", func(t *testing.T, caller, first *testBridge) {
			caller.waitFor(t, media.EventConnected)
			first.waitFor(t, media.EventConnected)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newTestFactory(t, tc.options)
			tc.options.UDPMuxPort = 0
			others, more := newTestFactory(t, tc.options), newTestFactory(t, tc.options)
			goroutines, files := runtime.NumGoroutine(), openFiles(t)
			caller, first, second := newTestBridge(t, f), newTestBridge(t, others), newTestBridge(t, more)
			ctx := testContext(t)
			offer, _ := negotiate(t, caller, first)
			answer, err := second.Answer(ctx, offer)
			if err != nil {
				t.Fatal(err)
			}
			tc.before(t, caller, first)
			sent := caller.Stats().PacketsSent
			if err := caller.AcceptAnswer(ctx, answer); err != nil {
				t.Fatal(err)
			}
			first.mustClose(t)
			caller.waitFor(t, media.EventConnected)
			second.waitFor(t, media.EventConnected)
			talk(t, caller, second)
			d := caller.Diagnostics()
			if d.SelectedPair == nil || d.SelectedPair.Local.Type != tc.typ {
				t.Errorf("the pair is %+v, want %s", d.SelectedPair, tc.typ)
			}
			if !slices.ContainsFunc(d.Timeline, func(e media.TimelineEntry) bool { return e.Event == "answer_replaced" }) {
				t.Errorf("the timeline does not tell: %v", d.Timeline)
			}
			if got := caller.Stats(); got.PacketsSent != sent+1 || got.ConnectedAt.IsZero() {
				t.Errorf("%d packets were sent, %d of them to the first, connected at %v", got.PacketsSent, sent, got.ConnectedAt)
			}
			if again, err := caller.CreateOffer(ctx); err != nil || sdpLine(again, "a=ice-ufrag") != sdpLine(offer, "a=ice-ufrag") ||
				sdpLine(again, "a=ssrc") != sdpLine(offer, "a=ssrc") || tc.typ == "host" && sdpLine(again, "a=candidate") != sdpLine(offer, "a=candidate") {
				t.Errorf("%v: the offer does not hold any more:\n%s\nbut was\n%s", err, again, offer)
			}
			caller.mustClose(t)
			second.mustClose(t)
			settled(t, goroutines, files)
		})
	}
}

func sdpLine(sdp []byte, prefix string) string {
	for line := range strings.SplitSeq(string(sdp), "\r\n") {
		if strings.HasPrefix(line, prefix) {
			return line
		}
	}
	return ""
}

// TestTheLastCalleeFails shows that the failure is the last branch's: the first, which worked, does not count.
func TestTheLastCalleeFails(t *testing.T) {
	t.Parallel()
	f := newTestFactory(t, Options{})
	caller, first, second := newTestBridge(t, f), newTestBridge(t, f), newTestBridge(t, f)
	ctx := testContext(t)
	offer, _ := negotiate(t, caller, first)
	caller.waitFor(t, media.EventConnected)
	answer, err := second.Answer(ctx, offer)
	if err != nil {
		t.Fatal(err)
	}
	wrong := regexp.MustCompile(`sha-256 ..`).ReplaceAll(answer, []byte("sha-256 00"))
	if bytes.Equal(wrong, answer) {
		wrong = regexp.MustCompile(`sha-256 ..`).ReplaceAll(answer, []byte("sha-256 01"))
	}
	if err := caller.AcceptAnswer(ctx, wrong); err != nil {
		t.Fatal(err)
	}
	wantFailure(t, caller.waitForFailure(t), outcome.StageDTLS, codeFingerprint)
	if at := caller.Stats().ConnectedAt; !at.IsZero() {
		t.Errorf("connected at %v", at)
	}
}

// TestAnswersWithoutEnd stands for a callee that would keep us busy with handshakes.
func TestAnswersWithoutEnd(t *testing.T) {
	t.Parallel()
	f := newTestFactory(t, Options{})
	caller, callee := newTestBridge(t, f), newTestBridge(t, f)
	ctx := testContext(t)
	_, answer := negotiate(t, caller, callee)
	var err error
	for i := 0; err == nil && i <= maxBranches; i++ {
		other := bytes.Replace(answer, []byte("a=ice-pwd:"), []byte("a=ice-pwd:"+strings.Repeat("x", i+1)), 1)
		err = caller.AcceptAnswer(ctx, other)
	}
	wantFailure(t, err, outcome.StageMedia, codeAnswerChanged, "16 times")
}
