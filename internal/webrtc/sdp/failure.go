package sdp

import (
	"fmt"

	"github.com/gossipper/gossipper/internal/outcome"
)

// The codes of failures to agree, for records.
const (
	CodeProfileMismatch = "profile_mismatch" // not DTLS-SRTP with ICE
	CodeInvalid         = "invalid_sdp"      // not SDP, or not as the RFCs have it
	CodeMediaRejected   = "media_rejected"   // no audio, or m=audio 0
	CodeNoCommonCodec   = "no_common_codec"  // neither PCMU nor PCMA
)

// Incompatible is a failure to agree with the peer's SDP.
func Incompatible(code, format string, args ...any) *outcome.Failure {
	return &outcome.Failure{
		Outcome: outcome.MediaIncompatible, Stage: outcome.StageMedia, Code: code, Reason: fmt.Sprintf(format, args...),
	}
}
