package engine

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/scenario"
	"github.com/gossipper/gossipper/internal/stats"
	"github.com/gossipper/gossipper/internal/transport"
)

// Config is everything that a run of the engine needs, already validated. The engine reads no flags, files or environment.
type Config struct {
	Scenario *scenario.Scenario
	// Transport carries the SIP messages. The engine polls it while it runs; the caller closes it afterwards.
	Transport transport.Transport
	// Target is where calls go; it is not used by a UAS.
	Target netip.AddrPort
	// RemoteHost is the target's name as the user wrote it, for [remote_host].
	RemoteHost string
	// Service is the user part of the target, for [service].
	Service string
	// Advertise is the address for [local_ip]; if it is not valid, the transport's own.
	Advertise netip.Addr

	Load           Load
	Retransmission Retransmission
	// Hold is how long a pause without a length lasts.
	Hold time.Duration
	// RecvTimeout is for recv steps without a timeout attribute; 0: they wait for ever.
	RecvTimeout time.Duration
	// DeadCallWait is how long the Call-ID of an ended call is remembered, so that late messages do not start a new one.
	DeadCallWait time.Duration
	// MaxOpenCalls caps the calls of a UAS; more INVITEs are answered with 503. 0: no cap.
	MaxOpenCalls int

	Media Media

	// OnResult is told of each call when it and its media have ended, and the messages that end it towards the peer are answered or
	// given up. It is called from several goroutines.
	OnResult func(*Result)
	// Stats are kept up to date while the engine runs.
	Stats *stats.Run
	Log   *slog.Logger
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Load says how many calls a UAC starts, and when.
type Load struct {
	// Rate calls are started in each Period, from the absolute start of the run on.
	Rate   float64
	Period time.Duration
	// Calls is the number of calls after which no more are started, 0: no end. For a UAS it counts calls received.
	Calls uint64
	// Limit is the number of calls that may be open at once, 0: no limit.
	Limit int
	// Duration is how long calls are started, 0: no end.
	Duration time.Duration
}

// Retransmission are the limits of repeating a message over UDP. T1 is each send step's own.
type Retransmission struct {
	Disabled bool
	// T2 caps the interval for requests other than INVITE and for responses (RFC 3261 17.1.2.1).
	T2 time.Duration
	// MaxINVITE and MaxOther are how often an INVITE, and any other message, is repeated before the call has failed.
	MaxINVITE, MaxOther int
}

// DefaultRetransmission returns SIPp's limits.
func DefaultRetransmission() Retransmission {
	return Retransmission{T2: 4 * time.Second, MaxINVITE: 5, MaxOther: 9}
}

// Media says what media the calls have.
type Media struct {
	Kind media.Kind
	// New makes the pipeline of one call. It may block, and is called off the loop, when the call first needs its media.
	// It is nil for KindNone.
	New func(media.PipelineOptions) (media.MediaPipeline, error)
	// IP and Port stand for [media_ip] and [media_port] in calls that have no pipeline.
	IP   netip.Addr
	Port int
	// Play is played by every call from the moment its media are up, -1 times; nil: only what the scenario says.
	Play *media.Clip
	// Record records every call; RecordStereo puts both directions into the file.
	Record, RecordStereo bool
	// RecordingsDir is where recordings go.
	RecordingsDir string
	// CloseTimeout bounds the closing of one call's media.
	CloseTimeout time.Duration
}

// Result is how one call went.
type Result struct {
	CallNumber         uint64
	CallID             string
	Role               scenario.Role
	Scenario           string
	Local, Remote      netip.AddrPort
	StartedAt, EndedAt time.Time

	Outcome outcome.Outcome
	// Failure is nil for outcome.Success.
	Failure *outcome.Failure
	// FailedStep names the step at which the call failed, with its line: "recv 200 (line 31)".
	FailedStep string

	SIP   SIPResult
	Media media.Stats
}

// SIPResult is the signalling of one call.
type SIPResult struct {
	// FinalStatus is the status of the final response to the (last) INVITE, or to the first request if there was no INVITE; 0: none.
	FinalStatus int
	// Setup is the time from the INVITE to its 2xx, PDD (post-dial delay) to the first 18x, 2xx or failure, as seen from this side; nil: it
	// did not happen.
	Setup, PDD *time.Duration
	// ResponseTimes are the scenario's own (start_rtd, rtd), by index into Scenario.RTDs; nil where it was not stopped.
	ResponseTimes []*time.Duration

	MessagesSent, MessagesReceived, Retransmissions uint64
}
