package engine

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/sip"
	"github.com/gossipper/gossipper/internal/transport"
)

func trickleINFO(branch string, cseq, port int) []byte {
	frag := fmt.Sprintf("a=candidate:1 1 udp 1 192.0.2.1 %d typ host\r\n", port)
	return request("INFO", "one", branch, cseq, ";tag=x",
		"Content-Type: application/trickle-ice-sdpfrag\r\nContent-Length: "+itoa(len(frag))+"\r\n\r\n"+frag)
}

// More requests than a call remembers must neither change what it repeats nor make it forget that there is a dialog to end.
func TestManyRequestsInOneCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		studio := &studio{}
		u := newCallee(t, strings.Replace(mandatoryACK, `Contact: <sip:[local_ip]:[local_port]>
    Content-Length: 0`, `Contact: <sip:[local_ip]:[local_port]>
    Content-Type: application/sdp
    Content-Length: [len]

    [sdp_answer]`, 1), func(c *Config) { c.Media = Media{Kind: media.KindWebRTC, New: studio.open} })
		u.send(t, request("INVITE", "one", "a", 1, "", sdpBody("caller")))
		for n := range 3 * maxTransactions {
			u.send(t, trickleINFO(fmt.Sprintf("info%d", n), 2+n, 1000+n))
		}
		pass(600 * time.Millisecond)
		synctest.Wait()
		var answers []string
		for _, s := range u.sent() {
			if strings.Contains(s.text, "CSeq: 1 INVITE") {
				answers = append(answers, s.text)
			}
		}
		if len(answers) != 2 || answers[0] != answers[1] {
			t.Errorf("%d answers to the INVITE; want two that are the same: %q", len(answers), answers)
		}
		u.send(t, request("ACK", "one", "b", 1, ";tag=x"))
		u.engine.Stop()
		u.finish()
		if sent := u.answers(); !strings.Contains(sent, "BYE") {
			t.Errorf("sent %s; want a BYE in the end", sent)
		}
		if n := u.config.Stats.AutoAnswered.Load(); n != 3*maxTransactions {
			t.Errorf("%d INFO answered, want %d", n, 3*maxTransactions)
		}
	})
}

func TestManyRequestsSentInOneCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var steps strings.Builder
		for n := range maxTransactions + 5 {
			steps.WriteString(tell("INFO", 2+n, noBody, "") + expect("200"))
		}
		var one results
		net := newNetwork()
		peer := net.peer(t, calleeAddr, ring)
		e, wait := start(t, config(parse(t, `<scenario name="talkative">`+tell("INVITE", 1, noBody, "")+
			`<recv response="180" optional="true"/>`+expect("200")+tell("ACK", 1, noBody, "")+steps.String()+
			`<pause milliseconds="60000"/></scenario>`), net.node(callerAddr), &one))
		pass(time.Second)
		e.Stop()
		wait()
		peer.stop()
		wantFailure(t, one.only(t), outcome.Aborted, "stopped", "at pause")
		if sent := startLines(net.sent(netip.MustParseAddrPort(callerAddr))); !strings.HasSuffix(sent, "INFO BYE") {
			t.Errorf("sent %s; want a BYE in the end", sent)
		}
	})
}

// An INVITE that comes in must not change the one that is being repeated.
func TestINVITEsCross(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		crossed := false
		r, net := callTo(t, `<scenario name="glare">`+tell("INVITE", 1, noBody, "")+`<recv request="INVITE" optional="true"/>`+expect("200")+
			tell("ACK", 1, noBody, "")+`</scenario>`, func(v *sip.View) [][]byte {
			if string(v.Method()) == "INVITE" && !crossed {
				crossed = true
				return [][]byte{bytes.Replace(fromCallee(v, "INVITE", 1, strings.Repeat("x", 50)), []byte("Max-Forwards"), []byte("X"), 1)}
			}
			return nil
		}, nil)
		wantFailure(t, r, outcome.NoAnswer, "no_answer", "no answer to INVITE")
		sent := net.sent(r.Local)
		for _, s := range sent[:6] {
			if s.text != sent[0].text {
				t.Fatalf("repeated as\n%s", s.text)
			}
		}
	})
}

func TestCallThatFailsBeforeItsFirstRequestIsTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := newCallee(t, `<scenario name="circle"><label id="again"/><nop next="again"/><recv request="INVITE"/>`+respond("200 OK", noBody, "")+`</scenario>`, nil)
		u.send(t, request("INVITE", "one", "a", 1, ""))
		u.send(t, request("INVITE", "two", "b", 1, ""))
		if got := u.answers(); got != "500 500" {
			t.Errorf("answers %s", got)
		}
		u.finish()
		u.wantAll(t, 2, outcome.InternalError)
		if n := u.config.Stats.CallsRunning.Load(); n != 0 {
			t.Errorf("%d calls running", n)
		}
	})
}

func TestCANCELWhileMediaArePrepared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		studio := &studio{change: func(m *recordingMedia) { m.delay = 5 * time.Second }}
		u := newCallee(t, "", func(c *Config) {
			c.Scenario = builtin(t, "call_uas")
			c.Media = Media{Kind: media.KindWebRTC, New: studio.open}
		})
		u.send(t, request("INVITE", "one", "a", 1, "", sdpBody("caller")), request("CANCEL", "one", "a", 1, ""))
		if got := u.answers(); got != "180 200 487" {
			t.Errorf("answers %s: a CANCEL does not wait for the media", got)
		}
		u.send(t, request("ACK", "one", "a", 1, ";tag=x"))
		u.finish()
		wantFailure(t, u.only(t), outcome.UnexpectedMessage, "peer_cancel", "the peer cancelled the call")
		if got := studio.only(t).order(); got != "answer(caller) close" {
			t.Errorf("media were asked %q", got)
		}
	})
}

// bare is a loop that does not run, and a flow of it.
func bare(t *testing.T, name string, change func(*Config)) (*loop, transport.Flow, *results) {
	t.Helper()
	var r results
	tr := &echoTransport{mute: true}
	c := config(builtin(t, name), tr, &r)
	c.Load = Load{Rate: 1, Period: time.Second}
	if change != nil {
		change(&c)
	}
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	e.loop.start = time.Now()
	return e.loop, transport.NewFlow(tr, c.Target), &r
}

func TestManyCallIDs(t *testing.T) {
	t.Parallel()
	const most = 100
	l, flow, r := bare(t, "uas", func(c *Config) { c.MaxOpenCalls = most })
	for n := range 10 * most {
		l.Received(transport.Message{Data: request("INVITE", fmt.Sprintf("flood%d", n), "a", 1, ""), Flow: flow, Received: l.start})
	}
	if len(l.calls) != most || l.running != most || l.cfg.Stats.Rejected.Load() != 9*most {
		t.Errorf("%d calls, %d running, %d rejected", len(l.calls), l.running, l.cfg.Stats.Rejected.Load())
	}
	l.stop()
	l.tick = l.stopBy // nobody answers the BYEs
	if !l.over() {
		t.Error("the run does not end")
	}
	if l.running != 0 || len(r.all) != most {
		t.Errorf("%d running, %d results", l.running, len(r.all))
	}
}

func TestEndedCallsThatAreKeptAreBounded(t *testing.T) {
	t.Parallel()
	l, flow, _ := bare(t, "uas", nil)
	call := func(id string) {
		for _, m := range [][]byte{
			request("INVITE", id, "a", 1, ""), request("ACK", id, "b", 1, ";tag=x"), request("BYE", id, "c", 2, ";tag=x"),
		} {
			l.Received(transport.Message{Data: m, Flow: flow, Received: l.start})
		}
	}
	call("kept")
	if l.calls["kept"] == nil || l.running != 0 {
		t.Fatal("the timewait does not keep the call")
	}
	for n := range maxHeld {
		l.calls[fmt.Sprintf("held%d", n)] = l.calls["kept"]
	}
	call("beyond")
	if l.calls["beyond"] != nil || !l.dead.has([]byte("beyond")) {
		t.Error("the call is kept beyond the bound, or not remembered")
	}
}

func TestLargeMessagesLeaveNoMemoryBehind(t *testing.T) {
	t.Parallel()
	l, flow, _ := bare(t, "uas", nil)
	huge := "Subject: " + strings.Repeat("x", 60<<10) + "\r\nContent-Length: 0\r\n\r\n"
	for n, rest := range []string{huge, "Content-Length: 0\r\n\r\n"} {
		id := fmt.Sprintf("call%d", n)
		for _, m := range [][]byte{request("INVITE", id, "a", 1, "", rest), request("ACK", id, "b", 1, ";tag=x"), request("BYE", id, "c", 2, ";tag=x", rest)} {
			l.Received(transport.Message{Data: m, Flow: flow, Received: l.start})
		}
		l.forget(l.calls[id])
		if len(l.spare) != n {
			t.Errorf("%d calls are kept for reuse after call %d", len(l.spare), n)
		}
	}
}

func TestKeptMessagesAreBounded(t *testing.T) {
	t.Parallel()
	l, flow, _ := bare(t, "uas", nil)
	c := l.newCall()
	c.flow = flow
	large, _ := sip.ParseView(request("INFO", "one", "a", 1, "", "Subject: "+strings.Repeat("x", 60<<10)+"\r\n\r\n"))
	for range 2 * maxKept {
		c.keep(&incoming{view: &large, flow: flow})
	}
	if len(c.kept) != 2 {
		t.Errorf("%d large messages are kept, want 2", len(c.kept))
	}
	small, _ := sip.ParseView(request("INFO", "one", "a", 1, ""))
	for range 2 * maxKept {
		c.keep(&incoming{view: &small, flow: flow})
	}
	if len(c.kept) != maxKept {
		t.Errorf("%d messages are kept, want %d", len(c.kept), maxKept)
	}
}

func TestHugeTimes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		net := newNetwork()
		var one results
		peer := net.peer(t, calleeAddr, ring)
		c := config(builtin(t, "uac"), net.node(callerAddr), &one)
		c.Hold, c.RecvTimeout = math.MaxInt64, math.MaxInt64
		c.Load = Load{Rate: 1e-300, Period: math.MaxInt64, Calls: 2}
		e, wait := start(t, c)
		pass(24 * time.Hour)
		if n := c.Stats.CallsRunning.Load(); n != 1 {
			t.Errorf("%d calls are running, want the first, for ever", n)
		}
		for _, rate := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1} {
			e.SetRate(rate)
			pass(time.Second)
		}
		if n := c.Stats.CallsStarted.Load(); n != 1 {
			t.Errorf("%d calls started at rates that are none", n)
		}
		e.Stop()
		wait()
		peer.stop()
		one.wantAll(t, 1, outcome.Aborted)
	})
}

func TestWaitingMediaOperationsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		studio := &studio{change: func(m *recordingMedia) { m.delay = time.Hour }}
		var one results
		c := config(builtin(t, "call_uas"), &echoTransport{mute: true}, &one)
		c.Media = Media{Kind: media.KindWebRTC, New: studio.open}
		e, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		l := e.loop
		l.start, l.ctx = time.Now(), t.Context()
		flow := transport.NewFlow(&echoTransport{mute: true}, c.Target)
		l.Received(transport.Message{Data: request("INVITE", "one", "a", 1, "", sdpBody("caller")), Flow: flow, Received: l.start})
		m := l.calls["one"].media
		info, _ := sip.ParseView(trickleINFO("b", 2, 1))
		for range 3 * maxMediaOps {
			m.call.trickle(&incoming{view: &info, flow: flow})
		}
		if n := len(m.ops); n != maxTrickleOps {
			t.Errorf("%d operations wait, want %d with candidates", n, maxTrickleOps)
		}
		for range maxMediaOps {
			if m.call != nil {
				m.accept(0, []byte("v=0\r\n"))
			}
		}
		if len(m.ops) != 0 {
			t.Errorf("%d operations wait in a call that has ended", len(m.ops))
		}
		synctest.Wait()
		for l.closing > 0 {
			l.media.Wait()
			l.readInbox()
		}
		l.forget(l.calls["one"]) // the peer never acknowledges the refusal
		wantFailure(t, one.only(t), outcome.MediaFailed, "media_error", "256 operations wait")
	})
}

func TestTransportFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		net := newNetwork()
		var callers results
		peer := net.peer(t, calleeAddr, ring)
		studio := &studio{change: func(m *recordingMedia) { m.delay = time.Hour }}
		for _, name := range []string{"uac", "call_uac"} {
			tr := &failingNode{node: net.node(callerAddr), at: time.Now().Add(time.Second)}
			c := config(builtin(t, name), tr, &callers)
			c.Hold, c.Load = time.Hour, Load{Rate: 10, Period: time.Second}
			c.Media = Media{Kind: media.KindWebRTC, New: studio.open}
			if name == "uac" {
				c.Media = Media{}
			}
			e, err := New(c)
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Run(t.Context()); !errors.Is(err, errForTest) {
				t.Errorf("Run: %v", err)
			}
			if n := c.Stats.CallsRunning.Load(); n != 0 {
				t.Errorf("%d calls are running", n)
			}
		}
		peer.stop()
		callers.wantAll(t, 22, outcome.SendFailed)
		for _, r := range callers.all {
			wantFailure(t, r, outcome.SendFailed, "connection_lost", "was lost at ")
		}
	})
}

// failingNode is a node whose Poll fails from some time on.
type failingNode struct {
	*node
	at time.Time
}

func (f *failingNode) Poll(wait time.Duration, h transport.Handler) error {
	if !time.Now().Before(f.at) {
		return errForTest
	}
	return f.node.Poll(min(wait, time.Until(f.at)), h)
}
