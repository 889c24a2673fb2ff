package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gossipper/gossipper/internal/media/mediatest"
	"github.com/gossipper/gossipper/internal/testpeer"
)

func TestSIPpAnswers500Calls(t *testing.T) {
	t.Parallel()
	port := testpeer.FreeUDPPort(t)
	sipp := testpeer.SIPp(t, "-sn", "uas", "-i", "127.0.0.1", "-p", fmt.Sprint(port), "-m", "500", "-trace_err")
	testpeer.WaitListening(t, port)
	run := start(t, "uac", fmt.Sprintf("127.0.0.1:%d", port), "--rate", "200", "--calls", "500")
	run.end(t, 0)
	run.wantOutcomes(t, map[string]int{"success": 500})
	if code := sipp.Wait(t, runLimit); code != 0 {
		t.Errorf("sipp ended with %d", code)
	}
	wantNoSIPpComplaint(t, sipp)
}

func TestSIPpMakes500Calls(t *testing.T) {
	t.Parallel()
	run, address := listen(t, "uas", "--calls", "500")
	sipp := testpeer.SIPp(t, "-sn", "uac", "-i", "127.0.0.1", "-r", "200", "-m", "500", "-trace_err", address)
	if code := sipp.Wait(t, runLimit); code != 0 {
		t.Errorf("sipp ended with %d", code)
	}
	wantNoSIPpComplaint(t, sipp)
	run.end(t, 0)
	run.wantOutcomes(t, map[string]int{"success": 500})
}

// wantNoSIPpComplaint reads sipp's final screen: no failed call, no unexpected message.
func wantNoSIPpComplaint(t *testing.T, sipp *testpeer.Process) {
	t.Helper()
	screen := sipp.Output()
	for _, line := range strings.Split(screen, "\n") {
		if fields := strings.Split(line, "|"); strings.Contains(line, "Failed call") && len(fields) == 3 && strings.TrimSpace(fields[2]) != "0" {
			t.Errorf("sipp counts failed calls: %s", line)
		}
	}
	if !strings.Contains(screen, "Successful call") {
		t.Errorf("no final screen in sipp's output:\n%s", screen)
	}
}

func TestToneComesBackFromSIPpsEcho(t *testing.T) {
	t.Parallel()
	port, mediaPort := testpeer.FreeUDPPort(t), testpeer.FreeMediaPort(t)
	testpeer.SIPp(t, "-sn", "uas", "-i", "127.0.0.1", "-p", fmt.Sprint(port),
		"-rtp_echo", "-mi", "127.0.0.1", "-mp", fmt.Sprint(mediaPort))
	testpeer.WaitListening(t, port)
	run := start(t, "uac", fmt.Sprintf("127.0.0.1:%d", port), "--calls", "3", "--rate", "10",
		"--play", "tone:440", "--record-wav", "--hold", "1s")
	run.end(t, 0)
	for _, rec := range run.wantOutcomes(t, map[string]int{"success": 3}) {
		if rec.Recording == nil {
			t.Errorf("call %d has no recording", rec.CallNumber)
			continue
		}
		mediatest.Tones(t, filepath.Join(run.dir, *rec.Recording), 440)
	}
}
