package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// summarize runs go test over a module with the given file and summarizes what it says.
func summarize(t *testing.T, source string, alsoFailed ...string) (output string, code int) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"go.mod": "module example.test/m\n\ngo 1.26\n", "m_test.go": source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(t.Context(), "go", "test", "-json", "./...")
	command.Dir = dir
	// The exit code is not looked at: it says no more than the events.
	events, _ := command.Output()
	var out bytes.Buffer
	code = run(bytes.NewReader(events), &out, alsoFailed)
	return out.String(), code
}

func TestSummary(t *testing.T) {
	t.Parallel()
	const head = "package m\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nvar _ = os.Exit\n\n"
	for _, c := range []struct {
		name, source string
		alsoFailed   []string
		code         int
		last         string
		contains     []string
	}{
		{
			name:   "all pass",
			source: head + `func TestA(t *testing.T) { t.Run("x", func(*testing.T) {}) }`,
			last:   "2 passed, 0 failed, 0 skipped",
		},
		{
			name:     "one of each",
			source:   head + `func TestA(*testing.T) {}; func TestB(t *testing.T) { t.Skip("sipp is not installed") }; func TestC(t *testing.T) { t.Error("broken: 5") }`,
			code:     1,
			last:     "1 passed, 1 failed, 1 skipped",
			contains: []string{"  example.test/m TestB: sipp is not installed\n", "  example.test/m TestC\n", "broken: 5"},
		},
		{
			name: "does not compile", source: head + `func TestA(*testing.T) { x }`, code: 1, last: "0 passed, 1 failed, 0 skipped",
			contains: []string{"undefined: x", "  example.test/m\n"},
		},
		{
			name: "fails after the last test", code: 1, last: "1 passed, 1 failed, 0 skipped",
			source:   head + `func TestA(*testing.T) {}; func TestMain(m *testing.M) { m.Run(); println("leak"); os.Exit(1) }`,
			contains: []string{"leak"},
		},
		{
			name: "a test ends the process", source: head + `func TestA(*testing.T) {}; func TestB(*testing.T) { os.Exit(3) }`,
			code: 1, last: "1 passed, 1 failed, 0 skipped", contains: []string{"TestB"},
		},
		{
			name: "panic", source: head + `func TestA(*testing.T) { var m map[int]int; m[1] = 1 }`, code: 1,
			last: "0 passed, 1 failed, 0 skipped", contains: []string{"assignment to entry in nil map"},
		},
		{name: "no tests", source: "package m\n", code: 1, last: "0 passed, 0 failed, 0 skipped"},
		{
			name: "an earlier step failed", source: head + `func TestA(*testing.T) {}`, alsoFailed: []string{"lint"}, code: 1,
			last: "1 passed, 1 failed, 0 skipped", contains: []string{"  step lint\n"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			output, code := summarize(t, c.source, c.alsoFailed...)
			lines := strings.Split(strings.TrimSpace(output), "\n")
			if code != c.code || lines[len(lines)-1] != c.last {
				t.Errorf("code %d, last line %q; want %d, %q", code, lines[len(lines)-1], c.code, c.last)
			}
			for _, part := range c.contains {
				if !strings.Contains(output, part) {
					t.Errorf("%q is missing", part)
				}
			}
			if t.Failed() {
				t.Log(output)
			}
		})
	}
}

func TestOutputThatIsNotJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if code := run(strings.NewReader("ok example 0.1s\n"), &out, nil); code != 2 || !strings.Contains(out.String(), "line 1") {
		t.Errorf("code %d: %s", code, out.String())
	}
}

func TestCutOffInput(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	const events = `{"Action":"run","Package":"p","Test":"TestA"}` + "\n" + `{"Action":"pass","Package":"p","Test":"TestA"}` + "\n" +
		`{"Action":"run","Package":"p","Test":"TestB"}` + "\n"
	if code := run(strings.NewReader(events), &out, nil); code != 1 || !strings.HasSuffix(out.String(), "1 passed, 1 failed, 0 skipped\n") {
		t.Errorf("code %d: %s", code, out.String())
	}
}
