package engine

import (
	"log/slog"
	"sync"
	"time"
)

// maxWarnings is how many warnings a run writes in a second. A peer can cause one with each datagram.
const maxWarnings = 10

// warnings writes a run's warnings, not more of them than somebody can read. It may be used from any goroutine.
type warnings struct {
	log *slog.Logger
	now func() time.Time

	mu      sync.Mutex
	since   time.Time // begin of the present second
	written int       // in it
	omitted int       // since the last one written
	told    map[string]bool
}

// warn writes a warning, or counts it if there were too many; the next one says how many are missing.
func (w *warnings) warn(text string, attrs ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := w.now(); now.Sub(w.since) >= time.Second || now.Before(w.since) {
		w.since, w.written = now, 0
	}
	if w.written == maxWarnings {
		w.omitted++
		return
	}
	w.written++
	if w.omitted > 0 {
		attrs = append(attrs, "warnings_omitted_before", w.omitted)
		w.omitted = 0
	}
	w.log.Warn(text, attrs...)
}

// once writes a warning that is the same for all calls the first time. The text is a constant.
func (w *warnings) once(text string, attrs ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.told[text] {
		return
	}
	if w.told == nil {
		w.told = make(map[string]bool)
	}
	w.told[text] = true
	w.log.Warn(text, attrs...)
}
