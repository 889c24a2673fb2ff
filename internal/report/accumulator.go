package report

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/record"
	"github.com/gossipper/gossipper/internal/stats"
)

// Limits that bound the memory of an Accumulator, however many calls there are and whatever their peers make up.
const (
	maxGroups = 1000 // different failures that are told apart
	maxLabels = 200  // different values of any other label
	// silentMS is how long a call's media must have been connected, in milliseconds, for the lack of any packet to be worth a warning.
	silentMS = 500
	// otherLabel stands for every value beyond maxLabels.
	otherLabel = "other"
)

// Accumulator takes in call records one by one and keeps only sums. It may be used from any goroutine. Use NewAccumulator.
type Accumulator struct {
	mu sync.Mutex

	outcomes              map[outcome.Outcome]uint64
	groups                map[groupKey]*FailureGroup
	ungrouped             uint64
	codes                 map[string]uint64
	sent, received        uint64
	retransmissions       uint64
	rtp                   *RTP
	webrtc                *WebRTC
	recordings            uint64
	role, scenario, media string
	first, lastStart      time.Time // of StartedAt
	last                  time.Time // of EndedAt

	setup, pdd, connect *stats.Latency
}

type groupKey struct {
	outcome    outcome.Outcome
	code, step string
}

// NewAccumulator returns an Accumulator without calls.
func NewAccumulator() *Accumulator {
	return &Accumulator{
		outcomes: make(map[outcome.Outcome]uint64),
		groups:   make(map[groupKey]*FailureGroup),
		codes:    make(map[string]uint64),
		setup:    stats.NewLatency(),
		pdd:      stats.NewLatency(),
		connect:  stats.NewLatency(),
	}
}

// Add takes in one call.
func (a *Accumulator) Add(r *record.Record) {
	recordMillis(a.setup, r.SIP.SetupMS)
	recordMillis(a.pdd, r.SIP.PDDMS)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.outcomes[r.Outcome]++
	a.role, a.scenario = r.Role, r.Scenario
	if a.media == "" || r.MediaKind != "none" {
		a.media = r.MediaKind
	}
	if a.first.IsZero() || r.StartedAt.Before(a.first) {
		a.first = r.StartedAt
	}
	if r.StartedAt.After(a.lastStart) {
		a.lastStart = r.StartedAt
	}
	if r.EndedAt.After(a.last) {
		a.last = r.EndedAt
	}
	a.sent += r.SIP.MessagesSent
	a.received += r.SIP.MessagesReceived
	a.retransmissions += r.SIP.Retransmissions
	if r.Recording != nil {
		a.recordings++
	}
	if r.Outcome != outcome.Success {
		a.addFailure(r)
	}
	if r.Media != nil {
		a.addMedia(r)
	}
	if r.WebRTC != nil {
		a.addWebRTC(r)
	}
}

// count is the number of calls.
func (a *Accumulator) count() uint64 {
	var n uint64
	for _, calls := range a.outcomes {
		n += calls
	}
	return n
}

func (a *Accumulator) addFailure(r *record.Record) {
	key := groupKey{r.Outcome, text(r.ErrorCode), text(r.FailedStep)}
	count(a.codes, cmp.Or(key.code, r.Outcome.String()))
	group := a.groups[key]
	if group == nil {
		if len(a.groups) >= maxGroups {
			a.ungrouped++
			return
		}
		group = &FailureGroup{
			Outcome: key.outcome, Code: key.code, Step: key.step, Stage: text(r.FailStage),
			ExampleCallID: r.CallID, ExampleReason: text(r.Reason),
		}
		a.groups[key] = group
	}
	group.Count++
}

func (a *Accumulator) addMedia(r *record.Record) {
	m := r.Media
	recordMillis(a.connect, m.ConnectMS)
	if a.rtp == nil {
		a.rtp = &RTP{ByCodec: make(map[string]uint64)}
	}
	a.rtp.PacketsSent += m.PacketsSent
	a.rtp.PacketsReceived += m.PacketsReceived
	if m.PacketsLost != nil {
		a.rtp.PacketsLost = new(*m.PacketsLost + value(a.rtp.PacketsLost))
	}
	if receivedNothing(r) {
		a.rtp.CallsWithoutRTP++
	}
	if m.Codec != nil {
		count(a.rtp.ByCodec, *m.Codec)
	}
}

// receivedNothing tells whether the call's media were connected for half a second or longer and no packet arrived. Media that were never
// connected have failed in another way, and shorter calls may have ended before the first packet.
func receivedNothing(r *record.Record) bool {
	m := r.Media
	return m.ConnectMS != nil && m.PacketsReceived == 0 && r.DurationMS-*m.ConnectMS >= silentMS
}

func (a *Accumulator) addWebRTC(r *record.Record) {
	if a.webrtc == nil {
		a.webrtc = &WebRTC{
			Pairs: make(map[string]uint64), FailuresByStage: make(map[string]uint64), ICEErrors: make(map[string]uint64),
		}
	}
	if r.Media != nil && r.Media.ConnectMS != nil {
		a.webrtc.Connected++
	} else {
		a.webrtc.NotConnected++
	}
	if pair := r.WebRTC.SelectedPair; pair != nil {
		count(a.webrtc.Pairs, pair.Local.Type+"-"+pair.Remote.Type)
	}
	if r.Outcome != outcome.Success && isMediaStage(text(r.FailStage)) {
		count(a.webrtc.FailuresByStage, *r.FailStage)
	}
	var seen []string // one call counts once for each trouble
	for _, e := range r.WebRTC.ICEErrors {
		if label := iceErrorLabel(e); !slices.Contains(seen, label) {
			seen = append(seen, label)
			count(a.webrtc.ICEErrors, label)
		}
	}
}

// isMediaStage tells whether a call that failed there failed for its media.
func isMediaStage(stage string) bool {
	switch stage {
	case outcome.StageGather.String(), outcome.StageICE.String(), outcome.StageDTLS.String(), outcome.StageMedia.String():
		return true
	default:
		return false
	}
}

// failures returns the largest groups and the number of calls in all others.
func (a *Accumulator) failures(most int) ([]FailureGroup, uint64) {
	all := make([]FailureGroup, 0, len(a.groups))
	for _, group := range a.groups {
		all = append(all, *group)
	}
	slices.SortFunc(all, func(x, y FailureGroup) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Outcome, y.Outcome), cmp.Compare(x.Code, y.Code), cmp.Compare(x.Step, y.Step))
	})
	hidden := a.ungrouped
	for _, group := range all[min(most, len(all)):] {
		hidden += group.Count
	}
	return all[:min(most, len(all))], hidden
}

func count(in map[string]uint64, label string) {
	if _, known := in[label]; !known && len(in) >= maxLabels {
		label = otherLabel
	}
	in[label]++
}

func recordMillis(in *stats.Latency, ms *float64) {
	if ms != nil {
		in.Record(time.Duration(*ms * float64(time.Millisecond)))
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func value[T uint64 | int64 | float64](v *T) T {
	if v == nil {
		return 0
	}
	return *v
}
