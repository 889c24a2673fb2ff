package report

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/gossipper/gossipper/internal/stats"
)

// VerdictLine says in one sentence how the run went.
func (s *Summary) VerdictLine() string {
	took := time.Duration(s.DurationMS * float64(time.Millisecond)).Round(100 * time.Millisecond)
	switch s.Verdict {
	case Passed:
		return fmt.Sprintf("PASSED  %s, in %v", s.success(), took)
	case NoCalls:
		return fmt.Sprintf("NO CALLS  in %v", took)
	case Incomplete:
		what := "the run broke off, or results were lost: see the warnings"
		if lost := value(s.RecordsLost); lost > 0 {
			what = fmt.Sprintf("%d of %d call records were not written", lost, s.Calls.Started)
		}
		return fmt.Sprintf("INCOMPLETE  %s; %s, in %v", what, s.success(), took)
	default:
		return fmt.Sprintf("FAILED  %s, in %v", s.success(), took)
	}
}

// success says how many calls succeeded, or how many did not.
func (s *Summary) success() string {
	switch {
	case s.Calls.Started == 0:
		return "there was no call"
	case s.Calls.OK < s.Calls.Started:
		return fmt.Sprintf("%d of %s did not succeed", s.Calls.Started-s.Calls.OK, NumberOfCalls(s.Calls.Started))
	case s.Calls.OK == 1:
		return "the call succeeded"
	default:
		return fmt.Sprintf("all %d calls succeeded", s.Calls.OK)
	}
}

// WriteText writes the summary for people. Texts that came from the network are stripped of control characters.
func (s *Summary) WriteText(to io.Writer) error {
	var b strings.Builder
	b.WriteString(s.VerdictLine() + "\n\n")
	s.writeFigures(&b)
	s.writeFailures(&b)
	for i, w := range s.Warnings {
		if i == 0 {
			b.WriteString("\n")
		}
		b.WriteString("Warning: " + Clean(w) + "\n")
	}
	if s.RunDir != "" {
		b.WriteString("\nRun directory: " + Clean(s.RunDir) + "\n")
	}
	_, err := io.WriteString(to, b.String())
	return err
}

// writeFigures writes the table: a name and a line of figures in each row.
func (s *Summary) writeFigures(b *strings.Builder) {
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(table, "%s\t%s\n", name, Clean(fmt.Sprintf(format, args...)))
	}
	row("Scenario", "%s, %s, media %s%s", s.Scenario, s.Role, s.Media, s.target())
	row("Calls", "%s", s.calls())
	if rate := s.rate(); rate != "" {
		row("Rate", "%s", rate)
	}
	row("Messages", "%s", s.messages())
	row("Setup", "%s", percentiles(s.Setup))
	row("Post-dial delay", "%s", percentiles(s.PDD))
	if s.RTP != nil {
		row("Media connected", "%s", percentiles(s.Connect))
		row("RTP packets", "%s", s.rtp())
	}
	if s.WebRTC != nil {
		row("WebRTC", "%s", s.webrtc())
	}
	if s.Recordings > 0 {
		row("Recordings", "%d", s.Recordings)
	}
	_ = table.Flush() // to a strings.Builder
}

func (s *Summary) target() string {
	if s.Target == nil {
		return ""
	}
	return ", to " + *s.Target
}

func (s *Summary) calls() string {
	started := strconv.FormatUint(s.Calls.Started, 10) + " started"
	if s.Calls.Asked != nil && *s.Calls.Asked != s.Calls.Started {
		started = fmt.Sprintf("%d of %d started", s.Calls.Started, *s.Calls.Asked)
	}
	parts := []string{started, fmt.Sprintf("%d ok", s.Calls.OK), fmt.Sprintf("%d failed", s.Calls.Failed)}
	if open := s.Calls.Started - s.Calls.Ended; open > 0 {
		parts = append(parts, fmt.Sprintf("%d not ended", open))
	}
	return strings.Join(parts, ", ")
}

func (s *Summary) rate() string {
	if s.Rate.Achieved == nil {
		return ""
	}
	rate := fmt.Sprintf("%.1f calls/s", *s.Rate.Achieved)
	if s.Rate.Asked != nil {
		rate += fmt.Sprintf(" (asked %s)", strconv.FormatFloat(*s.Rate.Asked, 'f', -1, 64))
	}
	if value(s.StartsMissed) > 0 {
		rate += fmt.Sprintf(", %d starts missed", *s.StartsMissed)
	}
	return rate
}

func (s *Summary) messages() string {
	m := fmt.Sprintf("%d sent, %d received, %d retransmitted", s.Messages.Sent, s.Messages.Received, s.Messages.Retransmissions)
	if n := value(s.Messages.RetransmissionsReceived); n > 0 {
		m += fmt.Sprintf(", %d repeated by the peer", n)
	}
	return m
}

func (s *Summary) rtp() string {
	lost := "loss unknown"
	if s.RTP.PacketsLost != nil {
		lost = fmt.Sprintf("%d lost", *s.RTP.PacketsLost)
	}
	text := fmt.Sprintf("%d sent, %d received, %s", s.RTP.PacketsSent, s.RTP.PacketsReceived, lost)
	if len(s.RTP.ByCodec) > 0 {
		text += " (" + counts(s.RTP.ByCodec) + ")"
	}
	return text
}

func (s *Summary) webrtc() string {
	text := fmt.Sprintf("%d connected", s.WebRTC.Connected)
	if len(s.WebRTC.Pairs) > 0 {
		text += " (" + counts(s.WebRTC.Pairs) + ")"
	}
	if s.WebRTC.NotConnected > 0 {
		text += fmt.Sprintf(", %d not connected", s.WebRTC.NotConnected)
	}
	if len(s.WebRTC.FailuresByStage) > 0 {
		text += "; media failed at " + counts(s.WebRTC.FailuresByStage)
	}
	return text
}

func (s *Summary) writeFailures(b *strings.Builder) {
	if len(s.Failures) == 0 {
		return
	}
	b.WriteString("\nFailures\n")
	for _, f := range s.Failures {
		where := ""
		if f.Step != "" {
			where = " at " + f.Step
		}
		what := f.Outcome.String()
		if f.Code != "" && f.Code != what {
			what += " (" + f.Code + ")"
		}
		fmt.Fprintf(b, "  %d × %s%s\n", f.Count, Clean(what), Clean(where))
		if f.ExampleReason != "" {
			fmt.Fprintf(b, "      %s\n", Clean(f.ExampleReason))
		}
		fmt.Fprintf(b, "      for example call %s\n", Clean(f.ExampleCallID))
	}
	if s.FailuresNotShown > 0 {
		fmt.Fprintf(b, "  and %s that failed in other ways\n", NumberOfCalls(s.FailuresNotShown))
	}
}

func percentiles(d stats.Distribution) string {
	if d.Count == 0 {
		return "not measured"
	}
	return fmt.Sprintf("p50 %s, p95 %s, p99 %s, max %s", Milliseconds(d.P50MS), Milliseconds(d.P95MS), Milliseconds(d.P99MS), Milliseconds(d.MaxMS))
}

// Milliseconds formats a time with three significant digits: "0.42 ms", "12.5 ms", "3.21 s"; "-" if it is unknown.
func Milliseconds(ms *float64) string {
	if ms == nil {
		return "-"
	}
	v, unit := *ms, " ms"
	if v >= 999.5 {
		v, unit = v/1000, " s"
	}
	digits := 2
	if v > 0 {
		digits = min(max(2-int(math.Floor(math.Log10(v))), 0), 2)
	}
	return strconv.FormatFloat(v, 'f', digits, 64) + unit
}

// counts writes "a 5, b 3", the largest first.
func counts(of map[string]uint64) string {
	labels := slices.SortedFunc(maps.Keys(of), func(a, b string) int {
		if of[a] != of[b] {
			return int(min(of[b], math.MaxInt32)) - int(min(of[a], math.MaxInt32))
		}
		return strings.Compare(a, b)
	})
	parts := make([]string, len(labels))
	for i, label := range labels {
		parts[i] = label + " " + strconv.FormatUint(of[label], 10)
	}
	return strings.Join(parts, ", ")
}

// Clean replaces what could drive a terminal: peers choose reasons and Call-IDs.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || r == ' ' {
			return r
		}
		return '·'
	}, s)
}
