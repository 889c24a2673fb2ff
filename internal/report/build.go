package report

import (
	"fmt"
	"io"
	"maps"
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/record"
	"github.com/gossipper/gossipper/internal/stats"
)

// maxFailures is how many groups of failures a summary shows.
const maxFailures = 10

// Run is what Build knows of a run beside its calls.
type Run struct {
	Role, Scenario, Media string
	Target                string // empty for a UAS
	StartedAt, EndedAt    time.Time
	AskedCalls            uint64  // 0: no end
	AskedRate             float64 // calls per second, 0: none asked (a UAS)
	Limit                 int     // calls open at once, 0: no limit
	RunDir                string
	// Live are the figures of the run; nil when the summary is rebuilt from the records.
	Live *stats.Snapshot
	// Incomplete says that the run broke off, or that results could not be kept.
	Incomplete bool
	// RecordsLost is the number of call records that were not written. It counts only with Live.
	RecordsLost uint64
	// Warnings come before those that Build adds.
	Warnings []string
}

// Build sums up a run.
func Build(run Run, calls *Accumulator) *Summary {
	calls.mu.Lock()
	defer calls.mu.Unlock()
	s := &Summary{
		Schema: Schema, Role: run.Role, Scenario: run.Scenario, Media: run.Media, Target: record.Text(run.Target),
		StartedAt: run.StartedAt.UTC(), EndedAt: run.EndedAt.UTC(), DurationMS: record.Millis(run.EndedAt.Sub(run.StartedAt)),
		Calls:          buildCalls(run, calls),
		FailuresByCode: maps.Clone(calls.codes),
		Messages:       Messages{Sent: calls.sent, Received: calls.received, Retransmissions: calls.retransmissions},
		Setup:          calls.setup.Distribution(), PDD: calls.pdd.Distribution(), Connect: calls.connect.Distribution(),
		RTP: calls.rtp.clone(), WebRTC: calls.webrtc.clone(), Recordings: calls.recordings,
		RunDir: run.RunDir,
	}
	s.Failures, s.FailuresNotShown = calls.failures(maxFailures)
	if run.Live != nil {
		s.addLive(run.Live)
		s.RecordsLost = new(run.RecordsLost)
	}
	s.Rate = buildRate(run, calls)
	s.Verdict = verdict(s.Calls)
	if run.Incomplete || value(s.RecordsLost) > 0 {
		s.Verdict = Incomplete
	}
	s.Warnings = append(append([]string{}, run.Warnings...), s.warnings(run)...)
	return s
}

// Rebuild sums up a run from its call records alone. What the records do not tell stays unknown.
func Rebuild(records io.Reader, runDir string) (*Summary, error) {
	calls := NewAccumulator()
	if err := record.Read(records, func(r *record.Record) error { calls.Add(r); return nil }); err != nil {
		return nil, fmt.Errorf("call records: %w", err)
	}
	return Build(Run{
		Role: calls.role, Scenario: calls.scenario, Media: calls.media,
		StartedAt: calls.first, EndedAt: calls.last, RunDir: runDir,
	}, calls), nil
}

func buildCalls(run Run, calls *Accumulator) Calls {
	c := Calls{ByOutcome: maps.Clone(calls.outcomes)}
	if run.AskedCalls > 0 {
		c.Asked = new(run.AskedCalls)
	}
	c.Ended, c.OK = calls.count(), calls.outcomes[outcome.Success]
	c.Failed = c.Ended - c.OK
	c.Started = c.Ended
	if run.Live != nil {
		c.Started = max(run.Live.CallsStarted, c.Ended)
	}
	return c
}

// addLive adds what only the live figures tell. Messages outside of calls are in no record, so the run's own totals replace the
// sums over calls.
func (s *Summary) addLive(live *stats.Snapshot) {
	s.StartsMissed = new(live.StartsMissed)
	s.Messages = Messages{
		Sent: live.MessagesSent, Received: live.MessagesReceived, Retransmissions: live.Retransmissions,
		RetransmissionsReceived: new(live.RetransmissionsReceived), Malformed: new(live.Malformed), OutOfCall: new(live.OutOfCall),
		DeadCall: new(live.DeadCall), AutoAnswered: new(live.AutoAnswered), Dropped: new(live.Dropped),
	}
}

// buildRate measures the rate between the first start and the last: n calls have n-1 intervals.
func buildRate(run Run, calls *Accumulator) Rate {
	var r Rate
	if run.AskedRate > 0 {
		r.Asked = new(run.AskedRate)
	}
	if took := calls.lastStart.Sub(calls.first).Seconds(); took > 0 {
		r.Achieved = new(float64(calls.count()-1) / took)
	}
	return r
}

func verdict(c Calls) Verdict {
	switch {
	case c.Started == 0:
		return NoCalls
	case c.OK == c.Started:
		return Passed
	default:
		return Failed
	}
}

// warnings are what a user should know beside how the calls went.
func (s *Summary) warnings(run Run) []string {
	var all []string
	add := func(n uint64, format string, args ...any) {
		if n > 0 {
			all = append(all, NumberOfCalls(n)+fmt.Sprintf(format, args...))
		}
	}
	limit := ": this machine was too slow"
	if run.Limit > 0 {
		limit = fmt.Sprintf(": the limit of %d open calls was reached, or this machine was too slow", run.Limit)
	}
	add(value(s.StartsMissed), " could not be started in time%s", limit)
	add(s.Calls.Started-s.Calls.Ended, " did not end before the run was stopped, or left no record")
	if live := run.Live; live != nil {
		add(live.Rejected, " were refused with 503: too many were open")
		all = append(all, liveWarnings(live)...)
	}
	if s.RTP != nil {
		add(s.RTP.CallsWithoutRTP, " received no audio, although the media were connected for half a second or longer")
	}
	if s.WebRTC != nil {
		all = append(all, s.WebRTC.iceWarnings()...)
	}
	return all
}

func liveWarnings(live *stats.Snapshot) []string {
	var all []string
	if live.Dropped > 0 {
		all = append(all, fmt.Sprintf("the kernel dropped %d datagrams because a receive buffer was full: "+
			"results are not to be trusted; raise net.core.rmem_max or lower the rate", live.Dropped))
	}
	if live.Malformed > 0 {
		all = append(all, fmt.Sprintf("datagrams that were not SIP: %d", live.Malformed))
	}
	if live.OutOfCall > 0 {
		all = append(all, fmt.Sprintf("messages that belonged to no call: %d", live.OutOfCall))
	}
	return all
}

// NumberOfCalls returns "1 call" or "5 calls".
func NumberOfCalls(n uint64) string {
	if n == 1 {
		return "1 call"
	}
	return fmt.Sprintf("%d calls", n)
}

func (r *RTP) clone() *RTP {
	if r == nil {
		return nil
	}
	c := *r
	c.ByCodec = maps.Clone(r.ByCodec)
	return &c
}

func (w *WebRTC) clone() *WebRTC {
	if w == nil {
		return nil
	}
	c := *w
	c.Pairs, c.FailuresByStage, c.ICEErrors = maps.Clone(w.Pairs), maps.Clone(w.FailuresByStage), maps.Clone(w.ICEErrors)
	return &c
}
