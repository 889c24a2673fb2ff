package webrtc

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gossipper/gossipper/internal/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testWait bounds every wait in these tests; reaching it is a failure.
const testWait = 20 * time.Second

var loopback = netip.MustParseAddr("127.0.0.1")

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), testWait)
	t.Cleanup(cancel)
	return ctx
}

func newTestFactory(t testing.TB, o Options) *Factory {
	t.Helper()
	if !o.IP.IsValid() {
		o.IP = loopback
	}
	f, err := NewFactory(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Errorf("closing the factory: %v", err)
		}
	})
	return f
}

// testBridge is a bridge with its events.
type testBridge struct {
	*Bridge
	events chan media.Event
}

func newTestBridge(t testing.TB, f *Factory) *testBridge {
	t.Helper()
	b := &testBridge{events: make(chan media.Event, 64)}
	bridge, err := f.NewBridge(BridgeOptions{OnEvent: func(e media.Event) { b.events <- e }})
	if err != nil {
		t.Fatal(err)
	}
	b.Bridge = bridge
	t.Cleanup(func() { b.mustClose(t) })
	return b
}

func (b *testBridge) mustClose(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testWait)
	defer cancel()
	if err := b.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// waitFor returns the first event of the type.
func (b *testBridge) waitFor(t testing.TB, want media.EventType) media.Event {
	t.Helper()
	timeout := time.After(testWait)
	for {
		select {
		case e := <-b.events:
			if e.Type == want {
				return e
			}
			if e.Type == media.EventFailed {
				t.Fatalf("media failed: %v", e.Failure)
			}
		case <-timeout:
			t.Fatalf("event %d did not come; diagnostics: %+v", want, b.Diagnostics())
		}
	}
}

// connect makes a call from one bridge to the other.
func connect(t testing.TB, caller, callee *testBridge) {
	t.Helper()
	negotiate(t, caller, callee)
	caller.waitFor(t, media.EventConnected)
	callee.waitFor(t, media.EventConnected)
}

func negotiate(t testing.TB, caller, callee *testBridge) (offer, answer []byte) {
	t.Helper()
	ctx := testContext(t)
	offer, err := caller.CreateOffer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err = callee.Answer(ctx, offer); err != nil {
		t.Fatalf("Answer: %v\n%s", err, offer)
	}
	if err := caller.AcceptAnswer(ctx, answer); err != nil {
		t.Fatalf("AcceptAnswer: %v\n%s", err, answer)
	}
	return offer, answer
}

// goodSDP is a description that nobody answers for.
const goodSDP = "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nt=0 0\nm=audio 4000 UDP/TLS/RTP/SAVPF 0 8\nc=IN IP4 192.0.2.1\n" +
	"a=fingerprint:sha-1 01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14\na=ice-ufrag:abcd\na=ice-pwd:0123456789012345678901\n"

// lineA is a candidate that nobody answers for.
const lineA = "candidate:1 1 udp 2130706431 192.0.2.1 4000 typ host"
