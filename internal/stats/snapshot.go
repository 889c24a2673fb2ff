package stats

import "github.com/gossipper/gossipper/internal/outcome"

// Snapshot is what a Run says at one moment. Each figure is read by itself: while calls run, figures that belong together may
// differ by the calls that end in between.
type Snapshot struct {
	CallsStarted uint64 `json:"calls_started"`
	CallsRunning int64  `json:"calls_running"`
	StartsMissed uint64 `json:"starts_missed"`

	MessagesSent            uint64 `json:"messages_sent"`
	MessagesReceived        uint64 `json:"messages_received"`
	Retransmissions         uint64 `json:"retransmissions"`
	RetransmissionsReceived uint64 `json:"retransmissions_received"`
	Malformed               uint64 `json:"malformed"`
	OutOfCall               uint64 `json:"out_of_call"`
	DeadCall                uint64 `json:"dead_call"`
	AutoAnswered            uint64 `json:"auto_answered"`
	Rejected                uint64 `json:"rejected"`
	Dropped                 uint64 `json:"dropped"`

	// Outcomes are the ended calls. Outcomes that no call had are left out.
	Outcomes map[outcome.Outcome]uint64 `json:"outcomes"`

	Setup   Distribution `json:"setup"`
	PDD     Distribution `json:"pdd"`
	Connect Distribution `json:"connect"`
}

// Snapshot returns the figures as they are now.
func (r *Run) Snapshot() Snapshot {
	s := Snapshot{
		CallsStarted:            r.CallsStarted.Load(),
		CallsRunning:            r.CallsRunning.Load(),
		StartsMissed:            r.StartsMissed.Load(),
		MessagesSent:            r.MessagesSent.Load(),
		MessagesReceived:        r.MessagesReceived.Load(),
		Retransmissions:         r.Retransmissions.Load(),
		RetransmissionsReceived: r.RetransmissionsReceived.Load(),
		Malformed:               r.Malformed.Load(),
		OutOfCall:               r.OutOfCall.Load(),
		DeadCall:                r.DeadCall.Load(),
		AutoAnswered:            r.AutoAnswered.Load(),
		Rejected:                r.Rejected.Load(),
		Dropped:                 r.Dropped.Load(),
		Outcomes:                make(map[outcome.Outcome]uint64),
		Setup:                   r.Setup.Distribution(),
		PDD:                     r.PDD.Distribution(),
		Connect:                 r.Connect.Distribution(),
	}
	for _, o := range outcome.All() {
		if n := r.Outcome(o); n > 0 {
			s.Outcomes[o] = n
		}
	}
	return s
}

// OK returns the number of calls that succeeded.
func (s *Snapshot) OK() uint64 { return s.Outcomes[outcome.Success] }

// Failed returns the number of calls that ended otherwise.
func (s *Snapshot) Failed() uint64 {
	var n uint64
	for o, count := range s.Outcomes {
		if o != outcome.Success {
			n += count
		}
	}
	return n
}
