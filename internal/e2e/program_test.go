package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gossipper/gossipper/internal/testpeer"
)

// runLimit bounds one run of the program in these tests.
const runLimit = 90 * time.Second

// program is the built binary's path. TestMain sets it once, before any test.
var program string

func TestMain(m *testing.M) {
	if err := build(); err != nil {
		log.Fatal(err) //nolint:forbidigo // a TestMain has no other way to fail
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(filepath.Dir(program))
		os.Exit(code) //nolint:forbidigo // goleak leaves the end to its Cleanup
	}))
}

// build builds the program into a directory of its own.
func build() error {
	dir, err := os.MkdirTemp("", "gossipper-e2e-")
	if err != nil {
		return err
	}
	program = filepath.Join(dir, "gossipper")
	out, err := exec.Command("go", "build", "-o", program, "github.com/gossipper/gossipper/cmd/gossipper").CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// run is one run of the program: the process and its run directory.
type run struct {
	*testpeer.Process
	dir string
}

// start runs "gossipper run" with a run directory of its own.
func start(t *testing.T, args ...string) *run {
	t.Helper()
	return startIn(t, t.TempDir(), args...)
}

// startIn does so in a working directory that holds the run's files.
func startIn(t *testing.T, dir string, args ...string) *run {
	t.Helper()
	out := filepath.Join(dir, fmt.Sprintf("run-%d", time.Now().UnixNano()))
	args = append([]string{"run", "--out", out, "--progress", "plain"}, args...)
	return &run{Process: testpeer.Start(t, dir, program, args...), dir: out}
}

// listen starts a UAS and returns it with its address.
func listen(t *testing.T, args ...string) (*run, string) {
	t.Helper()
	r := start(t, append([]string{"--local", "127.0.0.1:0"}, args...)...)
	return r, r.address(t)
}

// address waits until the UAS says where it listens.
func (r *run) address(t *testing.T) string {
	t.Helper()
	const announcement = "listening on udp "
	r.WaitOutput(t, announcement)
	_, rest, _ := strings.Cut(r.Output(), announcement)
	return strings.Fields(rest)[0]
}

// end waits for the run and checks its exit code.
func (r *run) end(t *testing.T, want int) {
	t.Helper()
	if code := r.Wait(t, runLimit); code != want {
		t.Fatalf("gossipper ended with %d, want %d; it printed:\n%s", code, want, r.Output())
	}
}

// record is what these tests read of a call record.
type record struct {
	CallID     string    `json:"call_id"`
	CallNumber int       `json:"call_number"`
	StartedAt  time.Time `json:"started_at"`
	Outcome    string    `json:"outcome"`
	ErrorCode  *string   `json:"error_code"`
	FailStage  *string   `json:"fail_stage"`
	Reason     *string   `json:"reason"`
	MediaKind  string    `json:"media_kind"`
	SIP        struct {
		FinalStatus      *int     `json:"final_status"`
		SetupMS          *float64 `json:"setup_ms"`
		MessagesSent     int      `json:"messages_sent"`
		MessagesReceived int      `json:"messages_received"`
		Retransmissions  int      `json:"retransmissions"`
	} `json:"sip"`
	Media *struct {
		PacketsSent     int `json:"packets_sent"`
		PacketsReceived int `json:"packets_received"`
	} `json:"media"`
	WebRTC *struct {
		ICEConnection string   `json:"ice_connection"`
		TURNAuth      string   `json:"turn_auth"`
		GatherMS      *float64 `json:"gather_ms"`
		SelectedPair  *struct {
			Local, Remote struct{ Type string }
		} `json:"selected_pair"`
		Timeline []struct {
			AtMS  float64 `json:"t_ms"`
			Event string
		}
	} `json:"webrtc"`
	Recording *string `json:"recording"`
}

// records reads the call records of the run.
func (r *run) records(t *testing.T) []record {
	t.Helper()
	file, err := os.Open(filepath.Join(r.dir, "call_records.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []record
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var rec record
		if err := json.Unmarshal(lines.Bytes(), &rec); err != nil {
			t.Fatalf("%v in %s", err, lines.Text())
		}
		all = append(all, rec)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// wantOutcomes checks how the run's calls ended.
func (r *run) wantOutcomes(t *testing.T, want map[string]int) []record {
	t.Helper()
	all := r.records(t)
	got := map[string]int{}
	for _, rec := range all {
		got[rec.Outcome]++
		if want[rec.Outcome] == 0 {
			t.Errorf("call %d ended as %s: %s %s", rec.CallNumber, rec.Outcome, text(rec.ErrorCode), text(rec.Reason))
		}
	}
	for outcome, n := range want {
		if got[outcome] != n {
			t.Errorf("%d calls ended as %s, want %d", got[outcome], outcome, n)
		}
	}
	return all
}

func text(s *string) string {
	if s == nil {
		return "(null)"
	}
	return *s
}

// messages are the counters of the run under the names that the summary has for them.
type messages struct {
	Sent            int `json:"sent"`
	Received        int `json:"received"`
	Retransmissions int `json:"retransmissions"`
}

// summary is what these tests read of summary.json.
type summary struct {
	StartsMissed int `json:"starts_missed"`
	Messages     struct {
		messages
		DeadCall int `json:"dead_call"`
	} `json:"messages"`
}

// summary reads the run's summary.
func (r *run) summary(t *testing.T) summary {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(r.dir, "summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	var s summary
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return s
}
