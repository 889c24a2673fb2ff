package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"

	"github.com/gossipper/gossipper/internal/report"
)

// maxConsoleWarnings is how many warnings of one run the screen shows; all are in errors.log.
const maxConsoleWarnings = 10

// newLog returns a logger that writes everything from Info on to the file, and the first warnings to the console.
func newLog(file io.Writer, screen *console, fileName string) *slog.Logger {
	return slog.New(teeHandler{
		slog.NewTextHandler(file, &slog.HandlerOptions{Level: slog.LevelInfo}),
		&screenHandler{screen: screen, file: fileName, shown: new(atomic.Int64)},
	})
}

// screenHandler shows a limited number of warnings to people: the message, and what belongs to it in parentheses.
type screenHandler struct {
	screen *console
	file   string
	shown  *atomic.Int64
	attrs  string // of the logger, as they are shown
	group  string // a prefix of names
}

// Enabled implements slog.Handler.
func (*screenHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn
}

// Handle implements slog.Handler.
func (h *screenHandler) Handle(_ context.Context, r slog.Record) error {
	n := h.shown.Add(1)
	if n > maxConsoleWarnings {
		if n == maxConsoleWarnings+1 {
			h.screen.say("Warning: there are more warnings; all are in %s", h.file)
		}
		return nil
	}
	attrs := h.attrs
	r.Attrs(func(a slog.Attr) bool { attrs += h.format(a); return true })
	if attrs != "" {
		attrs = " (" + strings.TrimPrefix(attrs, ", ") + ")"
	}
	h.screen.say("Warning: %s", report.Clean(r.Message+attrs))
	return nil
}

func (h *screenHandler) format(a slog.Attr) string {
	return ", " + h.group + a.Key + " " + a.Value.Resolve().String()
}

// WithAttrs implements slog.Handler.
func (h *screenHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	changed := *h
	for _, a := range attrs {
		changed.attrs += h.format(a)
	}
	return &changed
}

// WithGroup implements slog.Handler.
func (h *screenHandler) WithGroup(name string) slog.Handler {
	changed := *h
	changed.group += name + "."
	return &changed
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
