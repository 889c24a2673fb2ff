package engine

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/media/mediatest"
	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/sip"
	"github.com/gossipper/gossipper/internal/webrtc"
)

// The tones that the two sides play, in Hz.
const (
	callerTone = 500
	calleeTone = 800
)

// eachKind runs a test with both kinds of real media. offer and answer are the keywords for them.
func eachKind(t *testing.T, test func(t *testing.T, m Media, offer, answer string)) {
	t.Helper()
	pacer := media.NewPacer(media.PacerOptions{})
	t.Cleanup(pacer.Close)
	sessions, err := media.NewSessions(media.SessionsOptions{IP: netip.MustParseAddr("127.0.0.1"), Pacer: pacer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sessions.Close(context.Background()) })
	rtp := Media{Kind: media.KindRTP, New: func(o media.PipelineOptions) (media.MediaPipeline, error) { return sessions.New(o) }}
	t.Run("rtp", func(t *testing.T) { test(t, rtp, "[sdp_offer]", "[sdp_answer]") })
	t.Run("webrtc", func(t *testing.T) { test(t, realBridges(t, pacer), "[webrtc_offer]", "[webrtc_answer]") })
}

// realBridges are WebRTC media over loopback. A pacer of its own is used if pacer is nil.
func realBridges(t *testing.T, pacer *media.Pacer) Media {
	t.Helper()
	factory, err := webrtc.NewFactory(webrtc.Options{IP: netip.MustParseAddr("127.0.0.1"), Pacer: pacer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = factory.Close() })
	return Media{Kind: media.KindWebRTC, New: factory.NewPipeline}
}

// body is a message body of a type; the type in the header may have parameters.
func body(contentType, text string) string {
	return "Content-Type: " + contentType + "\nContent-Length: [len]\n\n" + text
}

func sdp(keyword string) string { return body("application/sdp", keyword) }

const noBody = "Content-Length: 0\n"

// tell is a send step with a request of the caller. cseq is a number. action is what the step does.
func tell(method string, cseq int, body, action string) string {
	retrans := ` retrans="200"`
	if method == "ACK" {
		retrans = ""
	}
	return fmt.Sprintf(`<send%s><![CDATA[
%s sip:callee@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:caller@[local_ip]>;tag=caller
To: <sip:callee@[remote_ip]>[peer_tag_param]
Call-ID: [call_id]
CSeq: %d %s
Contact: <sip:caller@[local_ip]:[local_port]>
Max-Forwards: 70
%s
]]>%s</send>`, retrans, method, cseq, method, body, action)
}

// respond is a send step with a response of the callee.
func respond(status, body, action string) string {
	retrans := ""
	if strings.HasPrefix(status, "200 Answer") {
		retrans = ` retrans="200"`
	}
	return fmt.Sprintf(`<send%s><![CDATA[
SIP/2.0 %s
[last_Via:]
[last_From:]
[last_To:];tag=callee
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:callee@[local_ip]:[local_port]>
%s
]]>%s</send>`, retrans, status, body, action)
}

func expect(what string) string {
	if what[0] >= '0' && what[0] <= '9' {
		return `<recv response="` + what + `"/>`
	}
	return `<recv request="` + what + `"/>`
}

func plays(hz int) string {
	return fmt.Sprintf(`<action><exec rtp_stream="tone:%d,-1"/></action>`, hz)
}

const talking = `<pause milliseconds="600"/>`

// hangsUp is how a caller ends its call, and isHungUp what a callee makes of it.
func hangsUp(cseq int) string { return tell("BYE", cseq, noBody, "") + expect("200") }

func isHungUp() string { return expect("BYE") + respond("200 OK", noBody, "") }

// conversation is one call between two engines, over a network in memory, with media over loopback.
type conversation struct {
	net            *network
	caller, callee *Result
}

// converse runs it. The scenarios are the steps only.
func converse(t *testing.T, m Media, caller, callee string, change func(uac, uas *Config, net *network)) conversation {
	t.Helper()
	net := newNetwork()
	var callers, callees results
	m.Record, m.RecordingsDir = true, t.TempDir()
	uas := config(parse(t, `<scenario name="callee">`+callee+`</scenario>`), net.node(calleeAddr), &callees)
	uac := config(parse(t, `<scenario name="caller">`+caller+`</scenario>`), net.node(callerAddr), &callers)
	uas.Media, uac.Media = m, m
	uas.RecvTimeout, uac.RecvTimeout = 20*time.Second, 20*time.Second
	if change != nil {
		change(&uac, &uas, net)
	}
	_, waitUAS := start(t, uas)
	_, waitUAC := start(t, uac)
	waitUAC()
	waitUAS()
	return conversation{net, callers.only(t), callees.only(t)}
}

// wantTalk checks that both sides succeeded and heard each other.
func (c *conversation) wantTalk(t *testing.T) {
	t.Helper()
	for side, r := range map[float64]*Result{calleeTone: c.caller, callerTone: c.callee} {
		if r.Outcome != outcome.Success {
			t.Errorf("%v: %v at %q: %v", r.Role, r.Outcome, r.FailedStep, r.Failure)
			continue
		}
		if r.Media.ConnectedAt.IsZero() || r.Media.PacketsReceived < 20 {
			t.Errorf("%v: connected at %v, %d packets received", r.Role, r.Media.ConnectedAt, r.Media.PacketsReceived)
		}
		mediatest.Tones(t, r.Media.Recording, side)
	}
}

// bodies are the bodies of the messages with the start line and CSeq that a side sent, by CSeq number. All copies of one message must
// have the same bytes. repeated is how many copies there were beyond the first.
func (c *conversation) bodies(t *testing.T, from, startLine, method string) (bodies map[uint32]string, repeated int) {
	t.Helper()
	whole, bodies := make(map[uint32]string), make(map[uint32]string)
	for _, s := range c.net.sent(netip.MustParseAddrPort(from)) {
		v, err := sip.ParseView([]byte(s.text))
		if err != nil || !strings.HasPrefix(s.text, startLine) || string(v.CSeqMethod()) != method {
			continue
		}
		n := v.CSeqNumber()
		if first, known := whole[n]; known {
			repeated++
			if first != s.text {
				t.Errorf("two versions of %s, CSeq %d %s:\n%s\n%s", startLine, n, method, first, s.text)
			}
			continue
		}
		whole[n], bodies[n] = s.text, string(v.Body())
	}
	return bodies, repeated
}

// loseFirst loses the first copy of each message that begins with one of the texts.
func loseFirst(net *network, texts ...string) {
	seen := make(map[string]bool)
	net.lose = func(_, _ netip.AddrPort, b []byte) bool {
		for _, text := range texts {
			if strings.HasPrefix(string(b), text) && !seen[string(b)] {
				seen[string(b)] = true
				return true
			}
		}
		return false
	}
}

func TestDelayedOffer(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, m Media, offer, answer string) {
		t.Parallel()
		c := converse(t, m,
			tell("INVITE", 1, noBody, "")+expect("200")+tell("ACK", 1, sdp(answer), plays(callerTone))+`<pause milliseconds="500"/>`+talking+ // the ACK arrives late
				hangsUp(2),
			expect("INVITE")+respond("200 Answer", sdp(offer), plays(calleeTone))+expect("ACK")+isHungUp(),
			func(_, _ *Config, net *network) { loseFirst(net, "INVITE", "SIP/2.0 200 Answer", "ACK") })
		c.wantTalk(t)
		offers, repeated := c.bodies(t, calleeAddr, "SIP/2.0 200 Answer", "INVITE")
		if len(offers) != 1 || !strings.HasPrefix(offers[1], "v=0") || repeated == 0 {
			t.Errorf("%d offers, repeated %d times:\n%s", len(offers), repeated, offers[1])
		}
		answers, repeated := c.bodies(t, callerAddr, "ACK", "ACK")
		if len(answers) != 1 || !strings.HasPrefix(answers[1], "v=0") || repeated == 0 {
			t.Errorf("%d answers, repeated %d times:\n%s", len(answers), repeated, answers[1])
		}
		if w := c.caller.Media.WebRTC; m.Kind == media.KindWebRTC && (!w.AnswerCreated || w.OfferCreated) {
			t.Errorf("caller: %+v", w)
		}
		if w := c.callee.Media.WebRTC; m.Kind == media.KindWebRTC && (!w.OfferCreated || !w.AnswerAccepted || w.AnswerCreated) {
			t.Errorf("callee: %+v", w)
		}
	})
}

func TestReINVITE(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, m Media, offer, answer string) {
		t.Parallel()
		invite := func(cseq int) string {
			return tell("INVITE", cseq, sdp(offer), "") + expect("200") + tell("ACK", cseq, noBody, plays(callerTone))
		}
		isInvited := expect("INVITE") + respond("200 Answer", sdp(answer), plays(calleeTone)) + expect("ACK")
		c := converse(t, m,
			invite(1)+`<pause milliseconds="300"/>`+invite(2)+talking+hangsUp(3),
			isInvited+isInvited+isHungUp(),
			func(_, _ *Config, net *network) { loseFirst(net, "INVITE", "SIP/2.0 200 Answer") })
		c.wantTalk(t)
		for _, side := range []struct{ from, line string }{{callerAddr, "INVITE"}, {calleeAddr, "SIP/2.0 200 Answer"}} {
			bodies, repeated := c.bodies(t, side.from, side.line, "INVITE")
			if len(bodies) != 2 || !strings.HasPrefix(bodies[1], "v=0") || !strings.HasPrefix(bodies[2], "v=0") || repeated < 2 {
				t.Errorf("%s: %d descriptions, repeated %d times", side.line, len(bodies), repeated)
			}
			if bodies[1] == bodies[2] {
				t.Errorf("%s: the second description has the version of the first:\n%s", side.line, bodies[2])
			}
		}
	})
}

// The one that was called invites again, as devices do to put a call on hold, and the caller answers.
func TestReINVITEOfTheCallee(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, m Media, offer, answer string) {
		t.Parallel()
		back := func(method, body string) string {
			step := tell(method, 7, body, "")
			step = strings.ReplaceAll(step, "From: <sip:caller@[local_ip]>;tag=caller", "From: <sip:callee@[local_ip]>;tag=callee")
			return strings.ReplaceAll(step, "To: <sip:callee@[remote_ip]>[peer_tag_param]", "To: <sip:caller@[remote_ip]>;tag=caller")
		}
		answered := strings.ReplaceAll(respond("200 Answer", sdp(answer), ""), "[last_To:];tag=callee", "[last_To:]")
		c := converse(t, m,
			tell("INVITE", 1, sdp(offer), "")+expect("200")+tell("ACK", 1, noBody, plays(callerTone))+
				expect("INVITE")+answered+expect("ACK")+talking+hangsUp(8),
			expect("INVITE")+respond("200 Answer", sdp(answer), plays(calleeTone))+expect("ACK")+`<pause milliseconds="300"/>`+
				back("INVITE", sdp(offer))+expect("200")+back("ACK", noBody)+isHungUp(),
			func(_, _ *Config, net *network) { loseFirst(net, "INVITE", "SIP/2.0 200 Answer") })
		c.wantTalk(t)
		if bodies, repeated := c.bodies(t, calleeAddr, "INVITE", "INVITE"); len(bodies) != 1 || repeated == 0 {
			t.Errorf("%d offers of the callee, repeated %d times", len(bodies), repeated)
		}
	})
}

// A proxy challenges the INVITE: the second one offers the same.
func TestChallengedOffer(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, m Media, offer, answer string) {
		t.Parallel()
		c := converse(t, m,
			tell("INVITE", 1, sdp(offer), "")+expect("407")+tell("ACK", 1, noBody, "")+
				tell("INVITE", 2, sdp(offer), "")+expect("200")+tell("ACK", 2, noBody, plays(callerTone))+talking+hangsUp(3),
			expect("INVITE")+respond("407 Proxy Authentication Required", noBody, "")+expect("ACK")+
				expect("INVITE")+respond("200 Answer", sdp(answer), plays(calleeTone))+expect("ACK")+isHungUp(), nil)
		c.wantTalk(t)
		if bodies, _ := c.bodies(t, callerAddr, "INVITE", "INVITE"); len(bodies) != 2 || bodies[1] != bodies[2] || bodies[1] == "" {
			t.Errorf("offers:\n%s\n%s", bodies[1], bodies[2])
		}
	})
}

func TestDelayedOfferGoesWrong(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, m Media, offer, answer string) {
		t.Parallel()
		t.Run("no answer in the ACK", func(t *testing.T) {
			t.Parallel()
			c := converse(t, m,
				tell("INVITE", 1, noBody, "")+expect("200")+tell("ACK", 1, noBody, "")+expect("BYE")+
					strings.ReplaceAll(respond("200 OK", noBody, ""), "[last_To:];tag=callee", "[last_To:]"),
				expect("INVITE")+respond("200 Answer", sdp(offer), "")+expect("ACK")+isHungUp(), nil)
			wantFailure(t, c.callee, outcome.MediaIncompatible, "invalid_sdp", "the ACK from "+callerAddr+" brought no SDP answer to our offer")
			if c.caller.Outcome != outcome.Success {
				t.Errorf("caller: %v: %v", c.caller.Outcome, c.caller.Failure)
			}
		})
		t.Run("no offer in the 200", func(t *testing.T) {
			t.Parallel()
			c := converse(t, m,
				tell("INVITE", 1, noBody, "")+expect("200")+tell("ACK", 1, sdp(answer), "")+talking+hangsUp(2),
				expect("INVITE")+respond("200 Answer", noBody, "")+expect("ACK")+isHungUp(), nil)
			wantFailure(t, c.caller, outcome.MediaIncompatible, "no_offer", "the peer's 2xx brought no SDP that could be answered at send ACK")
			if got := startLines(c.net.sent(c.caller.Local)); got != "INVITE ACK BYE" {
				t.Errorf("sent %s", got)
			}
			if c.callee.Outcome != outcome.Success {
				t.Errorf("callee: %v: %v", c.callee.Outcome, c.callee.Failure)
			}
		})
	})
}
