// Package media gives calls their audio: what to send, when to send it, and what arrived.
//
// It defines MediaPipeline, all that a call needs from its media, and implements it with classic RTP (Session). The parts
// that every implementation shares are here too: clips, G.711, the pacer, Stream (one audio stream both ways), the recorder and RTCP.
// It knows nothing of SIP messages, scenarios or WebRTC.
package media

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
)

// MediaPipeline is what a call needs from its media.
//
// Methods that take a context may block (ICE gathering, sockets): the engine calls them off its loop. All others return at
// once. Every method may be called from any goroutine; after Close all but Kind and Stats return ErrClosed.
//
// A failure that ends the call is an *outcome.Failure (use errors.As): it names the layer and the reason.
type MediaPipeline interface {
	Kind() Kind

	// CreateOffer returns the SDP body to offer (RFC 3264). Called again without an answer in between, it returns the same bytes.
	CreateOffer(ctx context.Context) ([]byte, error)
	// Answer takes the peer's offer and returns the SDP body of the answer. The same offer again returns the same bytes.
	Answer(ctx context.Context, offer []byte) ([]byte, error)
	// AcceptAnswer takes the peer's answer to the offer of CreateOffer. The same answer again (183, then 200) is no error.
	AcceptAnswer(ctx context.Context, answer []byte) error

	// LocalEndpoint returns the address at which RTP is received, for SDP that a scenario writes by hand.
	// WebRTC returns ErrUnsupportedOverWebRTC.
	LocalEndpoint() (netip.AddrPort, error)
	// SetRemote takes the peer's SDP in a call whose own SDP the scenario writes by hand: address and codec come from it.
	// WebRTC returns ErrUnsupportedOverWebRTC.
	SetRemote(sdp []byte) error

	// Play sends the clip, loops times (-1: for ever), in place of what was being sent. It starts as soon as the media path is
	// up, from the clip's beginning, so that nothing of it is lost.
	Play(clip *Clip, loops int) error
	// Pause halts what Play started, Resume goes on where Pause halted, Stop ends it. Without a Play they do nothing.
	Pause() error
	Resume() error
	Stop() error

	// StartRecording writes what is received (and sent, if stereo) to a WAV file, from the first packet on.
	StartRecording(RecordOptions) error
	// StopRecording completes the file. Close does so too.
	StopRecording() error

	// Stats returns the figures as they are now, or as they were at Close.
	Stats() Stats
	// Close ends the media and frees everything, waiting for goroutines until the context ends. It can be called again.
	Close(ctx context.Context) error
}

// Trickler is a MediaPipeline that takes ICE candidates of the peer during the call (RFC 8838).
type Trickler interface {
	// AddRemoteCandidates applies the body of a SIP message: application/trickle-ice-sdpfrag (RFC 8840),
	// application/trickle-ice+json, or candidate-only application/sdp. Candidates that come before the peer's SDP are kept.
	AddRemoteCandidates(contentType string, body []byte) error
}

// Errors that callers test for.
var (
	// ErrClosed is returned by a pipeline that was closed.
	ErrClosed = errors.New("media are closed")
	// ErrUnsupportedOverWebRTC is wrapped by errors that name the action and the way out.
	ErrUnsupportedOverWebRTC = errors.New("not supported over WebRTC")
)

// Kind is the sort of media that a call has.
type Kind uint8

// The kinds.
const (
	KindNone Kind = iota
	KindRTP
	KindWebRTC
)

// String returns none, rtp or webrtc: the value of [media_transport] and of media_kind in records.
func (k Kind) String() string {
	switch k {
	case KindRTP:
		return "rtp"
	case KindWebRTC:
		return "webrtc"
	default:
		return "none"
	}
}

// PipelineOptions are what a new pipeline learns of its call.
type PipelineOptions struct {
	CallNumber uint64
	CallID     string
	// OnEvent is told what happens to the media. It is called from any goroutine, must not block and must not call the
	// pipeline. It may be nil.
	OnEvent func(Event)
}

// Event is something that happened to the media without being asked for.
type Event struct {
	Type EventType
	At   time.Time
	// Failure is set for EventFailed only.
	Failure *outcome.Failure
}

// EventType says what happened.
type EventType uint8

// The events.
const (
	// EventConnected: packets can flow. Classic RTP: the remote address is known. WebRTC: DTLS is up.
	EventConnected EventType = iota + 1
	// EventFirstPacket: the first RTP packet arrived.
	EventFirstPacket
	// EventFailed: the media broke down; the pipeline still has to be closed.
	EventFailed
)

// RecordOptions say where and what to record.
type RecordOptions struct {
	Path string
	// Stereo records what is sent beside what is received: the caller left, the callee right.
	Stereo bool
	// Caller tells whether this side is the caller; it chooses the channels of a stereo recording.
	Caller bool
}

// Stats are the figures of one call's media. Nil means unknown, or without meaning for this kind of media; never zero.
type Stats struct {
	Kind  Kind
	Codec string // PCMU, PCMA; empty until negotiated

	PacketsSent, PacketsReceived uint64
	BytesSent, BytesReceived     uint64 // RTP payload
	Duplicated, Reordered        uint64
	// Ignored are packets received of payload types that are no audio of this call: comfort noise, for example.
	Ignored uint64
	// PacketsLost is what RFC 3550 A.3 calls the cumulative number of packets lost; negative when there were duplicates.
	PacketsLost int64

	// FractionLost (0 to 1) is of what we received, over the whole call; nil before the first packet.
	FractionLost *float64
	// JitterMS is the interarrival jitter of RFC 3550 A.8 in milliseconds; nil before the second packet.
	JitterMS *float64
	// RTTMS is the round trip from RTCP (RFC 3550 6.4.1), or from ICE, in milliseconds.
	RTTMS *float64
	// RemoteFractionLost (0 to 1) and RemoteJitterMS are what the peer last reported of our packets; nil before its first report.
	RemoteFractionLost *float64
	RemoteJitterMS     *float64

	// ConnectedAt and FirstRTPAt are zero until it happens.
	ConnectedAt, FirstRTPAt time.Time
	// Recording is the path of the WAV file; empty if none was written.
	Recording string
	// WebRTC is nil for classic RTP.
	WebRTC *WebRTCStats
}

// WebRTCStats are the diagnostics of a WebRTC call. State names are those of the W3C WebRTC specification.
type WebRTCStats struct {
	PCID                         string
	ICEGathering                 string
	ICEConnection                string
	Connection                   string
	TURNAuth                     string // none, inline, static, rest
	SelectedPair                 *CandidatePair
	OfferCreated, AnswerAccepted bool
	AnswerCreated                bool
	GatherMS, ICEMS, DTLSMS      *float64
	RemoteCandidates             int
	TrickleRejected              int
	TURNCredentialExpires        time.Time // zero: no REST credential
	TURNRefreshCount             int
	ICEErrors                    []ICEError
	Timeline                     []TimelineEntry
}

// CandidatePair is a pair of ICE candidates.
type CandidatePair struct{ Local, Remote Candidate }

// Candidate is an ICE candidate (RFC 8445 5.3).
type Candidate struct {
	ID       string
	Type     string // host, srflx, prflx, relay
	Protocol string // udp, tcp
	Address  netip.AddrPort
}

// ICEError is a failure of one ICE server.
type ICEError struct {
	URL  string // without credentials
	Code int    // STUN error code (RFC 8489 14.8), 0 if there was no answer
	Text string
}

// TimelineEntry is one change of state.
type TimelineEntry struct {
	At    time.Time
	Event string // "ice_connection connected", "offer_created"
}
