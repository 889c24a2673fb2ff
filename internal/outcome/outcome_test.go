package outcome_test

import (
	"errors"
	"io"
	"testing"

	"github.com/gossipper/gossipper/internal/outcome"
)

func TestOutcomesReadBackAsWritten(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{"unknown": true}
	for _, o := range outcome.All() {
		text, err := o.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		if seen[string(text)] {
			t.Errorf("the name %q stands for two outcomes", text)
		}
		seen[string(text)] = true
		var back outcome.Outcome
		if err := back.UnmarshalText(text); err != nil || back != o {
			t.Errorf("%q reads back as %v, %v", text, back, err)
		}
	}
	if len(seen) != 13 {
		t.Errorf("%d names, want 13: a new outcome must be documented in docs/results.md", len(seen))
	}
}

func TestUnknownNamesAreRefused(t *testing.T) {
	t.Parallel()
	var o outcome.Outcome
	if err := o.UnmarshalText([]byte("triumph")); err == nil {
		t.Error("a name that is none was accepted")
	}
}

func TestFailureNamesItsLayerAndCause(t *testing.T) {
	t.Parallel()
	var err error = &outcome.Failure{
		Outcome: outcome.MediaFailed, Stage: outcome.StageDTLS, Code: "dtls_failed", Reason: "the handshake failed", Err: io.EOF,
	}
	if got, want := err.Error(), "dtls: the handshake failed"; got != want {
		t.Errorf("error is %q, want %q", got, want)
	}
	if !errors.Is(err, io.EOF) {
		t.Error("the cause is lost")
	}
}
