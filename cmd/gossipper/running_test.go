package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLostRecordsEndTheRunWith255(t *testing.T) {
	t.Parallel()
	uas, address := listen(t, "uas", "--calls", "2", "--media", "none")
	dir := filepath.Join(t.TempDir(), "run")
	p := &program{signals: make(chan os.Signal, 1)}
	env := &Env{Stdout: &p.stdout, Stderr: &p.stderr, Signals: p.signals, Now: time.Now, Width: func() int { return 80 }}
	flags := runFlags{out: dir, progress: progressNone, media: "none"}
	flags.set("load.calls", "2", "test")
	checked, err := prepare(t.Context(), env, request{scenario: "uac", target: address, flags: flags})
	if err != nil {
		t.Fatal(err)
	}
	r, err := start(checked, env, &console{to: &p.stderr})
	if err != nil {
		t.Fatal(err)
	}
	// As if the disk were gone: no record can be written from here on.
	if err := r.records.Close(); err != nil {
		t.Fatal(err)
	}
	summary, runErr := supervise(t.Context(), r, progressNone)
	uas.end(t, ExitOK)
	if code := exitCodeOf(finish(env, summary, runErr)); code != ExitFatal {
		t.Errorf("exit code %d, want %d", code, ExitFatal)
	}
	for _, want := range []string{"call records are being lost", "2 call records were not written"} {
		if said := fmt.Sprint(p.stderr.String(), p.stdout.String()); !strings.Contains(said, want) {
			t.Errorf("nothing says %q:\n%s", want, said)
		}
	}
}
