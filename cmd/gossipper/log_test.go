package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestLogLimitsWarningsOnTheScreen(t *testing.T) {
	t.Parallel()
	var file, screen bytes.Buffer
	log := newLog(&file, &console{to: &screen}, "errors.log").With("run", "x").WithGroup("g")
	log.Info("only in the file")
	for n := range maxConsoleWarnings + 5 {
		log.Warn("odd", "n", n)
	}
	if got := strings.Count(file.String(), "msg=odd run=x g.n="); got != maxConsoleWarnings+5 {
		t.Errorf("the file has %d warnings:\n%s", got, file.String())
	}
	if !strings.Contains(file.String(), "only in the file") || strings.Contains(screen.String(), "only in the file") {
		t.Error("information belongs into the file alone")
	}
	if got := strings.Count(screen.String(), "Warning: odd (run x, g.n "); got != maxConsoleWarnings {
		t.Errorf("the screen shows %d warnings:\n%s", got, screen.String())
	}
	if got := strings.Count(screen.String(), "all are in errors.log"); got != 1 {
		t.Errorf("it is said %d times where the rest is", got)
	}
	if log.Enabled(t.Context(), slog.LevelDebug) {
		t.Error("debugging is on")
	}
}
