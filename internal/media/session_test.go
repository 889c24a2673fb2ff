package media_test

import (
	"context"
	"net/netip"
	"testing"

	"go.uber.org/goleak"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/media/mediatest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newPacer(t testing.TB) *media.Pacer {
	t.Helper()
	pacer := media.NewPacer(media.PacerOptions{})
	t.Cleanup(pacer.Close)
	return pacer
}

var loopback = netip.MustParseAddr("127.0.0.1")

func newSessions(t *testing.T, o media.SessionsOptions) *media.Sessions {
	t.Helper()
	if !o.IP.IsValid() {
		o.IP = loopback
	}
	if o.Pacer == nil {
		o.Pacer = newPacer(t)
	}
	sessions, err := media.NewSessions(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sessions.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return sessions
}

func newSession(t *testing.T, sessions *media.Sessions, o media.PipelineOptions) *media.Session {
	t.Helper()
	session, err := sessions.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func TestSessionConforms(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		pair mediatest.Pair
	}{
		{"sockets per call, PCMU", pairOf(media.SessionsOptions{}, media.SessionsOptions{})},
		{"sockets per call, PCMA", pairOf(media.SessionsOptions{PreferPCMA: true}, media.SessionsOptions{})},
		{"shared by the caller", pairOf(media.SessionsOptions{Shared: true}, media.SessionsOptions{})},
		{"shared by both", pairOf(media.SessionsOptions{Shared: true}, media.SessionsOptions{Shared: true})},
		{"IPv6", pairOf(media.SessionsOptions{IP: netip.IPv6Loopback()}, media.SessionsOptions{IP: netip.IPv6Loopback()})},
	}
	for _, test := range tests {
		mediatest.Conformance(t, test.name, test.pair)
	}
}

func pairOf(callers, callees media.SessionsOptions) mediatest.Pair {
	return func(t *testing.T) (caller, callee media.MediaPipeline) {
		return newSession(t, newSessions(t, callers), media.PipelineOptions{}), newSession(t, newSessions(t, callees), media.PipelineOptions{})
	}
}
