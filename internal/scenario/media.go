package scenario

import (
	"github.com/gossipper/gossipper/internal/template"
)

// Names of the kinds of media, as flags, profiles and records spell them.
const (
	kindRTP    = "rtp"
	kindWebRTC = "webrtc"
	kindNone   = "none"
)

// Role tells which side the scenario plays: it follows from whether its first message is sent or received.
func (s *Scenario) Role() Role {
	for i := range s.Steps {
		switch {
		case s.Steps[i].Send != nil:
			return UAC
		case s.Steps[i].Recv != nil:
			return UAS
		}
	}
	return UAC
}

// NeedsMedia tells whether the scenario does anything with media of its own: renders their SDP, plays or records. SDP that it writes
// by hand, with or without [media_ip] and [media_port], is text like any other.
func (s *Scenario) NeedsMedia() bool {
	for i := range s.Steps {
		step := &s.Steps[i]
		if step.Send != nil && (step.Send.Message.UsesOffer() || step.Send.Message.UsesAnswer()) {
			return true
		}
		for _, action := range step.Actions {
			switch action.(type) {
			case *RTPStream, *RTPRecord:
				return true
			}
		}
	}
	return false
}

// DescribesMedia tells whether the scenario writes SDP by hand, or the address of media. If its calls have media all the same, because
// the run asks for them, this is how the peer learns of them.
func (s *Scenario) DescribesMedia() bool {
	for i := range s.Steps {
		if send := s.Steps[i].Send; send != nil && (send.Message.UsesMediaAddress() || send.Message.HandWrittenSDP() > 0) {
			return true
		}
	}
	return false
}

// EffectiveMedia chooses the kind of media of a run: rtp, webrtc or none.
//
// The nearest word wins: flag (the --media of the command line, empty if absent), then the webrtc attribute of the scenario, true or
// false, then an enabled webrtc row in the profile, and at last rtp.
func (s *Scenario) EffectiveMedia(profileWebRTC bool, flag string) string {
	switch {
	case flag != "":
		return flag
	case s.WebRTC == On:
		return kindWebRTC
	case s.WebRTC == Off:
		return kindRTP
	case profileWebRTC:
		return kindWebRTC
	}
	return kindRTP
}

// RunMedia tells which media calls really have when EffectiveMedia chose a kind: of rtp none is left when nobody asks for media, neither
// the flag nor wanted (the run plays or records something) nor the scenario itself. WebRTC is never chosen by default.
func (s *Scenario) RunMedia(effective, flag string, wanted bool) string {
	if effective == kindRTP && flag != kindRTP && !wanted && !s.NeedsMedia() {
		return kindNone
	}
	return effective
}

// CheckMedia tells what in the scenario cannot work with this kind of media (rtp, webrtc or none). A run whose problems include
// an error must not start.
func (s *Scenario) CheckMedia(kind string) []Problem {
	c := mediaCheck{s: s, kind: kind}
	for i := range s.Steps {
		step := &s.Steps[i]
		if step.Send != nil {
			c.message(step.Send.Message, step.Send.textLine)
		}
		for _, action := range step.Actions {
			c.action(action)
		}
	}
	return c.problems
}

type mediaCheck struct {
	s        *Scenario
	kind     string
	problems []Problem
}

func (c *mediaCheck) report(line int, severity Severity, text, hint string) {
	c.problems = append(c.problems, Problem{File: c.s.File, Line: line, Severity: severity, Text: text, Hint: hint})
}

// message checks a message whose text begins on the line.
func (c *mediaCheck) message(m *template.Template, line int) {
	switch c.kind {
	case kindWebRTC:
		c.handWritten(m, line)
	case kindNone:
		for k := template.KeySDPOffer; k <= template.KeyWebRTCAnswer; k++ {
			if at := m.LineOf(k); at > 0 {
				c.report(line+at-1, Error, "["+k.String()+"] needs media, and the run has none", "leave out --media none")
			}
		}
	default:
		for _, k := range []template.Keyword{template.KeyWebRTCOffer, template.KeyWebRTCAnswer} {
			if at := m.LineOf(k); at > 0 {
				instead := template.KeySDPOffer
				if k == template.KeyWebRTCAnswer {
					instead = template.KeySDPAnswer
				}
				c.report(line+at-1, Error, "["+k.String()+"] needs WebRTC media, and the run has "+c.kind,
					`add webrtc="true" to <scenario>, enable the profile's webrtc row, or write [`+instead.String()+"], which works with either")
			}
		}
	}
}

// handWritten reports SDP that the author wrote: the ports, keys and candidates of WebRTC media only exist in their own description.
func (c *mediaCheck) handWritten(m *template.Template, line int) {
	if at := m.HandWrittenSDP(); at > 0 {
		c.report(line+at-1, Error, "SDP written by hand cannot describe WebRTC media",
			"replace the body by [sdp_offer], or by [sdp_answer] in the message that answers an offer")
		return
	}
	for _, k := range []template.Keyword{template.KeyMediaIP, template.KeyMediaIPType, template.KeyMediaPort} {
		if at := m.LineOf(k); at > 0 {
			c.report(line+at-1, Error, "["+k.String()+"] has no meaning with WebRTC media", "replace the body by [sdp_offer] or [sdp_answer]")
		}
	}
}

func (c *mediaCheck) action(action Action) {
	switch a := action.(type) {
	case *RTPStream:
		if c.kind == kindNone {
			c.report(a.Line, Warning, "rtp_stream plays nothing: the run has no media", "leave out --media none")
		}
	case *RTPRecord:
		if c.kind == kindNone {
			c.report(a.Line, Warning, "rtp_record records nothing: the run has no media", "leave out --media none")
		}
	case *Log:
		if c.kind == kindWebRTC && a.Message.UsesMediaAddress() {
			c.report(a.Line, Error, "[media_ip] and [media_port] have no meaning with WebRTC media", "leave them out of the <log>")
		}
	}
}
