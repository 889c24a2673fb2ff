package engine

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"github.com/gossipper/gossipper/internal/filename"
	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/scenario"
	"github.com/gossipper/gossipper/internal/template"
)

// callMedia are the media of one call, seen from the loop. Its fields belong to the loop; the pipeline's methods that may block are
// called on other goroutines, one after the other, and post what came of it to the inbox.
type callMedia struct {
	loop   *loop
	call   *call // nil when the scenario has ended
	opts   media.PipelineOptions
	ctx    context.Context //nolint:containedctx // the call's: ends the operations in progress with it
	cancel context.CancelFunc

	pipeline media.MediaPipeline // nil until it is made
	ops      []mediaOp           // waiting
	busy     bool                // one is in progress

	// ready is one more than the index of the send step that everything is ready for.
	ready    int
	offer    []byte // SDP for [sdp_offer]
	answer   []byte // SDP for [sdp_answer]
	endpoint netip.AddrPort
	// remoteOffer is the SDP of the last INVITE.
	remoteOffer []byte
	// offered: our offer awaits its answer; answerSeen: one came with a provisional response.
	offered, answerSeen bool
	// agreed: offer and answer were exchanged, so that media have to come up.
	agreed    bool
	connected bool
	result    *pendingResult // set when the scenario has ended
}

// mediaOp is something to be done with the pipeline.
type mediaOp struct {
	// run may block. It must not touch the call.
	run func(context.Context, media.MediaPipeline) error
	// done is told on the loop how it went, unless the scenario has ended.
	done func(error)
}

// needMedia returns the call's media, making them first if need be; the pipeline itself is made by the first operation.
func (c *call) needMedia() *callMedia {
	if c.media != nil {
		return c.media
	}
	l := c.loop
	m := &callMedia{loop: l, call: c}
	m.ctx, m.cancel = context.WithCancel(l.ctx)
	m.opts = media.PipelineOptions{CallNumber: c.number, CallID: c.id, OnEvent: func(e media.Event) {
		l.inbox.post(func(*loop) { m.event(e) })
	}}
	c.media = m
	return m
}

// do runs an operation: right here if nothing is in its way and it returns at once, otherwise elsewhere and in its turn.
func (m *callMedia) do(blocks bool, op mediaOp) {
	if !blocks && !m.busy && len(m.ops) == 0 && m.pipeline != nil {
		op.done(op.run(m.ctx, m.pipeline))
		return
	}
	if len(m.ops) == maxMediaOps {
		m.failed(fmt.Errorf("%d operations wait for one on the media to end; the peer or the scenario asks for too much", maxMediaOps))
		return
	}
	m.ops = append(m.ops, op)
	m.next()
}

// maxMediaOps bounds what waits for an operation to end: session descriptions, candidates, actions.
const maxMediaOps = 256

// next begins the next operation.
func (m *callMedia) next() {
	if m.busy || len(m.ops) == 0 || m.result != nil {
		return
	}
	op := m.ops[0]
	m.ops = m.ops[1:]
	m.busy = true
	l, p := m.loop, m.pipeline
	l.media.Go(func() {
		var err error
		if p == nil {
			p, err = m.open()
		}
		if err == nil {
			err = op.run(m.ctx, p)
		}
		l.inbox.post(func(*loop) { m.completed(p, op, err) })
	})
}

// completed is called on the loop when an operation has ended.
func (m *callMedia) completed(p media.MediaPipeline, op mediaOp, err error) {
	m.busy, m.pipeline = false, p
	if m.result != nil {
		m.close()
		return
	}
	op.done(err)
	m.next()
}

// open makes the pipeline and starts what every call plays and records. It runs off the loop.
func (m *callMedia) open() (media.MediaPipeline, error) {
	c := &m.loop.cfg.Media
	p, err := c.New(m.opts)
	if err != nil {
		return nil, err
	}
	if c.Record {
		if err := p.StartRecording(m.recordOptions("", c.RecordStereo)); err != nil {
			return p, fmt.Errorf("start the recording: %w", err)
		}
	}
	if c.Play != nil {
		if err := p.Play(c.Play, -1); err != nil {
			return p, err
		}
	}
	return p, nil
}

// recordOptions name the recording after the role, or as the scenario says, and after the call: its number, by which the files sort,
// and its Call-ID, by which it is found in other people's logs.
func (m *callMedia) recordOptions(file string, stereo bool) media.RecordOptions {
	role := m.loop.plan.role
	name := role.String()
	if file != "" {
		name = strings.TrimSuffix(file, filepath.Ext(file))
	}
	name = fmt.Sprintf("%s-%06d-%s.wav", name, m.opts.CallNumber, filename.Of(m.opts.CallID))
	return media.RecordOptions{
		Path: filepath.Join(m.loop.cfg.Media.RecordingsDir, name), Stereo: stereo, Caller: role == scenario.UAC,
	}
}

// event is called on the loop for what happens to the media by itself.
func (m *callMedia) event(e media.Event) {
	c := m.call
	if c == nil {
		return
	}
	switch e.Type {
	case media.EventConnected:
		if !m.connected {
			m.connected = true
			m.loop.cfg.Stats.Connect.Record(max(e.At.Sub(time.Unix(0, c.startedAt)), 0))
		}
	case media.EventFailed:
		if e.Failure != nil {
			c.fail(e.Failure)
			return
		}
		c.fail(mediaFailure(errors.New("the media broke down without a reason")))
	case media.EventFirstPacket:
	}
}

// failed is called on the loop with the error of an operation.
func (m *callMedia) failed(err error) {
	if m.call != nil {
		m.call.fail(mediaFailure(err))
	}
}

// failedAt is called on the loop with the error of an operation that the call did not wait for: the step with the index, which took
// what the peer said, is to blame, and not the one at which the call stands by now.
func (m *callMedia) failedAt(at int, err error) {
	if c := m.call; c != nil {
		c.failAt(c.loop.plan.name(at), mediaFailure(err))
	}
}

// mediaFailure is the failure of a call whose media returned the error.
func mediaFailure(err error) *outcome.Failure {
	var f *outcome.Failure
	if errors.As(err, &f) {
		return f
	}
	if errors.Is(err, media.ErrUnsupportedOverWebRTC) {
		return &outcome.Failure{
			Outcome: outcome.MediaFailed, Stage: outcome.StageScenario, Code: "unsupported_over_webrtc", Reason: err.Error(), Err: err,
		}
	}
	return &outcome.Failure{
		Outcome: outcome.MediaFailed, Stage: outcome.StageMedia, Code: "media_error", Reason: err.Error(), Err: err,
	}
}

// values sets what the media say in a message.
func (m *callMedia) values(v *template.Values) {
	v.SDPOffer, v.SDPAnswer = m.offer, m.answer
	if m.endpoint.IsValid() {
		v.MediaPort = int(m.endpoint.Port())
		if a := m.endpoint.Addr(); !a.IsUnspecified() {
			v.MediaIP = m.loop.names.text(a)
		}
	}
}

// end takes the call's result and adds the media's figures when they are closed.
func (m *callMedia) end(r *pendingResult) {
	m.result, m.call, m.ops = r, nil, nil
	m.cancel()
	m.loop.closing++
	if !m.busy {
		m.close()
	}
}

// close closes the pipeline off the loop. The media's part of the result is complete then.
func (m *callMedia) close() {
	l, p, r := m.loop, m.pipeline, m.result
	if p == nil {
		l.closing--
		l.completed(r)
		return
	}
	l.media.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(m.ctx), closeTimeout(&l.cfg))
		defer cancel()
		if err := p.Close(ctx); err != nil {
			l.warnings.warn("media of the call did not close cleanly", "call_id", r.CallID, "error", err)
		}
		r.Media = p.Stats()
		if m.agreed {
			demandConnection(&r.Result)
		}
		l.completed(r)
		l.inbox.post(func(l *loop) { l.closing-- })
	})
}

// closeTimeout bounds the closing of one call's media.
func closeTimeout(c *Config) time.Duration {
	if c.Media.CloseTimeout > 0 {
		return c.Media.CloseTimeout
	}
	return 5 * time.Second
}

// demandConnection makes a failure of a call that went well but for its WebRTC media: agreed upon, they never came up.
func demandConnection(r *Result) {
	w := r.Media.WebRTC
	if r.Outcome != outcome.Success || w == nil || !r.Media.ConnectedAt.IsZero() {
		return
	}
	stage := outcome.StageMedia
	switch {
	case w.GatherMS == nil && w.ICEMS == nil:
		stage = outcome.StageGather
	case w.ICEMS == nil:
		stage = outcome.StageICE
	case w.DTLSMS == nil:
		stage = outcome.StageDTLS
	}
	r.Outcome = outcome.MediaFailed
	r.Failure = &outcome.Failure{
		Outcome: outcome.MediaFailed, Stage: stage, Code: "media_not_connected",
		Reason: fmt.Sprintf("the scenario ended after %v, before the media were connected (ICE: %s); if nothing is wrong with the path, the call has to last longer",
			r.EndedAt.Sub(r.StartedAt).Round(time.Millisecond), w.ICEConnection),
	}
	r.FailedStep = "the end of the scenario"
}
