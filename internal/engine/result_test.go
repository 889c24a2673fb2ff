package engine

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/sip"
)

// wantSums checks that every message of the run is in the record of its call. Messages that came after the record was written are
// dead, and so are the answers to them.
func wantSums(t *testing.T, c Config, r *results, deadAnswers uint64) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var sum SIPResult
	for _, one := range r.all {
		sum.MessagesSent += one.SIP.MessagesSent
		sum.MessagesReceived += one.SIP.MessagesReceived
		sum.Retransmissions += one.SIP.Retransmissions
	}
	s := c.Stats.Snapshot()
	if sum.MessagesSent != s.MessagesSent-deadAnswers || sum.MessagesReceived != s.MessagesReceived-s.DeadCall ||
		sum.Retransmissions != s.Retransmissions-deadAnswers {
		t.Errorf("the records sum up to %d sent, %d received, %d repeated; the run counts %d, %d, %d, and %d dead messages with %d answers",
			sum.MessagesSent, sum.MessagesReceived, sum.Retransmissions, s.MessagesSent, s.MessagesReceived, s.Retransmissions, s.DeadCall, deadAnswers)
	}
}

// TestRecordsAgreeWithTheRun ends calls of a caller in every way.
func TestRecordsAgreeWithTheRun(t *testing.T) {
	t.Parallel()
	const calls = 5
	late := func(answersBye int) func() func(*sip.View) [][]byte {
		return func() func(*sip.View) [][]byte {
			byes := make(map[string]int)
			return func(v *sip.View) [][]byte {
				if id := string(v.CallID()); string(v.Method()) == methodBye {
					if byes[id]++; byes[id] < answersBye {
						return nil
					}
				}
				return ring(v)
			}
		}
	}
	tests := []struct {
		name string
		peer func() func(*sip.View) [][]byte
		// stopAfter is when the run is stopped; 0: never.
		stopAfter   time.Duration
		want        outcome.Outcome
		sent        uint64 // of each call
		repeated    uint64
		dead        uint64 // of all calls, and their answers
		deadAnswers uint64
	}{
		{name: "success", peer: late(1), want: outcome.Success, sent: 3},
		{name: "success after loss", peer: late(3), want: outcome.Success, sent: 5, repeated: 2},
		{name: "aborted", peer: late(1), stopAfter: 2 * time.Second, want: outcome.Aborted, sent: 3},
		{name: "aborted, BYE lost", peer: late(2), stopAfter: 2 * time.Second, want: outcome.Aborted, sent: 4, repeated: 1},
		{name: "aborted, BYE never answered", peer: late(100), stopAfter: 2 * time.Second, want: outcome.Aborted, sent: 4, repeated: 1},
		{name: "rejected twice", peer: func() func(*sip.View) [][]byte {
			return func(v *sip.View) [][]byte {
				if string(v.Method()) != methodInvite {
					return nil
				}
				return [][]byte{reply(v, 486, "Busy Here"), reply(v, 486, "Busy Here")}
			}
		}, want: outcome.Rejected, sent: 2, dead: calls, deadAnswers: calls},
		{name: "never answered", peer: func() func(*sip.View) [][]byte {
			return func(*sip.View) [][]byte { return nil }
		}, want: outcome.NoAnswer, sent: 6, repeated: 5},
		{name: "aborted while ringing", peer: func() func(*sip.View) [][]byte {
			invites := make(map[string]sip.View)
			return func(v *sip.View) [][]byte {
				switch string(v.Method()) {
				case methodInvite:
					invites[string(v.CallID())] = v.Clone()
					return [][]byte{reply(v, 180, "Ringing")}
				case methodCancel:
					invite := invites[string(v.CallID())]
					return [][]byte{reply(v, 200, "OK"), reply(&invite, 487, "Request Terminated")}
				}
				return nil
			}
		}, stopAfter: 2 * time.Second, want: outcome.Aborted, sent: 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var r results
				net := newNetwork()
				peer := net.peer(t, calleeAddr, tt.peer())
				c := config(builtin(t, "uac"), net.node(callerAddr), &r)
				c.Load = Load{Rate: 10, Period: time.Second, Calls: calls}
				if tt.stopAfter > 0 {
					c.Hold = time.Hour
				}
				e, wait := start(t, c)
				begun := time.Now()
				if tt.stopAfter > 0 {
					pass(tt.stopAfter)
					e.Stop()
				}
				wait()
				peer.stop()
				r.wantAll(t, calls, tt.want)
				wantSums(t, c, &r, tt.deadAnswers)
				if n := c.Stats.DeadCall.Load(); n != tt.dead {
					t.Errorf("%d dead messages, want %d", n, tt.dead)
				}
				for _, one := range r.all {
					if one.SIP.MessagesSent != tt.sent || one.SIP.Retransmissions != tt.repeated {
						t.Errorf("call %d: %d sent, %d of them repeated, want %d and %d", one.CallNumber, one.SIP.MessagesSent,
							one.SIP.Retransmissions, tt.sent, tt.repeated)
					}
					// The end of the call is that of its scenario, however long the peer takes for the BYE.
					if tt.stopAfter > 0 && !one.EndedAt.Equal(begun.Add(tt.stopAfter)) {
						t.Errorf("call %d ended %v after the start of the run, want %v", one.CallNumber, one.EndedAt.Sub(begun), tt.stopAfter)
					}
				}
			})
		})
	}
}

// TestRecordsOfACalleeAgreeWithTheRun stops a callee whose caller is at every stage of a call.
func TestRecordsOfACalleeAgreeWithTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := newCallee(t, `<scenario name="slow"><recv request="INVITE"/><pause milliseconds="60000"/>`+respond("200 OK", noBody, "")+`</scenario>`, nil)
		u.send(t, request("INVITE", "one", "a", 1, ""), request("INVITE", "two", "b", 1, ""))
		u.engine.Stop()
		pass(600 * time.Millisecond) // the refusals are repeated once
		u.send(t, request("ACK", "one", "a", 1, ";tag=x"))
		u.finish()
		u.wantAll(t, 2, outcome.Aborted)
		wantSums(t, u.config, &u.results, 0)
		for _, one := range u.all {
			if one.SIP.FinalStatus != 503 || one.SIP.MessagesSent != 2 || one.SIP.Retransmissions != 1 {
				t.Errorf("call %s: %+v", one.CallID, one.SIP)
			}
		}
	})
}

// TestResultOfAStoppedCallWaitsForItsEnd checks when the result is handed over.
func TestResultOfAStoppedCallWaitsForItsEnd(t *testing.T) {
	t.Parallel()
	c, l := heldCall(t)
	var told int
	l.cfg.OnResult = func(*Result) { told++ }
	l.cfg.Transport.(*echoTransport).mute = true
	c.stopped("the test ended")
	if told != 0 || l.cfg.Stats.Outcome(outcome.Aborted) != 0 {
		t.Error("the result was handed over while the BYE was not answered")
	}
	c.afterlifeOver()
	if told != 1 || l.cfg.Stats.Outcome(outcome.Aborted) != 1 {
		t.Errorf("the result was handed over %d times, want once", told)
	}
}
