package engine

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/sip"
)

func TestRefusalIsExplained(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 2*remarkLength)
	tests := []struct {
		name   string
		extra  []string
		reason string
	}{
		{"nothing", nil, `488 Not Acceptable Here at recv 200`},
		{
			"a warning",
			[]string{`Warning: 305 192.0.2.2 "incompatible media format"`},
			`488 Not Acceptable Here (Warning: 305 192.0.2.2 "incompatible media format") at recv 200`,
		},
		{
			"both",
			[]string{`Warning: 304 x "no video"`, `Reason: Q.850;cause=65`},
			`488 Not Acceptable Here (Warning: 304 x "no video"; Reason: Q.850;cause=65) at recv 200`,
		},
		{"a command for the terminal", []string{"Warning: 399 x \"\x1b[31m\""}, `(Warning: 399 x "\x1b[31m") at recv 200`},
		{"empty", []string{"Warning: "}, `488 Not Acceptable Here at recv 200`},
		{"long", []string{"Reason: " + long}, `(Reason: ` + long[:remarkLength] + `…) at recv 200`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, _ := callTo(t, "", func(v *sip.View) [][]byte {
					if string(v.Method()) != methodInvite {
						return nil
					}
					return [][]byte{reply(v, 488, "Not Acceptable Here", tt.extra...)}
				}, nil)
				wantFailure(t, r, outcome.Rejected, "sip_488", tt.reason)
			})
		})
	}
}

// The media take an answer while the call goes on. If it cannot be used, that is the fault of the step that took it.
func TestIncompatibleAnswerIsBlamedOnTheStepThatTookIt(t *testing.T) {
	t.Parallel()
	failure := &outcome.Failure{Outcome: outcome.MediaIncompatible, Stage: outcome.StageMedia, Code: "profile_mismatch", Reason: "plain RTP"}
	for _, tt := range []struct {
		name string
		with int // the status of the response that brings the answer
		want string
	}{
		{"200", 200, "recv 200 (line "},
		{"183", 183, "recv 183 (optional) (line "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				studio := &studio{change: func(m *recordingMedia) { m.acceptErr = failure }}
				r, _ := callTo(t, "call_uac", func(v *sip.View) [][]byte {
					if string(v.Method()) != methodInvite {
						return ring(v)
					}
					if tt.with == 200 {
						return [][]byte{withSDP(v, 200, "OK", "callee")}
					}
					return [][]byte{withSDP(v, tt.with, "Session Progress", "callee"), answered(v)}
				}, func(c *Config) {
					c.Hold, c.Media = time.Minute, Media{Kind: media.KindWebRTC, New: studio.open}
				})
				wantFailure(t, r, outcome.MediaIncompatible, "profile_mismatch", "plain RTP")
				if !strings.HasPrefix(r.FailedStep, tt.want) {
					t.Errorf("failed at %q, want %q", r.FailedStep, tt.want)
				}
			})
		})
	}
}
