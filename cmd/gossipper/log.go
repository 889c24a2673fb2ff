package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync/atomic"
)

// maxConsoleWarnings is how many warnings of one run the screen shows; all are in errors.log.
const maxConsoleWarnings = 10

// newLog returns a logger that writes everything from Info on to the file, and the first warnings to the console.
func newLog(file io.Writer, screen *console, fileName string) *slog.Logger {
	short := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}
	return slog.New(teeHandler{
		slog.NewTextHandler(file, &slog.HandlerOptions{Level: slog.LevelInfo}),
		slog.NewTextHandler(&warningWriter{screen: screen, file: fileName}, &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: short}),
	})
}

// warningWriter shows a limited number of warnings.
type warningWriter struct {
	screen *console
	file   string
	shown  atomic.Int64
}

// Write shows one warning.
func (w *warningWriter) Write(line []byte) (int, error) {
	switch n := w.shown.Add(1); {
	case n <= maxConsoleWarnings:
		w.screen.print("Warning: %s", line)
	case n == maxConsoleWarnings+1:
		w.screen.print("Warning: there are more warnings; all are in %s", w.file)
	}
	return len(line), nil
}

// teeHandler hands each record to all its handlers.
type teeHandler []slog.Handler

// Enabled implements slog.Handler.
func (t teeHandler) Enabled(ctx context.Context, level slog.Level) bool {
	for _, h := range t {
		if h.Enabled(ctx, level) {
			return true
		}
	}
	return false
}

// Handle implements slog.Handler.
func (t teeHandler) Handle(ctx context.Context, r slog.Record) error {
	var errs []error
	for _, h := range t {
		if h.Enabled(ctx, r.Level) {
			errs = append(errs, h.Handle(ctx, r.Clone()))
		}
	}
	return errors.Join(errs...)
}

// WithAttrs implements slog.Handler.
func (t teeHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return t.each(func(h slog.Handler) slog.Handler { return h.WithAttrs(attrs) })
}

// WithGroup implements slog.Handler.
func (t teeHandler) WithGroup(name string) slog.Handler {
	return t.each(func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
}

func (t teeHandler) each(change func(slog.Handler) slog.Handler) slog.Handler {
	changed := make(teeHandler, len(t))
	for i, h := range t {
		changed[i] = change(h)
	}
	return changed
}
