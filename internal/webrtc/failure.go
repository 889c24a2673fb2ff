package webrtc

import (
	"fmt"

	"github.com/gossipper/gossipper/internal/outcome"
)

// The codes of failures, for records; package sdp has those of SDP that cannot be used.
const (
	codeAnswerChanged    = "answer_changed"
	codeFingerprintNew   = "fingerprint_changed"
	codeTURNUnauthorized = "turn_unauthorized"
	codeNoRelay          = "no_relay_candidate"
	codeNoCandidate      = "no_candidate"
	codeGatherFailed     = "gather_failed"
	codeICEFailed        = "ice_failed"
	codeDTLSFailed       = "dtls_failed"
	codeFingerprint      = "fingerprint_mismatch"
	codeTooManySources   = "too_many_sources"
	codePeerFailed       = "peer_failed"
)

// broken is a failure of a layer below the media.
func broken(stage outcome.Stage, code string, err error, format string, args ...any) *outcome.Failure {
	return &outcome.Failure{
		Outcome: outcome.MediaFailed, Stage: stage, Code: code, Reason: fmt.Sprintf(format, args...), Err: err,
	}
}
