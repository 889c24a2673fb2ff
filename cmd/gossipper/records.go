package main

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/gossipper/gossipper/internal/engine"
	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/record"
)

// recorder turns results into records.
type recorder struct {
	dir  record.RunDir
	rtds []string // names of the scenario's response times
	kind media.Kind
	// local and remote are the same in most calls.
	local, remote addressText
}

// addressText is the text of the last address, which most often is that of the next one too. It may be used from any goroutine.
type addressText struct {
	last atomic.Pointer[textOfAddress]
}

type textOfAddress struct {
	addr netip.AddrPort
	text string
}

// text puts the text of the address into the memory and returns it; nil if it is not valid.
func (t *addressText) text(a netip.AddrPort, memory *string) *string {
	if !a.IsValid() {
		return nil
	}
	last := t.last.Load()
	if last == nil || last.addr != a {
		last = &textOfAddress{a, a.String()}
		t.last.Store(last)
	}
	*memory = last.text
	return memory
}

// millis puts the duration into the memory in milliseconds and returns it; nil if it is not known.
func millis(d *time.Duration, memory *float64) *float64 {
	if d == nil {
		return nil
	}
	*memory = record.Millis(*d)
	return memory
}

// recordMemory is a record and what it points to in every call, so that all of it is one allocation.
type recordMemory struct {
	record.Record
	local, remote string
	setup, pdd    float64
	status        int
}

// record makes the record of one call. What the engine and the media do not know becomes null.
func (c *recorder) record(r *engine.Result) *record.Record {
	m := new(recordMemory)
	out := &m.Record
	*out = record.Record{
		Schema: record.Schema, CallID: r.CallID, CallNumber: r.CallNumber, Role: r.Role.String(), Scenario: r.Scenario,
		Local: c.local.text(r.Local, &m.local), Remote: c.remote.text(r.Remote, &m.remote),
		StartedAt: moment(r.StartedAt), EndedAt: moment(r.EndedAt), DurationMS: record.Millis(max(r.EndedAt.Sub(r.StartedAt), 0)),
		Outcome:   r.Outcome,
		SIP:       c.sip(&r.SIP, m),
		MediaKind: c.kind.String(),
	}
	if f := r.Failure; f != nil {
		out.ErrorCode, out.Reason, out.FailStage = record.Text(f.Code), record.Text(f.Reason), record.Text(f.Stage.String())
	}
	if r.Outcome != outcome.Success {
		out.FailedStep = record.Text(r.FailedStep)
	}
	if r.Media.Kind != media.KindNone {
		out.Media = c.media(r)
		if r.Media.Recording != "" {
			out.Recording = new(c.dir.Relative(r.Media.Recording))
		}
	}
	if r.Media.WebRTC != nil {
		out.WebRTC = webrtcRecord(r)
	}
	return out
}

func (c *recorder) sip(s *engine.SIPResult, m *recordMemory) record.SIP {
	out := record.SIP{
		SetupMS: millis(s.Setup, &m.setup), PDDMS: millis(s.PDD, &m.pdd),
		MessagesSent: s.MessagesSent, MessagesReceived: s.MessagesReceived, Retransmissions: s.Retransmissions,
		ResponseTimes: make(map[string]*float64, len(c.rtds)),
	}
	if s.FinalStatus != 0 {
		m.status = s.FinalStatus
		out.FinalStatus = &m.status
	}
	for i, name := range c.rtds {
		out.ResponseTimes[name] = nil
		if i < len(s.ResponseTimes) {
			out.ResponseTimes[name] = record.MillisOf(s.ResponseTimes[i])
		}
	}
	return out
}

func (c *recorder) media(r *engine.Result) *record.Media {
	m := &r.Media
	return &record.Media{
		Codec: record.Text(m.Codec), PacketsSent: m.PacketsSent, PacketsReceived: m.PacketsReceived,
		BytesSent: m.BytesSent, BytesReceived: m.BytesReceived, PacketsLost: lost(m), Duplicated: m.Duplicated, Reordered: m.Reordered,
		FractionLost: m.FractionLost, JitterMS: m.JitterMS, RTTMS: m.RTTMS,
		RemoteFractionLost: m.RemoteFractionLost, RemoteJitterMS: m.RemoteJitterMS,
		ConnectMS: since(r.StartedAt, m.ConnectedAt), FirstRTPMS: since(r.StartedAt, m.FirstRTPAt),
	}
}

// lost is unknown before the first packet: whoever received nothing cannot say what is missing.
func lost(m *media.Stats) *int64 {
	if m.FractionLost == nil {
		return nil
	}
	return new(m.PacketsLost)
}

func webrtcRecord(r *engine.Result) *record.WebRTC {
	m, w := &r.Media, r.Media.WebRTC
	out := &record.WebRTC{
		PCID: w.PCID, Codec: record.Text(m.Codec), ICEGathering: w.ICEGathering, ICEConnection: w.ICEConnection, Connection: w.Connection,
		TURNAuth: w.TURNAuth, GatherMS: w.GatherMS, ICEMS: w.ICEMS, DTLSMS: w.DTLSMS,
		OfferCreated: w.OfferCreated, AnswerCreated: w.AnswerCreated, AnswerAccepted: w.AnswerAccepted,
		RTPPacketsSent: m.PacketsSent, RTPPacketsReceived: m.PacketsReceived, RTPPacketsLost: lost(m),
		FractionLost: m.FractionLost, JitterMS: m.JitterMS,
		RemoteCandidates: w.RemoteCandidates, TrickleRejected: w.TrickleRejected, TURNRefreshCount: w.TURNRefreshCount,
		ICEErrors: make([]record.ICEError, len(w.ICEErrors)), Timeline: make([]record.Event, len(w.Timeline)),
	}
	if pair := w.SelectedPair; pair != nil {
		out.SelectedPair = &record.SelectedPair{Local: candidate(pair.Local), Remote: candidate(pair.Remote)}
	}
	if !w.TURNCredentialExpires.IsZero() {
		out.TURNCredExpires = new(moment(w.TURNCredentialExpires))
	}
	for i, e := range w.ICEErrors {
		out.ICEErrors[i] = record.ICEError{URL: e.URL, Text: e.Text}
		if e.Code != 0 {
			out.ICEErrors[i].Code = new(e.Code)
		}
	}
	for i, e := range w.Timeline {
		out.Timeline[i] = record.Event{MS: record.Millis(e.At.Sub(r.StartedAt)), Event: e.Event}
	}
	return out
}

func candidate(c media.Candidate) record.Candidate {
	return record.Candidate{ID: c.ID, Type: c.Type, Protocol: c.Protocol, Address: addrPort(c.Address)}
}

func addrPort(a netip.AddrPort) *string {
	if !a.IsValid() {
		return nil
	}
	return new(a.String())
}

// moment is a time as records write it: UTC, to the microsecond.
func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func since(start, event time.Time) *float64 {
	if event.IsZero() {
		return nil
	}
	return new(record.Millis(max(event.Sub(start), 0)))
}
