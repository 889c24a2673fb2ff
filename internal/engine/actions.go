package engine

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/scenario"
)

// act carries out the step's actions in order. They may end the call.
func (c *call) act(s *planStep) {
	c.acting = true
	defer func() { c.acting = false }()
	for _, action := range s.Actions {
		switch a := action.(type) {
		case *scenario.Ereg:
			c.ereg(a)
		case *scenario.Log:
			c.log(a, s)
		case *scenario.RTPStream:
			c.rtpStream(a, s)
		case *scenario.RTPRecord:
			c.rtpRecord(a)
		}
		if !c.alive() {
			return
		}
	}
}

// log writes a line to the run's log.
func (c *call) log(a *scenario.Log, s *planStep) {
	l := c.loop
	if !l.cfg.Log.Enabled(l.ctx, slog.LevelInfo) {
		return
	}
	l.setValues(c, s)
	l.text = a.Message.AppendTo(l.text[:0], &l.values)
	l.cfg.Log.LogAttrs(l.ctx, slog.LevelInfo, string(l.text),
		slog.Uint64("call", c.number), slog.String("call_id", c.id), slog.Int("line", a.Line))
}

// rtpStream controls what the call plays.
func (c *call) rtpStream(a *scenario.RTPStream, s *planStep) {
	if !c.loop.plan.media {
		return
	}
	clip, loops := s.clips[a], a.Loops
	c.mediaAction(func(p media.MediaPipeline) error {
		switch a.Op {
		case scenario.RTPPause:
			return p.Pause()
		case scenario.RTPResume:
			return p.Resume()
		case scenario.RTPStop:
			return p.Stop()
		default:
			return p.Play(clip, loops)
		}
	})
}

// rtpRecord starts or ends the call's recording.
func (c *call) rtpRecord(a *scenario.RTPRecord) {
	if !c.loop.plan.media {
		return
	}
	m := c.needMedia()
	c.mediaAction(func(p media.MediaPipeline) error {
		if a.Stop {
			return p.StopRecording()
		}
		return p.StartRecording(m.recordOptions(a.File, a.Stereo))
	})
}

// mediaAction does something with the media that returns at once.
func (c *call) mediaAction(do func(media.MediaPipeline) error) {
	m := c.needMedia()
	m.do(false, mediaOp{
		run: func(_ context.Context, p media.MediaPipeline) error { return do(p) },
		done: func(err error) {
			if err != nil {
				m.failed(err)
			}
		},
	})
}

// ereg searches, assigns what it finds, and notes a check that failed. That doesn't end the scenario; the call fails at its end, with
// the first check that did.
func (c *call) ereg(a *scenario.Ereg) {
	text, found := c.searched(a)
	var groups [][]byte
	if found {
		groups = a.Regexp.FindSubmatch(text)
	}
	for i, variable := range a.AssignTo {
		if i < len(groups) && groups[i] != nil {
			c.assign(variable, groups[i])
		}
	}
	switch {
	case a.CheckIt && groups == nil:
		c.checkFailed(a, "does not match", text, found)
	case a.CheckItInverse && groups != nil:
		c.checkFailed(a, "matches", text, found)
	}
}

// searched is the text that an Ereg searches; false if there is none: no such header, no value.
func (c *call) searched(a *scenario.Ereg) ([]byte, bool) {
	if a.In == scenario.SearchVariable {
		v := c.variable(a.Variable)
		return v.text, v.set
	}
	if !c.hasLast {
		return nil, false
	}
	switch a.In {
	case scenario.SearchBody:
		return c.last.Body(), true
	case scenario.SearchHeader:
		return headerText(c.last.Bytes(), a)
	default:
		return c.last.Bytes(), true
	}
}

// headerText is the rest of the line behind the n-th occurrence of the header's text. As in SIPp, that may stand anywhere in the
// message unless it has to start a line.
func headerText(message []byte, a *scenario.Ereg) ([]byte, bool) {
	haystack, needle := message, []byte(a.Header)
	if a.CaseIndep {
		haystack, needle = asciiLower(message), asciiLower(needle)
	}
	if len(needle) == 0 {
		return nil, false
	}
	pos := 0
	for left := max(a.Occurrence, 1); ; {
		n := bytes.Index(haystack[pos:], needle)
		if n < 0 {
			return nil, false
		}
		start := pos + n
		pos = start + len(needle)
		if a.StartLine && start > 0 && message[start-1] != '\n' {
			continue
		}
		if left--; left == 0 {
			break
		}
	}
	rest := message[pos:]
	if end := bytes.IndexAny(rest, "\r\n"); end >= 0 {
		rest = rest[:end]
	}
	return rest, true
}

// asciiLower keeps the length, as bytes.ToLower does not.
func asciiLower(b []byte) []byte {
	lower := make([]byte, len(b))
	for i, ch := range b {
		if ch >= 'A' && ch <= 'Z' {
			ch += 'a' - 'A'
		}
		lower[i] = ch
	}
	return lower
}

// checkFailed notes the first check that did not hold.
func (c *call) checkFailed(a *scenario.Ereg, how string, text []byte, found bool) {
	if c.failedCheck != nil {
		return
	}
	what := "the message"
	switch a.In {
	case scenario.SearchHeader:
		what = fmt.Sprintf("the header %q", a.Header)
	case scenario.SearchBody:
		what = "the body"
	case scenario.SearchVariable:
		what = "the variable " + c.loop.plan.scenario.Variables[a.Variable].Name
	case scenario.SearchMessage:
	}
	reason := fmt.Sprintf("%s %s %s (line %d)", what, how, a.Regexp, a.Line)
	if !found {
		reason += ": there is none"
	} else if a.In != scenario.SearchMessage && a.In != scenario.SearchBody {
		reason += ": it is " + excerpt(text)
	}
	c.failedStep = c.where()
	c.failedCheck = &outcome.Failure{
		Outcome: outcome.CheckFailed, Stage: outcome.StageScenario, Code: "check_failed", Reason: reason,
	}
}
