package e2e

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/sip"
)

// answerer is a callee that answers everything with 200, and notes when it answered the BYE of each call.
type answerer struct {
	conn *net.UDPConn
	// acked gets a value for each ACK, as long as it has room.
	acked chan struct{}
	mu    sync.Mutex
	over  map[string]time.Time
}

func startAnswerer(t *testing.T) *answerer {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	a := &answerer{conn: conn, acked: make(chan struct{}, 100), over: make(map[string]time.Time)}
	var reader sync.WaitGroup
	reader.Go(a.run)
	t.Cleanup(func() { _ = conn.Close(); reader.Wait() })
	return a
}

func (a *answerer) run() {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := a.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		v, err := sip.ParseView(buf[:n])
		if err != nil {
			continue
		}
		if string(v.Method()) == "ACK" {
			select {
			case a.acked <- struct{}{}:
			default:
			}
			continue
		}
		if id := string(v.CallID()); string(v.Method()) == "BYE" {
			a.mu.Lock()
			if a.over[id].IsZero() {
				a.over[id] = time.Now()
			}
			a.mu.Unlock()
		}
		answer := sip.AppendResponse(nil, &v, 200, "OK", "Contact: <sip:callee@"+a.conn.LocalAddr().String()+">")
		_, _ = a.conn.WriteToUDPAddrPort(answer, from)
	}
}

// waitForLines waits until the file has so many lines.
func waitForLines(t *testing.T, path string, want int) {
	t.Helper()
	deadline := time.After(runLimit)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		data, err := os.ReadFile(path)
		if err == nil && bytes.Count(data, []byte{'\n'}) >= want {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s has %d lines after %v, want %d (%v)", path, bytes.Count(data, []byte{'\n'}), runLimit, want, err)
		}
	}
}

// TestKilledRunLeavesTheRecordsOfItsCalls kills the program in the middle of a run: only the calls that ended in the last moment may
// be missing, and at most one line may be cut.
func TestKilledRunLeavesTheRecordsOfItsCalls(t *testing.T) {
	t.Parallel()
	// lag is what a record may take to reach the file: 20 ms, and what a busy machine adds.
	const lag = 500 * time.Millisecond
	callee := startAnswerer(t)
	uac := start(t, "uac", callee.conn.LocalAddr().String(), "--calls", "100000", "--rate", "200", "--hold", "10ms")
	path := filepath.Join(uac.dir, "call_records.jsonl")
	waitForLines(t, path, 300)
	killed := time.Now()
	uac.Signal(t, syscall.SIGKILL)
	if code := uac.Wait(t, runLimit); code != -1 {
		t.Fatalf("the program ended with %d, want it killed", code)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(data, []byte{'\n'})
	lines = lines[:len(lines)-1] // empty, or cut
	recorded := make(map[string]bool, len(lines))
	callee.mu.Lock()
	defer callee.mu.Unlock()
	for _, line := range lines {
		var rec record
		if err := json.Unmarshal(line, &rec); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		if rec.Outcome != "success" || recorded[rec.CallID] || callee.over[rec.CallID].IsZero() {
			t.Errorf("the record of call %d, %s, is wrong or there twice: %s", rec.CallNumber, rec.CallID, line)
		}
		recorded[rec.CallID] = true
	}
	missing := 0
	for id, at := range callee.over {
		if !recorded[id] && killed.Sub(at) > lag {
			missing++
		}
	}
	if missing > 0 {
		t.Errorf("%d calls that ended more than %v before the kill are not among the %d in the file", missing, lag, len(recorded))
	}
	if _, err := os.Stat(filepath.Join(uac.dir, "summary.json")); err == nil {
		t.Error("a killed run left a summary")
	}
}
