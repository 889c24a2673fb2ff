package engine

import (
	"fmt"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/testpeer"
	"github.com/gossipper/gossipper/internal/transport"
)

// listen opens a UDP transport on a loopback port that the system chooses.
func listen(t testing.TB, o transport.Options) transport.Transport {
	t.Helper()
	o.Local = netip.MustParseAddrPort("127.0.0.1:0")
	tr, err := transport.NewUDP(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	})
	return tr
}

func TestLoopback(t *testing.T) {
	t.Parallel()
	const calls = 1000
	for _, perCall := range []bool{false, true} {
		t.Run(fmt.Sprintf("socket per call %v", perCall), func(t *testing.T) {
			t.Parallel()
			var callers, callees results
			uas := config(builtin(t, "uas"), listen(t, transport.Options{}), &callees)
			uas.Load.Calls = calls
			uac := config(builtin(t, "uac"), listen(t, transport.Options{PerCall: perCall}), &callers)
			uac.Target = uas.Transport.Local()
			uac.Load = Load{Rate: 2000, Period: time.Second, Calls: calls}
			_, waitUAS := start(t, uas)
			_, waitUAC := start(t, uac)
			waitUAC()
			waitUAS()
			callers.wantAll(t, calls, outcome.Success)
			callees.wantAll(t, calls, outcome.Success)
			for _, r := range callers.all {
				if r.SIP.FinalStatus != 200 || r.SIP.Setup == nil || *r.SIP.Setup <= 0 || *r.SIP.Setup > 5*time.Second {
					t.Fatalf("call %d: status %d, setup %v", r.CallNumber, r.SIP.FinalStatus, r.SIP.Setup)
				}
				if len(r.SIP.ResponseTimes) != 1 || r.SIP.ResponseTimes[0] == nil {
					t.Fatalf("call %d: response times %v", r.CallNumber, r.SIP.ResponseTimes)
				}
			}
		})
	}
}

func TestCallsToSIPp(t *testing.T) {
	t.Parallel()
	port := testpeer.FreeUDPPort(t)
	peer := testpeer.SIPp(t, "-sn", "uas", "-i", "127.0.0.1", "-p", strconv.Itoa(port), "-m", "500", "-trace_err")
	testpeer.WaitListening(t, port)
	var callers results
	uac := config(builtin(t, "uac"), listen(t, transport.Options{}), &callers)
	uac.Target = netip.MustParseAddrPort("127.0.0.1:" + strconv.Itoa(port))
	uac.Load = Load{Rate: 200, Period: time.Second, Calls: 500}
	uac.Hold = 100 * time.Millisecond
	_, wait := start(t, uac)
	wait()
	callers.wantAll(t, 500, outcome.Success)
	if code := peer.Wait(t, 30*time.Second); code != 0 {
		t.Errorf("sipp ended with %d:\n%s", code, peer.Output())
	}
}

func TestCallsFromSIPp(t *testing.T) {
	t.Parallel()
	var callees results
	uas := config(builtin(t, "uas"), listen(t, transport.Options{}), &callees)
	uas.Load.Calls = 500
	_, wait := start(t, uas)
	peer := testpeer.SIPp(t, "-sn", "uac", uas.Transport.Local().String(), "-i", "127.0.0.1",
		"-p", strconv.Itoa(testpeer.FreeUDPPort(t)), "-m", "500", "-r", "200", "-d", "100", "-deadcall_wait", "0")
	if code := peer.Wait(t, 30*time.Second); code != 0 {
		t.Errorf("sipp ended with %d:\n%s", code, peer.Output())
	}
	wait()
	callees.wantAll(t, 500, outcome.Success)
}
