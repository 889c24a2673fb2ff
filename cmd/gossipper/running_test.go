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
	text, err := os.ReadFile(filepath.Join(dir, "summary.json"))
	if err != nil || !strings.Contains(string(text), `"verdict": "incomplete"`) || !strings.Contains(string(text), `"records_lost": 2`) {
		t.Errorf("summary.json (%v) does not say that records are lost:\n%s", err, text)
	}
	if code := exitCodeOf(finish(env, summary, runErr)); code != ExitFatal {
		t.Errorf("exit code %d, want %d", code, ExitFatal)
	}
	for _, want := range []string{"call records are being lost", "2 call records were not written", "INCOMPLETE  2 of 2 call records were not written; all 2 calls succeeded, in "} {
		if said := fmt.Sprint(p.stderr.String(), p.stdout.String()); !strings.Contains(said, want) {
			t.Errorf("nothing says %q:\n%s", want, said)
		}
	}
}

func TestLostSummaryIsNoSuccess(t *testing.T) {
	t.Parallel()
	uas, address := listen(t, "uas", "--media", "none")
	uac := launchRun(t, "uac", address, "--calls", "1", "--media", "none")
	uac.end(t, ExitOK)
	// As if the disk were gone: there is no place for the summary.
	if err := os.RemoveAll(uas.dir); err != nil {
		t.Fatal(err)
	}
	uas.signals <- os.Interrupt
	uas.end(t, ExitFatal)
	if said := uas.stdout.String(); !strings.Contains(said, "INCOMPLETE  the run broke off, or results were lost: see the warnings; the call succeeded") ||
		!strings.Contains(said, "Warning: write "+filepath.Join(uas.dir, "summary.json")+": no such file or directory") {
		t.Errorf("it said\n%s", said)
	}
}
