// Package report sums up a run for people and programs, from its live figures and its call records.
//
// Everything that comes from the records can be rebuilt from call_records.jsonl. The package does not know how calls are made.
package report

import (
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/stats"
)

// Schema is the version of the Summary format.
const Schema = 1

// Summary is a run in figures: summary.json, described by docs/schema/summary.schema.json. What is unknown is null, never zero.
type Summary struct {
	Schema     int       `json:"schema"`
	Verdict    Verdict   `json:"verdict"`
	Role       string    `json:"role"`
	Scenario   string    `json:"scenario"`
	Media      string    `json:"media"`
	Target     *string   `json:"target"`
	StartedAt  time.Time `json:"started_at"`
	EndedAt    time.Time `json:"ended_at"`
	DurationMS float64   `json:"duration_ms"`

	Calls Calls `json:"calls"`
	// Failures are the largest groups of failed calls, the largest first.
	Failures         []FailureGroup    `json:"failures"`
	FailuresNotShown uint64            `json:"failures_not_shown"` // calls in groups beyond those
	FailuresByCode   map[string]uint64 `json:"failures_by_code"`

	Rate         Rate     `json:"rate"`
	StartsMissed *uint64  `json:"starts_missed"`
	Messages     Messages `json:"messages"`

	Setup   stats.Distribution `json:"setup"`
	PDD     stats.Distribution `json:"pdd"`
	Connect stats.Distribution `json:"connect"`

	RTP        *RTP    `json:"rtp"`
	WebRTC     *WebRTC `json:"webrtc"`
	Recordings uint64  `json:"recordings"`
	// RecordsLost are calls whose record could not be written.
	RecordsLost *uint64 `json:"records_lost"`

	Warnings []string `json:"warnings"`
	RunDir   string   `json:"run_dir"`
}

// Verdict is the result in one word.
type Verdict string

// The verdicts.
const (
	Passed  Verdict = "passed"   // every call that was started succeeded
	Failed  Verdict = "failed"   // at least one call did not
	NoCalls Verdict = "no_calls" // there was no call
	// Incomplete: not everything that the run found out could be kept, or the run broke off. The calls may have succeeded.
	Incomplete Verdict = "incomplete"
)

// Calls are counted once each.
type Calls struct {
	Asked     *uint64                    `json:"asked"` // null: no limit
	Started   uint64                     `json:"started"`
	Ended     uint64                     `json:"ended"`
	OK        uint64                     `json:"ok"`
	Failed    uint64                     `json:"failed"`
	ByOutcome map[outcome.Outcome]uint64 `json:"by_outcome"`
}

// FailureGroup are the calls that failed in the same way at the same step.
type FailureGroup struct {
	Outcome       outcome.Outcome `json:"outcome"`
	Code          string          `json:"code"`
	Stage         string          `json:"stage"`
	Step          string          `json:"step"`
	Count         uint64          `json:"count"`
	ExampleCallID string          `json:"example_call_id"`
	ExampleReason string          `json:"example_reason"`
}

// Rate is how many calls were started in a second.
type Rate struct {
	Asked    *float64 `json:"asked_per_s"`
	Achieved *float64 `json:"achieved_per_s"`
}

// Messages are the SIP messages of the run. Null: known only while the run lasts.
type Messages struct {
	Sent                    uint64  `json:"sent"`
	Received                uint64  `json:"received"`
	Retransmissions         uint64  `json:"retransmissions"`
	RetransmissionsReceived *uint64 `json:"retransmissions_received"`
	Malformed               *uint64 `json:"malformed"`
	OutOfCall               *uint64 `json:"out_of_call"`
	DeadCall                *uint64 `json:"dead_call"`
	AutoAnswered            *uint64 `json:"auto_answered"`
	Dropped                 *uint64 `json:"dropped"`
}

// RTP are the packets of all calls that had media.
type RTP struct {
	PacketsSent     uint64            `json:"packets_sent"`
	PacketsReceived uint64            `json:"packets_received"`
	PacketsLost     *int64            `json:"packets_lost"`
	CallsWithoutRTP uint64            `json:"calls_without_rtp"` // the media were connected for 500 ms or longer, but nothing arrived
	ByCodec         map[string]uint64 `json:"by_codec"`
}

// WebRTC sums up the calls over WebRTC.
type WebRTC struct {
	Connected       uint64            `json:"connected"`
	NotConnected    uint64            `json:"not_connected"`     // whatever the reason: the peer may have refused the call
	Pairs           map[string]uint64 `json:"pairs"`             // "host-relay": local and remote type
	FailuresByStage map[string]uint64 `json:"failures_by_stage"` // calls that failed for their media
	ICEErrors       map[string]uint64 `json:"ice_errors"`        // calls by server and error
}
