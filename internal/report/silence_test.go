package report

import (
	"slices"
	"testing"

	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/record"
)

func TestCallsWithoutAudio(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		connectMS  *float64
		durationMS float64
		received   uint64
		want       uint64 // of 20 calls
	}{
		{"hold of one second", new(12.5), 1013, 0, 20},
		{"hold of one second, connected late", new(430.0), 1010, 0, 20},
		{"half a second exactly", new(20.0), 520, 0, 20},
		{"too short to tell", new(20.0), 519.9, 0, 0},
		{"never connected", nil, 5000, 0, 0},
		{"one packet", new(20.0), 5000, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var calls []*record.Record
			for n := range 20 {
				r := call(n + 1)
				r.DurationMS, r.Media.ConnectMS, r.Media.PacketsReceived = c.durationMS, c.connectMS, c.received
				if n%2 == 1 {
					r.Outcome = outcome.Aborted // how the call ended has nothing to do with it
				}
				calls = append(calls, r)
			}
			s := build(Run{}, calls)
			const warning = "20 calls received no audio, although the media were connected for half a second or longer"
			if s.RTP.CallsWithoutRTP != c.want || slices.Contains(s.Warnings, warning) != (c.want == 20) {
				t.Errorf("%d calls, warnings %q; want %d calls", s.RTP.CallsWithoutRTP, s.Warnings, c.want)
			}
		})
	}
}
