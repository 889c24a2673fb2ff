package engine

import (
	"strings"
	"testing"
	"time"
)

func TestWarningsAreLimited(t *testing.T) {
	t.Parallel()
	var log logText
	now := time.Unix(1000, 0)
	w := warnings{log: log.logger(), now: func() time.Time { return now }}
	for range 1000 {
		w.warn("too much")
	}
	if n := strings.Count(log.String(), "too much"); n != maxWarnings {
		t.Errorf("%d warnings, want %d", n, maxWarnings)
	}
	now = now.Add(time.Second)
	w.warn("later", "call_id", "one")
	w.warn("still later")
	if text := log.String(); !strings.Contains(text, "msg=later call_id=one warnings_omitted_before=990\n") || !strings.HasSuffix(text, "msg=\"still later\"\n") {
		t.Errorf("log:\n%s", text)
	}
	now = now.Add(-time.Hour) // the clock was set back
	for range 3 {
		w.warn("back")
		w.once("one of a kind")
	}
	if text := log.String(); strings.Count(text, "back") != 3 || strings.Count(text, "one of a kind") != 1 {
		t.Errorf("log:\n%s", text)
	}
}
