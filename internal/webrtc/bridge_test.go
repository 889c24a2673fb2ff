package webrtc

import (
	"bytes"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/media"
)

// heard is an audio packet as a callback got it.
type heard struct {
	codec   media.Codec
	payload []byte
}

func listen(t testing.TB, b *testBridge) chan heard {
	t.Helper()
	c := make(chan heard, 256)
	if err := b.OnPCMA(func(payload []byte, codec media.Codec) { c <- heard{codec, bytes.Clone(payload)} }); err != nil {
		t.Fatal(err)
	}
	return c
}

func frame(n int) []byte {
	f := make([]byte, media.FrameSamples)
	for i := range f {
		f[i] = byte(i + n)
	}
	return f
}

func TestPCMAArrivesByteExact(t *testing.T) {
	t.Parallel()
	f := newTestFactory(t, Options{PreferPCMA: true})
	caller, callee := newTestBridge(t, f), newTestBridge(t, f)
	first, second := listen(t, callee), listen(t, callee)
	back := listen(t, caller)
	if err := caller.WritePCMA(frame(0)); !errors.Is(err, media.ErrNotReady) {
		t.Fatalf("writing before the path is up: got %v, want ErrNotReady", err)
	}
	connect(t, caller, callee)
	const n = 10
	for i := range n {
		if err := caller.WritePCMA(frame(i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		for _, c := range []chan heard{first, second} {
			if got := <-c; got.codec != media.PCMA || !bytes.Equal(got.payload, frame(i)) {
				t.Fatalf("packet %d: got %s %x", i, got.codec, got.payload)
			}
		}
	}
	if err := callee.WritePCMU(frame(0)); err != nil {
		t.Fatal(err)
	}
	want := media.PCMA.Encode(media.PCMU.Decode(frame(0)[7]))
	if got := <-back; got.codec != media.PCMA || got.payload[7] != want {
		t.Errorf("PCMU on a PCMA call: got %s, sample %x, want it transcoded to %x", got.codec, got.payload[7], want)
	}
	callee.mustClose(t)
	s := callee.Stats()
	if s.PacketsReceived != n || s.BytesReceived != n*160 || s.PacketsSent != 1 || s.Codec != "PCMA" {
		t.Errorf("stats: %+v", s)
	}
}

// TestReportsReachThePeer relies on the report that goes out with the goodbye; the regular ones take seconds.
func TestReportsReachThePeer(t *testing.T) {
	t.Parallel()
	f := newTestFactory(t, Options{})
	caller, callee := newTestBridge(t, f), newTestBridge(t, f)
	heard := listen(t, callee)
	connect(t, caller, callee)
	for i := range 5 {
		if err := caller.WritePCMU(frame(i)); err != nil {
			t.Fatal(err)
		}
		<-heard
	}
	if s := caller.Stats(); s.RemoteFractionLost != nil || s.RTTMS == nil || *s.RTTMS <= 0 || *s.RTTMS > 1000 {
		t.Errorf("before the report: loss %v, ICE round trip %v", s.RemoteFractionLost, s.RTTMS)
	}
	// Who never sent anything does not say goodbye (RFC 3550 6.3.7).
	if err := callee.WritePCMU(frame(0)); err != nil {
		t.Fatal(err)
	}
	callee.mustClose(t)
	deadline := time.After(testWait)
	for caller.Stats().RemoteFractionLost == nil {
		select {
		case <-deadline:
			t.Fatal("no report arrived")
		default:
			runtime.Gosched()
		}
	}
	if s := caller.Stats(); *s.RemoteFractionLost != 0 || s.RemoteJitterMS == nil {
		t.Errorf("the peer reported loss %v, jitter %v", *s.RemoteFractionLost, s.RemoteJitterMS)
	}
}
