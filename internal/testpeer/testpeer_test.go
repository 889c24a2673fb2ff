package testpeer_test

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gossipper/gossipper/internal/testpeer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCoturnListens(t *testing.T) {
	t.Parallel()
	server := testpeer.Coturn(t)
	if !strings.Contains(server.URL(), server.Addr.String()) {
		t.Errorf("URL %q does not name %v", server.URL(), server.Addr)
	}
}

func TestSIPpEndsWithItsExitCode(t *testing.T) {
	t.Parallel()
	sipp := testpeer.SIPp(t, "-v")
	if code := sipp.Wait(t, 10*time.Second); code != 99 {
		t.Errorf("sipp -v ended with %d, want 99", code)
	}
	if !strings.Contains(sipp.Output(), "SIPp v") {
		t.Errorf("output %q", sipp.Output())
	}
}
