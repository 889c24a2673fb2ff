package e2e

import (
	"os"
	"testing"
	"time"
)

// TestStoppedRunCountsTheSameInRecordsAndSummary ends calls with two Ctrl-C: their BYEs and the answers are in both.
func TestStoppedRunCountsTheSameInRecordsAndSummary(t *testing.T) {
	t.Parallel()
	const calls = 5
	callee := startAnswerer(t)
	uac := start(t, "uac", callee.conn.LocalAddr().String(), "--calls", "100", "--rate", "20", "--hold", "60s")
	callee.waitForACKs(t, calls)
	uac.Signal(t, os.Interrupt)
	uac.WaitOutput(t, "press Ctrl-C again to end now")
	uac.Signal(t, os.Interrupt)
	uac.end(t, 1)
	var sum messages
	all := uac.records(t)
	for _, rec := range all {
		if rec.Outcome != "aborted" {
			t.Errorf("call %d ended as %s", rec.CallNumber, rec.Outcome)
		}
		sum.Sent += rec.SIP.MessagesSent
		sum.Received += rec.SIP.MessagesReceived
		sum.Retransmissions += rec.SIP.Retransmissions
	}
	if s := uac.summary(t); sum != s.Messages.messages || s.Messages.DeadCall != 0 {
		t.Errorf("the records sum up to %+v, the summary says %+v", sum, s.Messages)
	}
	// INVITE, ACK and BYE, if nothing had to be repeated.
	if n := len(all); n < calls || sum.Sent-sum.Retransmissions != 3*n {
		t.Errorf("%d calls sent %+v", n, sum)
	}
}

// waitForACKs waits until so many calls are established.
func (a *answerer) waitForACKs(t *testing.T, calls int) {
	t.Helper()
	deadline := time.After(runLimit)
	for range calls {
		select {
		case <-a.acked:
		case <-deadline:
			t.Fatalf("not %d calls within %v", calls, runLimit)
		}
	}
}
