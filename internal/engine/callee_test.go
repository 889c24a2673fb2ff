package engine

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/sip"
)

// request is a request of the caller. The branch makes it a new one or a repetition.
func request(method, callID, branch string, cseq int, toTag string, headersAndBody ...string) []byte {
	rest := "Content-Length: 0\r\n\r\n"
	if len(headersAndBody) > 0 {
		rest = headersAndBody[0]
	}
	return []byte(method + " sip:service@" + calleeAddr + " SIP/2.0\r\nVia: SIP/2.0/UDP " + callerAddr + ";branch=z9hG4bK" + branch +
		"\r\nFrom: <sip:caller@" + callerAddr + ">;tag=from1\r\nTo: <sip:service@" + calleeAddr + ">" + toTag +
		"\r\nCall-ID: " + callID + "\r\nCSeq: " + itoa(cseq) + " " + method + "\r\nContact: <sip:caller@" + callerAddr + ">\r\n" + rest)
}

// callee is a UAS on a network, and a caller played by the test.
type callee struct {
	net    *network
	caller *scriptedPeer
	engine *Engine
	config Config
	wait   func()
	results
}

func newCallee(t *testing.T, scenario string, change func(*Config)) *callee {
	t.Helper()
	u := &callee{net: newNetwork()}
	s := builtin(t, "uas")
	if scenario != "" {
		s = parse(t, scenario)
	}
	u.caller = u.net.peer(t, callerAddr, func(*sip.View) [][]byte { return nil })
	u.config = config(s, u.net.node(calleeAddr), &u.results)
	u.config.Load = Load{}
	if change != nil {
		change(&u.config)
	}
	u.engine, u.wait = start(t, u.config)
	synctest.Wait()
	return u
}

// send sends messages and waits until all that follows at once has happened.
func (u *callee) send(t *testing.T, messages ...[]byte) {
	t.Helper()
	for _, m := range messages {
		if err := u.caller.node.Send(m, netip.MustParseAddrPort(calleeAddr)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
	}
}

func (u *callee) finish() {
	u.engine.Drain()
	u.wait()
	u.caller.stop()
}

func (u *callee) sent() []sighting { return u.net.sent(netip.MustParseAddrPort(calleeAddr)) }

// answers are the start lines of what the callee has sent.
func (u *callee) answers() string { return startLines(u.sent()) }

func TestRepeatedRequestsGetTheSameBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := newCallee(t, "", nil)
		invite, bye := request("INVITE", "one", "a", 1, ""), request("BYE", "one", "c", 2, ";tag=x")
		u.send(t, invite, invite)
		if got := u.answers(); got != "180 200 200" {
			t.Fatalf("answers %s: a repeated INVITE must get the last response again", got)
		}
		ack := request("ACK", "one", "b", 1, ";tag=x")
		u.send(t, ack, ack, bye, bye)
		if got := u.answers(); got != "180 200 200 200 200" {
			t.Fatalf("answers %s", got)
		}
		sent := u.sent()
		if sent[1].text != sent[2].text || sent[3].text != sent[4].text {
			t.Error("repeated answers differ")
		}
		if n := u.config.Stats.RetransmissionsReceived.Load(); n != 3 {
			t.Errorf("%d repetitions counted, want 3", n)
		}
		pass(5 * time.Second) // the timewait is over
		u.send(t, bye)
		if got := u.answers(); !strings.HasSuffix(got, "200 200 200") || u.config.Stats.DeadCall.Load() != 2 {
			t.Errorf("answers %s: a BYE after the end is still answered", got)
		}
		u.finish()
		u.wantAll(t, 1, outcome.Success)
	})
}

func TestLostACKIsAskedForAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := newCallee(t, mandatoryACK, nil)
		u.send(t, request("INVITE", "one", "a", 1, ""))
		u.send(t, request("BYE", "one", "c", 2, ";tag=x")) // its ACK was lost
		if got := u.answers(); got != "200" {
			t.Fatalf("answers %s: the BYE must wait for the ACK", got)
		}
		pass(600 * time.Millisecond)
		u.send(t, request("ACK", "one", "b", 1, ";tag=x"))
		if got := u.answers(); got != "200 200 200" {
			t.Fatalf("answers %s", got)
		}
		u.finish()
		u.wantAll(t, 1, outcome.Success)
	})
}

const mandatoryACK = `<scenario name="mandatory ACK">
  <recv request="INVITE"/>
  <send retrans="500"><![CDATA[
    SIP/2.0 200 OK
    [last_Via:]
    [last_From:]
    [last_To:];tag=x
    [last_Call-ID:]
    [last_CSeq:]
    Contact: <sip:[local_ip]:[local_port]>
    Content-Length: 0
  ]]></send>
  <recv request="ACK"/>
  <recv request="BYE"/>
  <send><![CDATA[
    SIP/2.0 200 OK
    [last_Via:]
    [last_From:]
    [last_To:]
    [last_Call-ID:]
    [last_CSeq:]
    Content-Length: 0
  ]]></send>
</scenario>`

func TestUnacknowledged200(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := newCallee(t, mandatoryACK, nil)
		u.send(t, request("INVITE", "one", "a", 1, ""))
		pass(time.Minute)
		u.finish()
		wantFailure(t, u.only(t), outcome.NoAnswer, "no_answer", "no answer to 200 from "+callerAddr+" after 10 transmissions")
		if got := u.answers(); !strings.HasPrefix(got, strings.Repeat("200 ", 10)+"BYE") {
			t.Errorf("sent %s", got)
		}
	})
}

func TestCallerCancels(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := newCallee(t, `<scenario name="slow">
  <recv request="INVITE"/>
  <pause milliseconds="5000"/>
  <send><![CDATA[
    SIP/2.0 200 OK
    [last_Via:]
    [last_From:]
    [last_To:];tag=x
    [last_Call-ID:]
    [last_CSeq:]
    Content-Length: 0
  ]]></send>
</scenario>`, nil)
		u.send(t, request("INVITE", "one", "a", 1, ""), request("CANCEL", "one", "a", 1, ""))
		if got := u.answers(); got != "200 487" {
			t.Fatalf("answers %s", got)
		}
		pass(600 * time.Millisecond)
		u.send(t, request("ACK", "one", "a", 1, ";tag=x"))
		if got := u.answers(); got != "200 487 487" {
			t.Errorf("answers %s: the 487 is repeated until its ACK", got)
		}
		u.finish()
		wantFailure(t, u.only(t), outcome.UnexpectedMessage, "peer_cancel", "the peer cancelled the call (CANCEL) while the scenario waited at pause (line 3)")
	})
}

func TestOutsideOfCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := newCallee(t, "", func(c *Config) { c.MaxOpenCalls = 1 })
		u.send(t, request("OPTIONS", "ping", "a", 1, ""))
		if sent := u.sent(); len(sent) != 1 || !strings.Contains(sent[0].text, "\r\nAllow: INVITE") || !strings.Contains(sent[0].text, "\r\nAccept: application/sdp") {
			t.Fatalf("answer to OPTIONS: %+v", sent)
		}
		u.send(t,
			request("ACK", "stray", "b", 1, ""),
			request("BYE", "stray", "c", 2, ";tag=x"),
			request("REGISTER", "reg", "d", 1, ""),
			bytes.Replace(request("X", "resp", "e", 1, ""), []byte("X sip:service@"+calleeAddr+" SIP/2.0"), []byte("SIP/2.0 200 OK"), 1),
			[]byte("\r\n\r\n"), []byte("garbage"),
			request("INVITE", "one", "f", 1, ""),
			request("INVITE", "two", "g", 1, ""),
		)
		if got := u.answers(); got != "200 481 405 180 200 503" {
			t.Errorf("answers %s", got)
		}
		if sent := u.sent(); !strings.Contains(sent[len(sent)-1].text, "\r\nRetry-After: 1") {
			t.Error("the 503 has no Retry-After")
		}
		s := u.config.Stats
		if s.AutoAnswered.Load() != 1 || s.OutOfCall.Load() != 4 || s.Malformed.Load() != 1 || s.Rejected.Load() != 1 || s.CallsStarted.Load() != 1 {
			t.Errorf("%+v", s.Snapshot())
		}
		u.engine.Stop()
		u.finish()
		if got := u.answers(); !strings.HasSuffix(got, " BYE BYE") {
			t.Errorf("sent %s: the open call must be ended", got)
		}
		u.wantAll(t, 1, outcome.Aborted)
	})
}

func TestCalleeTakesItsNumberOfCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := newCallee(t, "", func(c *Config) { c.Load.Calls = 1 })
		u.send(t, request("INVITE", "one", "a", 1, ""), request("INVITE", "two", "b", 1, ""),
			request("ACK", "one", "c", 1, ";tag=x"), request("BYE", "one", "d", 2, ";tag=x"))
		if got := u.answers(); got != "180 200 503 200" {
			t.Errorf("answers %s", got)
		}
		begun := time.Now()
		u.wait()
		if took := time.Since(begun); took > quietTime+10*time.Millisecond {
			t.Errorf("the end took %v: a run that is over does not wait for the whole timewait", took)
		}
		u.caller.stop()
		u.wantAll(t, 1, outcome.Success)
	})
}

// The loop sleeps while nothing happens. What a message starts then counts from the message, not from when the loop fell asleep.
func TestTimersCountFromTheMessageThatWakesTheLoop(t *testing.T) {
	t.Parallel()
	for _, idle := range []time.Duration{0, 300 * time.Millisecond, 999 * time.Millisecond, 1300 * time.Millisecond, time.Minute} {
		t.Run(idle.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				u := newCallee(t, strings.Replace(mandatoryACK, "<send retrans", `<pause milliseconds="300"/><send retrans`, 1), nil)
				pass(idle)
				before := time.Now()
				u.send(t, request("INVITE", "one", "a", 1, ""))
				pass(1600 * time.Millisecond)
				sent := u.sent()
				if len(sent) != 2 {
					t.Fatalf("sent %s, want the 200 and one repetition", u.answers())
				}
				for i, want := range []time.Duration{300 * time.Millisecond, 800 * time.Millisecond} {
					if at := sent[i].at.Sub(before); at < want || at > want+5*time.Millisecond {
						t.Errorf("200 number %d left after %v, want %v", i+1, at, want)
					}
				}
				u.send(t, request("ACK", "one", "b", 1, ";tag=x"), request("BYE", "one", "c", 2, ";tag=x"))
				u.finish()
				u.wantAll(t, 1, outcome.Success)
			})
		})
	}
}
