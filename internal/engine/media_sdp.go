package engine

import (
	"bytes"
	"context"
	"errors"
	"net/netip"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/sip"
)

// mediaReady makes sure that what the step's message says of the media is known. While it isn't, the call waits in stateMedia and
// nobody else does.
func (c *call) mediaReady(s *planStep) bool {
	if s.needs == needNothing || !c.loop.plan.media {
		return true
	}
	m := c.needMedia()
	if m.ready == s.index+1 {
		return true
	}
	if s.needs == needAnswer && m.remoteOffer == nil {
		reason := "the peer's INVITE brought no SDP that could be answered at " + c.where() + "; for a peer that wants the offer in the 200, write [sdp_offer] there"
		if c.inviteSent {
			reason = "the peer's 2xx brought no SDP that could be answered at " + c.where()
		}
		c.fail(&outcome.Failure{
			Outcome: outcome.MediaIncompatible, Stage: outcome.StageMedia, Code: "no_offer", Reason: reason,
		})
		return false
	}
	c.state = stateMedia
	m.prepare(s)
	return c.alive() && m.ready == s.index+1
}

// prepare asks the media for what the step's message needs, and lets the call go on when it is there.
func (m *callMedia) prepare(s *planStep) {
	var sdp []byte
	var endpoint netip.AddrPort
	run := func(ctx context.Context, p media.MediaPipeline) (err error) {
		sdp, err = p.CreateOffer(ctx)
		return err
	}
	switch s.needs {
	case needAnswer:
		offer := m.remoteOffer
		run = func(ctx context.Context, p media.MediaPipeline) (err error) {
			sdp, err = p.Answer(ctx, offer)
			return err
		}
	case needEndpoint:
		run = func(_ context.Context, p media.MediaPipeline) (err error) {
			endpoint, err = p.LocalEndpoint()
			return err
		}
	case needOffer, needNothing:
	}
	m.do(s.needs != needEndpoint, mediaOp{run: run, done: func(err error) {
		if err != nil {
			m.failed(err)
			return
		}
		switch s.needs {
		case needOffer:
			m.offer, m.offered, m.answerSeen = sdp, true, false
		case needAnswer:
			m.answer = sdp
		case needEndpoint:
			m.endpoint = endpoint
		case needNothing:
		}
		m.ready = s.index + 1
		m.call.state = stateSteps
		m.call.run()
	}})
}

// answered notes that what may carry an SDP answer was sent by the step: a 2xx to an INVITE, or an ACK.
func (m *callMedia) answered(s *planStep) {
	if s.needs == needAnswer {
		m.agreed = true
	}
}

// mediaSDP gives the media what a message says of the peer's that was accepted by the step with the index. It reports false when that
// has ended the call.
func (c *call) mediaSDP(at int, in *incoming, t *clientTxn) bool {
	if !c.loop.plan.media {
		return true
	}
	v := in.view
	if c.trickle(in) {
		return c.alive()
	}
	sdp := v.SDP()
	switch {
	case v.IsRequest():
		c.requestSDP(at, v, sdp)
	case t != nil && (t.method == methodInvite || t.method == "UPDATE") && v.Status() > 100 && v.Status() < 300:
		c.responseSDP(at, v.Status(), sdp)
	case t != nil && t.method == methodInvite && v.Status() >= 300 && c.media != nil:
		c.media.offered = false // with the INVITE its offer was refused (RFC 6337 2.3); the next INVITE makes its own
	}
	return c.alive()
}

// requestSDP takes the SDP of a request: an offer, or the answer to an offer in our response.
func (c *call) requestSDP(at int, v *sip.View, sdp []byte) {
	m := c.media
	switch string(v.Method()) {
	case methodAck, "PRACK":
		if m == nil || !m.offered {
			return
		}
		if sdp != nil {
			m.offered = string(v.Method()) == "PRACK"
			m.accept(at, bytes.Clone(sdp))
		} else if string(v.Method()) == methodAck && !m.answerSeen {
			c.noAnswerSDP("the ACK")
		}
	case methodInvite, "UPDATE":
		if sdp != nil {
			c.remoteSDP(at, sdp)
		} else if m != nil {
			m.remoteOffer = nil
		}
	}
}

// responseSDP takes the SDP of a response to an INVITE: the answer to our offer, or an offer, or the counterpart of hand-written SDP.
func (c *call) responseSDP(at, status int, sdp []byte) {
	m := c.media
	switch {
	case m == nil || !m.offered:
		if sdp != nil {
			c.remoteSDP(at, sdp)
		}
	case sdp != nil:
		m.answerSeen = true
		m.accept(at, bytes.Clone(sdp))
	case status >= 200 && !m.answerSeen:
		c.noAnswerSDP("the final response")
	}
	if m != nil && status >= 200 {
		m.offered = false
	}
}

// noAnswerSDP ends a call whose offer found no answer.
func (c *call) noAnswerSDP(where string) {
	c.fail(&outcome.Failure{
		Outcome: outcome.MediaIncompatible, Stage: outcome.StageMedia, Code: "invalid_sdp",
		Reason: where + " from " + c.remote().String() + " brought no SDP answer to our offer",
	})
}

// remoteSDP takes SDP that [sdp_answer] will answer, or that goes with SDP which the scenario writes by hand.
func (c *call) remoteSDP(at int, sdp []byte) {
	m := c.needMedia()
	sdp = bytes.Clone(sdp)
	if c.loop.plan.answers {
		m.remoteOffer = sdp
		return
	}
	m.do(false, mediaOp{
		run: func(_ context.Context, p media.MediaPipeline) error { return p.SetRemote(sdp) },
		done: func(err error) {
			if err != nil {
				m.failedAt(at, err)
			}
		},
	})
}

// accept gives the media the answer to their offer. The call goes on meanwhile, so that the ACK is not held up.
func (m *callMedia) accept(at int, answer []byte) {
	m.agreed = true
	m.do(true, mediaOp{
		run: func(ctx context.Context, p media.MediaPipeline) error { return p.AcceptAnswer(ctx, answer) },
		done: func(err error) {
			if err != nil {
				m.failedAt(at, err)
			}
		},
	})
}

// trickle gives the media the ICE candidates in a message's body. It reports false when it has none.
func (c *call) trickle(in *incoming) bool {
	if !c.loop.plan.media || !isTrickle(in.view) {
		return false
	}
	m := c.needMedia()
	if len(m.ops) >= maxTrickleOps {
		c.loop.warnings.warn("candidates of the peer are not used: too many wait already", "call_id", c.id)
		return true
	}
	contentType, body := string(in.view.ContentType()), bytes.Clone(in.view.Body())
	m.do(false, mediaOp{
		run: func(_ context.Context, p media.MediaPipeline) error {
			if t, ok := p.(media.Trickler); ok {
				return t.AddRemoteCandidates(contentType, body)
			}
			return errNoICE
		},
		done: func(err error) {
			switch {
			case errors.Is(err, errNoICE):
				m.loop.warnings.once("candidates of the peer are not used: these media know no ICE", "call_id", m.opts.CallID)
			case err != nil:
				m.loop.warnings.warn("candidates of the peer cannot be used", "call_id", m.opts.CallID, "error", err)
			}
		},
	})
	return true
}

// maxTrickleOps bounds the messages with candidates that wait for an operation on the media to end.
const maxTrickleOps = 32

// errNoICE tells that the call's media take no candidates.
var errNoICE = errors.New("no ICE")

// isTrickle tells whether the body brings ICE candidates only (RFC 8840 9, and the usual JSON form).
func isTrickle(v *sip.View) bool {
	if len(v.Body()) == 0 {
		return false
	}
	switch {
	case v.HasMediaType("application/trickle-ice-sdpfrag"), v.HasMediaType("application/trickle-ice+json"):
		return true
	case v.HasMediaType("application/sdp"):
		// A whole session description begins with its version (RFC 8866 5.1).
		return !bytes.HasPrefix(v.Body(), []byte("v=")) && bytes.Contains(v.Body(), []byte("a=candidate:"))
	default:
		return false
	}
}
