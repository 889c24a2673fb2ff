package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gossipper/gossipper/internal/record"
	"github.com/gossipper/gossipper/internal/report"
	"github.com/gossipper/gossipper/internal/schematest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// programLimit bounds one run of the program in a test.
const programLimit = 60 * time.Second

// program is one command line, run in this process.
type program struct {
	env            Env
	stdout, stderr output
	signals        chan os.Signal
	code           int
	done           chan struct{}
}

// output is a writer that a test can wait on.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{} // closed and renewed by each Write
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.changed != nil {
		close(o.changed)
		o.changed = nil
	}
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// next returns the text, and a channel that is closed when there is more.
func (o *output) next() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.changed == nil {
		o.changed = make(chan struct{})
	}
	return o.text.String(), o.changed
}

// wait waits until the text contains part.
func (o *output) wait(t *testing.T, p *program, part string) string {
	t.Helper()
	limit := time.NewTimer(programLimit)
	defer limit.Stop()
	for {
		text, changed := o.next()
		if strings.Contains(text, part) {
			return text
		}
		select {
		case <-changed:
		case <-p.done:
			if text := o.String(); strings.Contains(text, part) {
				return text
			}
			t.Fatalf("the program ended with %d and never said %q:\n%s\n%s", p.code, part, p.stdout.String(), p.stderr.String())
		case <-limit.C:
			t.Fatalf("the program never said %q:\n%s\n%s", part, p.stdout.String(), p.stderr.String())
		}
	}
}

// launch starts a command line.
func launch(t *testing.T, args ...string) *program {
	t.Helper()
	return launchWith(t, nil, args...)
}

// launchWith starts a command line in an environment.
func launchWith(t *testing.T, environ []string, args ...string) *program {
	t.Helper()
	p := &program{signals: make(chan os.Signal, 4), done: make(chan struct{})}
	p.env = Env{
		Args: args, Stdin: strings.NewReader(""), Stdout: &p.stdout, Stderr: &p.stderr, Environ: environ, Signals: p.signals,
		Width: func() int { return 100 }, Now: time.Now,
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(p.done)
		p.code = run(ctx, &p.env)
	}()
	t.Cleanup(func() {
		cancel()
		<-p.done
	})
	return p
}

// end waits for the program and checks its exit code.
func (p *program) end(t *testing.T, want ExitCode) *program {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(programLimit):
		t.Fatalf("the program does not end; it said\n%s\n%s", p.stdout.String(), p.stderr.String())
	}
	if p.code != int(want) {
		t.Fatalf("%v: exit code %d, want %d; it said\n%s\n%s", p.env.Args, p.code, want, p.stdout.String(), p.stderr.String())
	}
	return p
}

// side is one side of a call: a run with a directory of its own.
type side struct {
	*program
	dir string
}

// launchRun starts "gossipper run" with a new run directory.
func launchRun(t *testing.T, args ...string) *side {
	t.Helper()
	return launchRunWith(t, nil, args...)
}

func launchRunWith(t *testing.T, environ []string, args ...string) *side {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	return &side{launchWith(t, environ, append([]string{"run", "--out", dir, "--progress", "none"}, args...)...), dir}
}

// listen starts a UAS and returns it with its address.
func listen(t *testing.T, args ...string) (*side, string) {
	t.Helper()
	s := launchRun(t, append([]string{"--local", "127.0.0.1:0"}, args...)...)
	return s, s.address(t)
}

func (s *side) address(t *testing.T) string {
	t.Helper()
	const announcement = "listening on udp "
	_, rest, _ := strings.Cut(s.stdout.wait(t, s.program, announcement), announcement)
	return strings.Fields(rest)[0]
}

// records returns the call records, each checked against its schema.
func (s *side) records(t *testing.T) []*record.Record {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "call_records.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		schematest.Validate(t, "call_record", line)
	}
	var all []*record.Record
	if err := record.Read(bytes.NewReader(text), func(r *record.Record) error { all = append(all, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

// summary returns the summary, checked against its schema, as is job.json.
func (s *side) summary(t *testing.T) *report.Summary {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	schematest.Validate(t, "summary", text)
	job, err := os.ReadFile(filepath.Join(s.dir, "job.json"))
	if err != nil {
		t.Fatal(err)
	}
	schematest.Validate(t, "job", job)
	summary := &report.Summary{}
	if err := json.Unmarshal(text, summary); err != nil {
		t.Fatal(err)
	}
	return summary
}

// writeFile writes a file into a new directory and returns its path.
func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
