// Package outcome is the closed list of ways in which a call can end.
//
// The engine, the media, the records, the summary and the exit code share this
// list. The package knows nothing of any of them and imports nothing of ours.
package outcome

import "fmt"

// Outcome says how a call ended. Every call has exactly one.
type Outcome uint8

// The outcomes. The zero value means that the call has not ended.
const (
	Unknown           Outcome = iota
	Success                   // the scenario ran to its end and every check held
	Rejected                  // the peer refused the call: a final response the scenario did not expect, 300 and above
	UnexpectedMessage         // the peer sent a message that the scenario does not provide for
	NoAnswer                  // a request was retransmitted to its limit and nothing came back
	MalformedAnswer           // as NoAnswer, but the peer did send datagrams: they were not SIP
	RecvTimeout               // a step waited for a message longer than its timeout
	SendFailed                // the network refused a message
	CheckFailed               // a check_it of the scenario did not hold
	MediaIncompatible         // the peer's SDP cannot be used with this call's media
	MediaFailed               // media were agreed upon, or being prepared, and broke down: see the stage
	Aborted                   // the run was stopped while the call was in progress
	InternalError             // a defect of this program
	outcomes                  // their number
)

var outcomeNames = [outcomes]string{
	"unknown", "success", "rejected", "unexpected_message", "no_answer", "malformed_answer", "recv_timeout",
	"send_failed", "check_failed", "media_incompatible", "media_failed", "aborted", "internal_error",
}

// All returns every outcome that a call can have, in the order in which they are shown.
func All() []Outcome {
	all := make([]Outcome, 0, outcomes-1)
	for o := Success; o < outcomes; o++ {
		all = append(all, o)
	}
	return all
}

// String returns the name used in records, summaries and the API.
func (o Outcome) String() string {
	if o < outcomes {
		return outcomeNames[o]
	}
	return fmt.Sprintf("outcome(%d)", uint8(o))
}

// MarshalText makes the name the form in JSON.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText accepts the names that String returns.
func (o *Outcome) UnmarshalText(text []byte) error {
	for i, name := range outcomeNames {
		if name == string(text) {
			*o = Outcome(i)
			return nil
		}
	}
	return fmt.Errorf("unknown outcome %q", text)
}

// Stage is the layer in which a call failed.
type Stage uint8

// The stages, in the order in which a call passes them. The zero value means that nothing failed.
const (
	StageNone     Stage = iota
	StageSIP            // signalling
	StageGather         // gathering of ICE candidates, TURN allocation
	StageICE            // connectivity checks
	StageDTLS           // DTLS handshake, fingerprint
	StageMedia          // SDP negotiation and RTP
	StageScenario       // the scenario itself: a check, an impossible step
	stages
)

var stageNames = [stages]string{"", "sip", "gather", "ice", "dtls", "media", "scenario"}

// String returns the name used in records; it is empty for StageNone.
func (s Stage) String() string {
	if s < stages {
		return stageNames[s]
	}
	return fmt.Sprintf("stage(%d)", uint8(s))
}

// Failure is why a call did not succeed. It is an error, so that media can return it and the engine can find it with
// errors.As.
type Failure struct {
	Outcome Outcome
	Stage   Stage
	// Code is a short, stable identifier in snake case, for programs: "sip_486", "turn_unauthorized", "ice_failed".
	Code string
	// Reason is a sentence for people: what happened, with whom, and where it helps, what to do.
	Reason string
	// Err is the cause, if there is one. It may be nil.
	Err error
}

// Error returns the stage and the reason.
func (f *Failure) Error() string { return f.Stage.String() + ": " + f.Reason }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }
