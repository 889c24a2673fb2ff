package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/scenario"
	"github.com/gossipper/gossipper/internal/template"
)

// Plan is a scenario compiled for running. It never changes and is shared by all calls.
type Plan struct {
	scenario *scenario.Scenario
	role     scenario.Role
	steps    []planStep
	// variables are the numbers of the scenario's variables by name.
	variables map[string]int
	// media tells whether the calls have a pipeline; without one a call has no goroutine.
	media bool
	// answers tells that an offer that comes in is for [sdp_answer] to answer, not for SDP that the scenario writes itself.
	answers bool
	// usesBody tells whether anything looks at the body of the last message, so that it has to be kept.
	usesBody bool
	// usesTimestamp tells whether anything renders [timestamp].
	usesTimestamp bool
}

// planStep is a step and what was found out about it.
type planStep struct {
	*scenario.Step
	index int
	kind  stepKind
	needs mediaNeed
	// clips are the clips of the step's RTPStream actions.
	clips map[*scenario.RTPStream]*media.Clip
	// final tells of a recv that one of its responses is a final one: a provisional one then doesn't leave the step.
	final bool
}

// stepKind is the sort of a step.
type stepKind uint8

const (
	stepNop stepKind = iota
	stepSend
	stepRecv
	stepPause
)

// mediaNeed is what a message needs of the call's media before it can be rendered.
type mediaNeed uint8

const (
	needNothing  mediaNeed = iota
	needOffer              // [sdp_offer], [webrtc_offer]
	needAnswer             // [sdp_answer], [webrtc_answer]
	needEndpoint           // [media_ip], [media_port]
)

// Compile makes a scenario ready for calls with this kind of media: it loads what the scenario plays, once for all calls.
// The error names everything that cannot work.
func Compile(s *scenario.Scenario, kind media.Kind) (*Plan, error) {
	return compile(s, kind, media.LoadClip)
}

// clipLoader reads a clip by the name that stands in the scenario.
type clipLoader func(dir fs.FS, source string) (*media.Clip, error)

func compile(s *scenario.Scenario, kind media.Kind, load clipLoader) (*Plan, error) {
	if s == nil || len(s.Steps) == 0 {
		return nil, errors.New("the scenario has no steps")
	}
	p := &Plan{
		scenario:  s,
		role:      s.Role(),
		steps:     make([]planStep, len(s.Steps)),
		variables: make(map[string]int, len(s.Variables)),
	}
	for i, v := range s.Variables {
		p.variables[v.Name] = i
	}
	var errs []error
	for _, problem := range s.CheckMedia(kind.String()) {
		if problem.Severity == scenario.Error {
			errs = append(errs, errors.New(problem.String()))
		}
	}
	clips := make(map[string]*media.Clip)
	for i := range s.Steps {
		step := &p.steps[i]
		step.Step, step.index = &s.Steps[i], i
		step.compile(kind)
		p.note(step)
		if kind != media.KindNone {
			errs = append(errs, step.loadClips(s, clips, load)...)
		}
	}
	p.media = kind != media.KindNone && (s.NeedsMedia() || s.DescribesMedia())
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return p, nil
}

// compile fills in what follows from the step alone.
func (s *planStep) compile(kind media.Kind) {
	switch {
	case s.Send != nil:
		s.kind = stepSend
		if kind != media.KindNone {
			s.needs = needOf(s.Send.Message)
		}
	case s.Recv != nil:
		s.kind = stepRecv
		for _, code := range s.Recv.Responses {
			s.final = s.final || code >= 200
		}
	case s.Pause != nil:
		s.kind = stepPause
	}
}

// needOf tells what a message needs of the media.
func needOf(t *template.Template) mediaNeed {
	switch {
	case t.UsesOffer():
		return needOffer
	case t.UsesAnswer():
		return needAnswer
	case t.Uses(template.KeyMediaPort):
		return needEndpoint
	default:
		return needNothing
	}
}

// note adds what the step says about the whole plan.
func (p *Plan) note(s *planStep) {
	if s.Send != nil {
		p.answers = p.answers || s.Send.Message.UsesAnswer()
		p.usesText(s.Send.Message)
	}
	for _, action := range s.Actions {
		switch a := action.(type) {
		case *scenario.Log:
			p.usesText(a.Message)
		case *scenario.Ereg:
			p.usesBody = p.usesBody || a.In != scenario.SearchVariable
		}
	}
}

// usesText adds what a text says about the whole plan.
func (p *Plan) usesText(t *template.Template) {
	p.usesTimestamp = p.usesTimestamp || t.Uses(template.KeyTimestamp)
	p.usesBody = p.usesBody || t.Uses(template.KeyLastMessage)
}

// loadClips resolves what the step's actions play, and checks where they record to.
func (s *planStep) loadClips(sc *scenario.Scenario, clips map[string]*media.Clip, load clipLoader) []error {
	var errs []error
	for _, action := range s.Actions {
		switch a := action.(type) {
		case *scenario.RTPStream:
			if a.Op != scenario.RTPPlay {
				continue
			}
			clip, ok := clips[a.Source]
			if !ok {
				var err error
				if clip, err = load(sc.Dir, a.Source); err != nil {
					errs = append(errs, fmt.Errorf("%s:%d: rtp_stream %q: %w", sc.File, a.Line, a.Source, err))
					continue
				}
				clips[a.Source] = clip
			}
			if s.clips == nil {
				s.clips = make(map[*scenario.RTPStream]*media.Clip)
			}
			s.clips[a] = clip
		case *scenario.RTPRecord:
			if a.File != "" && !filepath.IsLocal(a.File) {
				errs = append(errs, fmt.Errorf("%s:%d: rtp_record %q leaves the recordings directory", sc.File, a.Line, a.File))
			}
		}
	}
	return errs
}

// name is what messages call the step at the index: "recv 200 (line 31)".
func (p *Plan) name(at int) string {
	if at < 0 || at >= len(p.steps) {
		return "the end of the scenario"
	}
	return fmt.Sprintf("%s (line %d)", p.steps[at].Label, p.steps[at].Line)
}

// accepts tells whether a request with the method can begin a call of a UAS: it must match the first recv, or one behind it
// that is reached through optional ones.
func (p *Plan) accepts(method []byte) bool {
	for i := range p.steps {
		recv := p.steps[i].Recv
		if recv == nil {
			if p.steps[i].kind == stepNop {
				continue
			}
			return false
		}
		if recv.Request != "" && recv.Request == string(method) {
			return true
		}
		if recv.Optional == scenario.Mandatory {
			return false
		}
	}
	return false
}
