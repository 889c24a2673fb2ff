package webrtc

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/webrtc/sdp"
)

// deadServer is a port where nobody answers.
func deadServer(t testing.TB) string {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn.LocalAddr().String()
}

func wantFailure(t testing.TB, err error, stage outcome.Stage, code string, parts ...string) {
	t.Helper()
	var f *outcome.Failure
	if !errors.As(err, &f) {
		t.Fatalf("got %v, want a failure", err)
	}
	if f.Stage != stage || f.Code != code {
		t.Errorf("got stage %s, code %s, want %s, %s: %s", f.Stage, f.Code, stage, code, f.Reason)
	}
	for _, p := range parts {
		if !strings.Contains(f.Reason, p) {
			t.Errorf("%q is missing in the reason: %s", p, f.Reason)
		}
	}
}

func (b *testBridge) waitForFailure(t testing.TB) error {
	t.Helper()
	timeout := time.After(testWait)
	for {
		select {
		case e := <-b.events:
			if e.Type == media.EventFailed {
				return e.Failure
			}
		case <-timeout:
			t.Fatalf("no failure; diagnostics: %+v", b.Diagnostics())
		}
	}
}

func TestDeadServersDoNotDelayTrickle(t *testing.T) {
	t.Parallel()
	dead := deadServer(t)
	f := newTestFactory(t, Options{ICEServers: []string{"stun:" + dead, "turn:u:p@" + dead}})
	caller, callee := newTestBridge(t, f), newTestBridge(t, f)
	started := time.Now()
	offer, answer := negotiate(t, caller, callee)
	if took := time.Since(started); took > 500*time.Millisecond {
		t.Errorf("offer and answer took %s", took)
	}
	for _, sdp := range [][]byte{offer, answer} {
		if !bytes.Contains(sdp, []byte("a=ice-options:trickle\r\n")) || bytes.Contains(sdp, []byte("end-of-candidates")) || !bytes.Contains(sdp, []byte("typ host")) {
			t.Errorf("not a trickle description:\n%s", sdp)
		}
	}
	caller.waitFor(t, media.EventConnected)
	if d := caller.Diagnostics(); d.ICEGathering != "gathering" || d.GatherMS == nil || *d.GatherMS > 500 {
		t.Errorf("diagnostics: %+v", d)
	}
	started = time.Now()
	caller.mustClose(t)
	if took := time.Since(started); took > 400*time.Millisecond {
		t.Errorf("Close waited %s for a dead server", took)
	}
}

func TestFullGatherEndsAtItsTimeout(t *testing.T) {
	t.Parallel()
	const limit = 300 * time.Millisecond
	f := newTestFactory(t, Options{ICEServers: []string{"stun:" + deadServer(t)}, ICETrickleFullGather: true, ICEGatherTimeout: limit})
	b := newTestBridge(t, f)
	started := time.Now()
	offer, err := b.CreateOffer(testContext(t))
	took := time.Since(started)
	if err != nil || took < limit || took > limit+time.Second {
		t.Errorf("took %s, %v", took, err)
	}
	if bytes.Contains(offer, []byte("trickle")) || !bytes.Contains(offer, []byte("a=end-of-candidates\r\n")) || !bytes.Contains(offer, []byte("typ host")) {
		t.Errorf("not a full description:\n%s", offer)
	}
}

func TestRelayWithoutAnswer(t *testing.T) {
	t.Parallel()
	dead := deadServer(t)
	f := newTestFactory(t, Options{ICEServers: []string{"turn:u:hunter2@" + dead}, ICEPolicy: PolicyRelay, ICEGatherTimeout: 200 * time.Millisecond})
	b := newTestBridge(t, f)
	_, err := b.CreateOffer(testContext(t))
	wantFailure(t, err, outcome.StageGather, codeNoRelay, "turn:"+dead, "200ms")
	wantFailure(t, b.waitForFailure(t), outcome.StageGather, codeNoRelay)
	if _, again := b.CreateOffer(testContext(t)); !errors.Is(again, err) {
		t.Errorf("the second attempt returned %v", again)
	}
}

func TestICEFailureNamesTheCandidates(t *testing.T) {
	t.Parallel()
	f := newTestFactory(t, Options{ICEConnectTimeout: 200 * time.Millisecond})
	caller, callee := newTestBridge(t, f), newTestBridge(t, f)
	ctx := testContext(t)
	offer, err := caller.CreateOffer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := callee.Answer(ctx, offer)
	if err != nil {
		t.Fatal(err)
	}
	callee.mustClose(t) // and so nobody is there
	if err := caller.AcceptAnswer(ctx, answer); err != nil {
		t.Fatal(err)
	}
	wantFailure(t, caller.waitForFailure(t), outcome.StageICE, codeICEFailed, "within 200ms", "host 127.0.0.1:")
	if err := caller.AcceptAnswer(ctx, []byte(goodSDP)); err == nil {
		t.Error("a failed bridge took an answer")
	}
}

func TestFingerprintMismatch(t *testing.T) {
	t.Parallel()
	f := newTestFactory(t, Options{})
	caller, callee := newTestBridge(t, f), newTestBridge(t, f)
	ctx := testContext(t)
	offer, err := caller.CreateOffer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := callee.Answer(ctx, offer)
	if err != nil {
		t.Fatal(err)
	}
	other, fingerprint, err := newCertificate(time.Now())
	if err != nil || other == nil {
		t.Fatal(err)
	}
	tampered := bytes.Replace(answer, []byte(f.fingerprint), []byte(fingerprint), 1)
	if bytes.Equal(tampered, answer) {
		t.Fatal("nothing was replaced")
	}
	if err := caller.AcceptAnswer(ctx, tampered); err != nil {
		t.Fatal(err)
	}
	wantFailure(t, caller.waitForFailure(t), outcome.StageDTLS, codeFingerprint, "a=fingerprint")
	d := caller.Diagnostics()
	if d.ICEMS == nil || d.DTLSMS != nil || d.Connection == "connected" {
		t.Errorf("diagnostics: %+v", d)
	}
}

func TestAnswerOfPlainRTP(t *testing.T) {
	t.Parallel()
	b := newTestBridge(t, newTestFactory(t, Options{}))
	ctx := testContext(t)
	if err := b.AcceptAnswer(ctx, []byte(goodSDP)); err == nil || !strings.Contains(err.Error(), "no offer was made") {
		t.Errorf("answer without offer: %v", err)
	}
	if _, err := b.CreateOffer(ctx); err != nil {
		t.Fatal(err)
	}
	err := b.AcceptAnswer(ctx, []byte("v=0\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"))
	wantFailure(t, err, outcome.StageMedia, sdp.CodeProfileMismatch, "plain RTP (RTP/AVP)")
	wantFailure(t, b.AcceptAnswer(ctx, nil), outcome.StageMedia, sdp.CodeInvalid)
}

func TestCancelledOffer(t *testing.T) {
	t.Parallel()
	f := newTestFactory(t, Options{ICEServers: []string{"turn:u:p@" + deadServer(t)}, ICEPolicy: PolicyRelay})
	b := newTestBridge(t, f)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := b.CreateOffer(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	// A second attempt waits for candidates, too.
	again, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := b.CreateOffer(again); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the second time: %v", err)
	}
	b.mustClose(t)
	if _, err := b.CreateOffer(context.Background()); !errors.Is(err, media.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestDTLSTimeout(t *testing.T) {
	t.Parallel()
	f := newTestFactory(t, Options{DTLSTimeout: 300 * time.Millisecond})
	caller, callee := newTestBridge(t, f), newTestBridge(t, f)
	ctx := testContext(t)
	offer, err := caller.CreateOffer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	// Each side is told that the other will begin the handshake.
	answer, err := callee.Answer(ctx, bytes.Replace(offer, []byte("setup:actpass"), []byte("setup:active"), 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := caller.AcceptAnswer(ctx, bytes.Replace(answer, []byte("setup:passive"), []byte("setup:active"), 1)); err != nil {
		t.Fatal(err)
	}
	wantFailure(t, caller.waitForFailure(t), outcome.StageDTLS, codeDTLSFailed, "within 300ms")
	wantFailure(t, callee.waitForFailure(t), outcome.StageDTLS, codeDTLSFailed, "within 300ms")
}

// TestSourcesWithoutEnd has a peer that changes its SSRC with every packet.
func TestSourcesWithoutEnd(t *testing.T) {
	t.Parallel()
	f := newTestFactory(t, Options{})
	caller, callee := newTestBridge(t, f), newTestBridge(t, f)
	connect(t, caller, callee)
	heard := listen(t, callee)
	failed := make(chan error, 1)
	go func() { failed <- callee.waitForFailure(t) }()
	for i := range uint32(2 * maxSSRCs) {
		header := &rtp.Header{Version: 2, SSRC: i + 1, SequenceNumber: uint16(i)}
		if _, err := caller.currentPeer().writeRTP(header, frame(0)); err != nil {
			t.Fatal(err)
		}
		select {
		case <-heard:
		case err := <-failed:
			wantFailure(t, err, outcome.StageMedia, codeTooManySources, "SSRC")
			if i < maxSSRCs/4 {
				t.Errorf("the call failed after %d sources", i)
			}
			return
		case <-time.After(testWait):
			t.Fatalf("packet %d did not arrive", i)
		}
	}
	t.Error("the call goes on")
}
