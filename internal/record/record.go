// Package record keeps what a run leaves behind: one record for each call, and the run directory that holds everything.
//
// The records are the source that a summary can be rebuilt from. The package knows how calls end (outcome), not how they are run.
package record

import (
	"math"
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
)

// Schema is the version of the Record format, written into each record.
const Schema = 1

// Record is one call. It is one line of call_records.jsonl; docs/schema/call_record.schema.json describes it for other programs.
//
// Every field is always present. What is unknown, or has no meaning for the call, is null, never zero.
type Record struct {
	Schema     int    `json:"schema"`
	CallID     string `json:"call_id"`
	CallNumber uint64 `json:"call_number"`
	Role       string `json:"role"` // uac, uas
	Scenario   string `json:"scenario"`
	// User is the simulated user that made the call.
	User   *string `json:"user"`
	Local  *string `json:"local"`
	Remote *string `json:"remote"`

	StartedAt  time.Time `json:"started_at"`
	EndedAt    time.Time `json:"ended_at"`
	DurationMS float64   `json:"duration_ms"`

	Outcome outcome.Outcome `json:"outcome"`
	// ErrorCode, Reason, FailStage and FailedStep are null for a call that succeeded.
	ErrorCode  *string `json:"error_code"`
	Reason     *string `json:"reason"`
	FailStage  *string `json:"fail_stage"`
	FailedStep *string `json:"failed_step"`

	SIP SIP `json:"sip"`

	MediaKind string `json:"media_kind"` // none, rtp, webrtc
	// Media is null when MediaKind is none.
	Media *Media `json:"media"`
	// WebRTC is null unless MediaKind is webrtc.
	WebRTC *WebRTC `json:"webrtc"`
	// Recording is the path of the WAV file, relative to the run directory.
	Recording *string `json:"recording"`
}

// SIP is the signalling of a call.
type SIP struct {
	FinalStatus      *int     `json:"final_status"`
	SetupMS          *float64 `json:"setup_ms"`
	PDDMS            *float64 `json:"pdd_ms"`
	MessagesSent     uint64   `json:"messages_sent"`
	MessagesReceived uint64   `json:"messages_received"`
	Retransmissions  uint64   `json:"retransmissions"`
	// ResponseTimes are the scenario's own durations in milliseconds, by the name that start_rtd and rtd give them; null: not stopped.
	ResponseTimes map[string]*float64 `json:"response_times"`
}

// Media are the figures of a call's audio, whatever carried it.
type Media struct {
	Codec           *string  `json:"codec"`
	PacketsSent     uint64   `json:"packets_sent"`
	PacketsReceived uint64   `json:"packets_received"`
	BytesSent       uint64   `json:"bytes_sent"`
	BytesReceived   uint64   `json:"bytes_received"`
	PacketsLost     *int64   `json:"packets_lost"` // RFC 3550 A.3
	Duplicated      uint64   `json:"duplicated"`
	Reordered       uint64   `json:"reordered"`
	FractionLost    *float64 `json:"fraction_lost"` // 0 to 1
	JitterMS        *float64 `json:"jitter_ms"`
	RTTMS           *float64 `json:"rtt_ms"`
	// RemoteFractionLost and RemoteJitterMS are what the peer reported of our packets.
	RemoteFractionLost *float64 `json:"remote_fraction_lost"`
	RemoteJitterMS     *float64 `json:"remote_jitter_ms"`
	MOS                *float64 `json:"mos"`
	// ConnectMS and FirstRTPMS count from the start of the call.
	ConnectMS    *float64 `json:"connect_ms"`
	FirstRTPMS   *float64 `json:"first_rtp_ms"`
	DTMFReceived *string  `json:"dtmf_received"`
}

// WebRTC are the diagnostics of a call over WebRTC. The names of states are those of the W3C WebRTC specification.
type WebRTC struct {
	PCID          string        `json:"pc_id"`
	Codec         *string       `json:"codec"`
	ICEGathering  string        `json:"ice_gathering"`
	ICEConnection string        `json:"ice_connection"`
	Connection    string        `json:"connection"`
	TURNAuth      string        `json:"turn_auth"` // none, inline, static, rest
	SelectedPair  *SelectedPair `json:"selected_pair"`

	GatherMS *float64 `json:"gather_ms"`
	ICEMS    *float64 `json:"ice_ms"`
	DTLSMS   *float64 `json:"dtls_ms"`

	OfferCreated   bool `json:"offer_created"`
	AnswerCreated  bool `json:"answer_created"`
	AnswerAccepted bool `json:"answer_accepted"`

	RTPPacketsSent     uint64   `json:"rtp_packets_sent"`
	RTPPacketsReceived uint64   `json:"rtp_packets_received"`
	RTPPacketsLost     *int64   `json:"rtp_packets_lost"`
	FractionLost       *float64 `json:"fraction_lost"`
	JitterMS           *float64 `json:"jitter_ms"`

	RemoteCandidates int        `json:"remote_candidates"`
	TrickleRejected  int        `json:"trickle_rejected"`
	TURNCredExpires  *time.Time `json:"turn_cred_expires"`
	TURNRefreshCount int        `json:"turn_refresh_count"`

	ICEErrors []ICEError `json:"ice_errors"`
	Timeline  []Event    `json:"timeline"`
}

// SelectedPair is the pair of ICE candidates that carried the media.
type SelectedPair struct {
	Local  Candidate `json:"local"`
	Remote Candidate `json:"remote"`
}

// Candidate is one ICE candidate.
type Candidate struct {
	ID       string  `json:"id"`
	Type     string  `json:"type"` // host, srflx, prflx, relay
	Protocol string  `json:"protocol"`
	Address  *string `json:"address"`
}

// ICEError is what went wrong with one ICE server.
type ICEError struct {
	URL  string `json:"url"`
	Code *int   `json:"code"` // null: there was no answer
	Text string `json:"text"`
}

// Event is one entry of the timeline.
type Event struct {
	MS    float64 `json:"t_ms"` // from the start of the call
	Event string  `json:"event"`
}

// Millis returns a duration in milliseconds, to the microsecond.
func Millis(d time.Duration) float64 { return math.Round(float64(d)/1e3) / 1e3 }

// MillisOf is Millis for a duration that may be unknown.
func MillisOf(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	return new(Millis(*d))
}

// Text returns nil for an empty string: for fields in which that means unknown.
func Text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
