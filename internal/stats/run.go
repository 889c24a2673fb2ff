// Package stats counts what happens in a run and keeps its latencies in bounded histograms.
//
// Writers are the engine's loop and the goroutines that end calls; readers take a Snapshot at any time. The package knows only
// the closed list of outcomes.
package stats

import (
	"sync/atomic"

	"github.com/gossipper/gossipper/internal/outcome"
)

// Run holds the live figures of one run. Use NewRun. Everything may be used from any goroutine.
type Run struct {
	CallsStarted atomic.Uint64
	// CallsRunning are calls whose scenario has not ended.
	CallsRunning atomic.Int64
	// StartsMissed are calls that were due and could not be started, because of the limit or for want of CPU.
	StartsMissed atomic.Uint64

	MessagesSent     atomic.Uint64
	MessagesReceived atomic.Uint64
	// Retransmissions are messages that this side repeated.
	Retransmissions atomic.Uint64
	// RetransmissionsReceived are messages that the peer repeated.
	RetransmissionsReceived atomic.Uint64
	// Malformed are datagrams that are not SIP, or have no Call-ID.
	Malformed atomic.Uint64
	// OutOfCall are messages of unknown calls that did not start one.
	OutOfCall atomic.Uint64
	// DeadCall are messages of calls that had ended, and whose results had been handed over, when they came.
	DeadCall atomic.Uint64
	// AutoAnswered are requests that the engine answered by itself: OPTIONS outside of calls, trickle INFO.
	AutoAnswered atomic.Uint64
	// Rejected are calls refused with 503 because too many were open.
	Rejected atomic.Uint64
	// Dropped are datagrams lost in the kernel for want of buffer.
	Dropped atomic.Uint64

	outcomes [16]atomic.Uint64

	// Setup, PDD: see engine.SIPResult. Connect is from the start of the call until its media were up.
	Setup, PDD, Connect *Latency
}

// EndCall counts the end of a call.
func (r *Run) EndCall(o outcome.Outcome) { r.outcomes[o].Add(1) }

// Outcome returns how many calls ended so.
func (r *Run) Outcome(o outcome.Outcome) uint64 { return r.outcomes[o].Load() }
