package engine

import (
	"testing"
	"testing/synctest"

	"github.com/gossipper/gossipper/internal/outcome"
)

func TestOneCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		net := newNetwork()
		var callers, callees results
		uas := config(builtin(t, "uas"), net.node(calleeAddr), &callees)
		uac := config(builtin(t, "uac"), net.node(callerAddr), &callers)
		_, waitUAS := start(t, uas)
		_, waitUAC := start(t, uac)
		waitUAC()
		waitUAS()
		callers.wantAll(t, 1, outcome.Success)
		callees.wantAll(t, 1, outcome.Success)
		if n := uac.Stats.MessagesSent.Load(); n != 3 {
			t.Errorf("caller sent %d messages, want 3", n)
		}
		if n := uas.Stats.MessagesSent.Load(); n != 3 {
			t.Errorf("callee sent %d messages, want 3", n)
		}
	})
}
