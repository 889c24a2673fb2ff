package engine

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/sip"
	"github.com/gossipper/gossipper/internal/transport"
)

// ring answers an INVITE with 180 and 200, and everything else but ACK with 200.
func ring(v *sip.View) [][]byte {
	switch string(v.Method()) {
	case "INVITE":
		return [][]byte{reply(v, 180, "Ringing"), answered(v)}
	case "ACK", "":
		return nil
	default:
		return [][]byte{reply(v, 200, "OK")}
	}
}

// answered is a 200 to an INVITE.
func answered(v *sip.View) []byte { return reply(v, 200, "OK", "Contact: <sip:callee@"+calleeAddr+">") }

// requests are the methods of what was sent, and the status codes.
func startLines(all []sighting) string {
	var lines []string
	for _, s := range all {
		fields := strings.Fields(s.text)
		if fields[0] == "SIP/2.0" {
			lines = append(lines, fields[1])
		} else {
			lines = append(lines, fields[0])
		}
	}
	return strings.Join(lines, " ")
}

// callTo runs one call of the scenario against a peer in virtual time.
func callTo(t *testing.T, scenario string, react func(*sip.View) [][]byte, change func(*Config)) (*Result, *network) {
	t.Helper()
	net := newNetwork()
	var r results
	s := builtin(t, "uac")
	if strings.HasPrefix(scenario, "<") {
		s = parse(t, scenario)
	} else if scenario != "" {
		s = builtin(t, scenario)
	}
	peer := net.peer(t, calleeAddr, react)
	c := config(s, net.node(callerAddr), &r)
	if change != nil {
		change(&c)
	}
	_, wait := start(t, c)
	wait()
	peer.stop()
	return r.only(t), net
}

func wantFailure(t *testing.T, r *Result, want outcome.Outcome, code, reason string) {
	t.Helper()
	if r.Outcome != want || r.Failure == nil || r.Failure.Code != code || !strings.Contains(r.Failure.Reason, reason) {
		t.Errorf("outcome %v, failure %+v; want %v, %s, %q", r.Outcome, r.Failure, want, code, reason)
	}
}

func TestNoAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, net := callTo(t, "", func(*sip.View) [][]byte { return nil }, nil)
		wantFailure(t, r, outcome.NoAnswer, "no_answer", "no answer to INVITE from 192.0.2.2:5060 after 6 transmissions in 31.5 s")
		sent := net.sent(r.Local)
		if got := startLines(sent); got != "INVITE INVITE INVITE INVITE INVITE INVITE" {
			t.Fatalf("sent %s", got)
		}
		for i, want := range []time.Duration{0, 500, 1500, 3500, 7500, 15500} {
			if sent[i].text != sent[0].text {
				t.Errorf("transmission %d has other bytes than the first", i+1)
			}
			if at := sent[i].at.Sub(sent[0].at); at != want*time.Millisecond {
				t.Errorf("transmission %d after %v, want %v", i+1, at, want*time.Millisecond)
			}
		}
		if r.SIP.Retransmissions != 5 || r.SIP.MessagesSent != 6 {
			t.Errorf("%d messages, %d repeated; want 6 and 5", r.SIP.MessagesSent, r.SIP.Retransmissions)
		}
		if !strings.HasPrefix(r.FailedStep, "recv 200 (line ") {
			t.Errorf("failed at %q", r.FailedStep)
		}
	})
}

func TestMalformedAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, _ := callTo(t, "", func(*sip.View) [][]byte { return [][]byte{[]byte("HTTP/1.1 400 Bad\r\nRequest\x1b[31m\r\n\r\n")} }, nil)
		wantFailure(t, r, outcome.MalformedAnswer, "malformed_answer", `; meanwhile 6 datagrams that are not SIP came from 192.0.2.2:5060, the last: "HTTP/1.1 400 Bad\r\nRequest\x1b[31m`)
	})
}

func TestRejected(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		invites := 0
		r, net := callTo(t, "", func(v *sip.View) [][]byte {
			if string(v.Method()) != "INVITE" {
				return nil
			}
			invites++
			busy := reply(v, 486, "Busy Here")
			return [][]byte{busy, busy}
		}, nil)
		wantFailure(t, r, outcome.Rejected, "sip_486", "486 Busy Here at recv 200 (line ")
		if r.SIP.FinalStatus != 486 || r.SIP.Setup != nil || r.SIP.PDD == nil {
			t.Errorf("%+v", r.SIP)
		}
		sent := net.sent(r.Local)
		if got := startLines(sent); got != "INVITE ACK ACK" {
			t.Fatalf("sent %s", got)
		}
		invite, _ := sip.ParseView([]byte(sent[0].text))
		ack, _ := sip.ParseView([]byte(sent[1].text))
		if !bytes.Equal(invite.Branch(), ack.Branch()) || invite.CSeqNumber() != ack.CSeqNumber() || len(ack.ToTag()) == 0 {
			t.Errorf("the ACK does not belong to the INVITE:\n%s", sent[1].text)
		}
		if sent[1].text != sent[2].text {
			t.Error("the second ACK differs from the first")
		}
	})
}

func TestLateDuplicate200IsNotTheAnswerToBYE(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ok []byte
		byes := 0
		r, net := callTo(t, "", func(v *sip.View) [][]byte {
			switch string(v.Method()) {
			case "INVITE":
				ok = answered(v)
				return [][]byte{ok}
			case "BYE":
				if byes++; byes < 3 {
					return [][]byte{ok}
				}
				return [][]byte{reply(v, 200, "OK")}
			}
			return nil
		}, nil)
		if r.Outcome != outcome.Success {
			t.Fatalf("%v: %v", r.Outcome, r.Failure)
		}
		sent := net.sent(r.Local)
		if got := startLines(sent); got != "INVITE ACK BYE ACK BYE ACK BYE" {
			t.Fatalf("sent %s", got)
		}
		if sent[1].text != sent[3].text || sent[2].text != sent[4].text {
			t.Error("repetitions differ from the first transmission")
		}
	})
}

func TestProvisionalStopsINVITE(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, net := callTo(t, "", func(v *sip.View) [][]byte {
			if string(v.Method()) == "INVITE" {
				return [][]byte{reply(v, 180, "Ringing")}
			}
			return ring(v)
		}, func(c *Config) { c.RecvTimeout = 20 * time.Second })
		wantFailure(t, r, outcome.RecvTimeout, "recv_timeout", "within 20s at recv 200 (line ")
		if got := startLines(net.sent(r.Local)); !strings.HasPrefix(got, "INVITE CANCEL") || strings.Count(got, "INVITE") != 1 {
			t.Errorf("sent %s", got)
		}
	})
}

func TestPeerHangsUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, net := callTo(t, "", func(v *sip.View) [][]byte {
			if string(v.Method()) == "ACK" {
				return [][]byte{fromCallee(v, "BYE", 1)}
			}
			return ring(v)
		}, func(c *Config) { c.Hold = time.Second })
		wantFailure(t, r, outcome.UnexpectedMessage, "peer_bye", "the peer hung up (BYE) while the scenario waited at pause (line")
		if got := startLines(net.sent(r.Local)); got != "INVITE ACK 200" {
			t.Errorf("sent %s", got)
		}
	})
}

// fromCallee is a request of the callee in the dialog of a request of the caller.
func fromCallee(v *sip.View, method string, cseq int, body ...string) []byte {
	from, _ := v.Header("To")
	to, _ := v.Header("From")
	b := strings.Join(body, "")
	return []byte(method + " sip:caller@" + callerAddr + " SIP/2.0\r\nVia: SIP/2.0/UDP " + calleeAddr + ";branch=z9hG4bKcallee" + method + itoa(cseq) +
		"\r\nFrom: " + string(from) + "\r\nTo: " + string(to) + "\r\nCall-ID: " + string(v.CallID()) +
		"\r\nCSeq: " + itoa(cseq) + " " + method + "\r\nContent-Length: " + itoa(len(b)) + "\r\n\r\n" + b)
}

func itoa(n int) string { return string(appendUint(nil, uint64(n))) }

func TestStopCancelsAndAcknowledges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r results
		net := newNetwork()
		var invite sip.View
		peer := net.peer(t, calleeAddr, func(v *sip.View) [][]byte {
			switch string(v.Method()) {
			case "INVITE":
				invite = v.Clone()
				return [][]byte{reply(v, 180, "Ringing")}
			case "CANCEL":
				return [][]byte{reply(v, 200, "OK"), reply(&invite, 487, "Request Terminated")}
			}
			return nil
		})
		c := config(builtin(t, "uac"), net.node(callerAddr), &r)
		e, wait := start(t, c)
		synctest.Wait()
		e.Stop()
		wait()
		peer.stop()
		one := r.only(t)
		wantFailure(t, one, outcome.Aborted, "stopped", "the run was stopped at recv 200 (line ")
		sent := net.sent(one.Local)
		if got := startLines(sent); got != "INVITE CANCEL ACK" {
			t.Fatalf("sent %s", got)
		}
		cancel, _ := sip.ParseView([]byte(sent[1].text))
		if !bytes.Equal(cancel.Branch(), invite.Branch()) {
			t.Errorf("branch of the CANCEL is %s, of the INVITE %s", cancel.Branch(), invite.Branch())
		}
	})
}

func TestAnswerCrossesWithStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r results
		net := newNetwork()
		var invite sip.View
		peer := net.peer(t, calleeAddr, func(v *sip.View) [][]byte {
			switch string(v.Method()) {
			case "INVITE":
				invite = v.Clone()
				return [][]byte{reply(v, 180, "Ringing")}
			case "CANCEL": // too late
				return [][]byte{answered(&invite), reply(v, 200, "OK")}
			case "BYE":
				return [][]byte{reply(v, 200, "OK")}
			}
			return nil
		})
		e, wait := start(t, config(builtin(t, "uac"), net.node(callerAddr), &r))
		synctest.Wait()
		e.Stop()
		wait()
		peer.stop()
		one := r.only(t)
		if one.Outcome != outcome.Aborted {
			t.Errorf("outcome %v", one.Outcome)
		}
		if got := startLines(net.sent(one.Local)); got != "INVITE CANCEL ACK BYE" {
			t.Errorf("sent %s", got)
		}
	})
}

func TestStopEndsAnEstablishedCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r results
		net := newNetwork()
		peer := net.peer(t, calleeAddr, ring)
		c := config(builtin(t, "uac"), net.node(callerAddr), &r)
		c.Hold = time.Hour
		e, wait := start(t, c)
		synctest.Wait()
		begun := time.Now()
		e.Stop()
		e.Stop()
		wait()
		peer.stop()
		if took := time.Since(begun); took > stopGrace {
			t.Errorf("Stop took %v", took)
		}
		one := r.only(t)
		wantFailure(t, one, outcome.Aborted, "stopped", "at pause")
		if got := startLines(net.sent(one.Local)); got != "INVITE ACK BYE" {
			t.Errorf("sent %s", got)
		}
	})
}

func TestStopDoesNotWaitForADeadPeer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r results
		net := newNetwork()
		e, wait := start(t, config(builtin(t, "uac"), net.node(callerAddr), &r))
		synctest.Wait()
		begun := time.Now()
		e.Stop()
		wait()
		if took := time.Since(begun); took > stopGrace+10*time.Millisecond {
			t.Errorf("Stop took %v", took)
		}
		if one := r.only(t); one.Outcome != outcome.Aborted {
			t.Errorf("outcome %v", one.Outcome)
		}
	})
}

func TestDrainLetsCallsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r results
		net := newNetwork()
		peer := net.peer(t, calleeAddr, ring)
		c := config(builtin(t, "uac"), net.node(callerAddr), &r)
		c.Hold, c.Load.Calls, c.Load.Rate = 10*time.Second, 0, 10
		e, wait := start(t, c)
		pass(950 * time.Millisecond)
		e.Drain()
		wait()
		peer.stop()
		r.wantAll(t, 10, outcome.Success)
	})
}

func TestForkedAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, net := callTo(t, "", func(v *sip.View) [][]byte {
			switch string(v.Method()) {
			case "INVITE":
				one := answered(v)
				return [][]byte{one, bytes.Replace(one, []byte("To: <sip:service@192.0.2.2:5060>;tag="), []byte("To: <sip:service@192.0.2.2:5060>;tag=other"), 1)}
			case "ACK":
				return nil
			}
			return [][]byte{reply(v, 200, "OK")}
		}, func(c *Config) { c.Hold = time.Second })
		if r.Outcome != outcome.Success {
			t.Fatalf("%v: %v", r.Outcome, r.Failure)
		}
		sent := net.sent(r.Local)
		if got := startLines(sent); got != "INVITE ACK ACK BYE BYE" {
			t.Fatalf("sent %s", got)
		}
		if !strings.Contains(sent[3].text, ";tag=other") || strings.Contains(sent[4].text, ";tag=other") {
			t.Errorf("the BYE of the other dialog must come first:\n%s\n%s", sent[3].text, sent[4].text)
		}
	})
}

func TestSendFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		err     error
		relieve time.Duration
		want    outcome.Outcome
	}{
		{"refused", errForTest, 0, outcome.SendFailed},
		{"congested for a while", transport.ErrCongested, 100 * time.Millisecond, outcome.Success},
		{"congested for ever", transport.ErrCongested, 0, outcome.SendFailed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, _ := callTo(t, "", ring, func(c *Config) {
					n := c.Transport.(*node)
					n.refuseWith(tt.err)
					if tt.relieve > 0 {
						time.AfterFunc(tt.relieve, func() { n.refuseWith(nil) })
					}
				})
				if r.Outcome != tt.want {
					t.Errorf("%v: %v, want %v", r.Outcome, r.Failure, tt.want)
				}
			})
		})
	}
}

const errForTest = testError("network is unreachable")

type testError string

func (e testError) Error() string { return string(e) }
