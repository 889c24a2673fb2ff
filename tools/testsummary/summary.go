package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxLine bounds one line of input, in bytes: go test cuts output into events far shorter than this.
const maxLine = 16 << 20

// event is one line of go test -json (go doc test2json).
type event struct {
	Action      string
	Package     string
	ImportPath  string // of build events
	Test        string
	Elapsed     float64 // seconds
	Output      string
	FailedBuild string
}

// test names a test; name is empty for what a package prints outside of tests.
type test struct{ pkg, name string }

// failure is something that failed, with what it printed.
type failure struct{ name, output string }

// skip is a test that was skipped, with its reason.
type skip struct{ name, reason string }

// summary collects the results.
type summary struct {
	out     io.Writer
	passed  int
	failed  []failure
	skipped []skip
	// output of what has not ended yet, or has failed.
	output map[test]*strings.Builder
	// builds are the messages of the compiler, by the import path of what did not compile.
	builds  map[string]*strings.Builder
	running map[test]bool
	// failedTests counts the failed tests of each package.
	failedTests map[string]int
}

func newSummary(out io.Writer) *summary {
	return &summary{
		out: out, output: map[test]*strings.Builder{}, builds: map[string]*strings.Builder{},
		running: map[test]bool{}, failedTests: map[string]int{},
	}
}

func (s *summary) read(in io.Reader) error {
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, maxLine)
	for n := 1; scanner.Scan(); n++ {
		var e event
		if err := json.Unmarshal(scanner.Bytes(), &e); err != nil {
			return fmt.Errorf("line %d is not an event of go test -json: %.200s", n, scanner.Text())
		}
		s.take(&e)
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("cannot read the events: %w", err)
	}
	return nil
}

func (s *summary) take(e *event) {
	id := test{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		text(s.builds, e.ImportPath).WriteString(e.Output)
	case "output":
		text(s.output, id).WriteString(e.Output)
	case "run":
		s.running[id] = true
	case "pass", "fail", "skip":
		delete(s.running, id)
		if e.Test == "" {
			s.endPackage(e, id)
		} else {
			s.endTest(e.Action, id)
		}
	}
}

func text[K comparable](texts map[K]*strings.Builder, key K) *strings.Builder {
	if texts[key] == nil {
		texts[key] = &strings.Builder{}
	}
	return texts[key]
}

func (s *summary) endTest(action string, id test) {
	output := text(s.output, id).String()
	delete(s.output, id)
	name := id.pkg + " " + id.name
	switch action {
	case "pass":
		s.passed++
	case "skip":
		s.skipped = append(s.skipped, skip{name, reason(output)})
	default:
		s.failedTests[id.pkg]++
		s.fail(name, output)
	}
}

// endPackage reports a package, and counts a failure that belongs to none of its tests.
func (s *summary) endPackage(e *event, id test) {
	if e.Action == "fail" {
		s.abandoned(e.Package)
		if s.failedTests[e.Package] == 0 {
			s.fail(e.Package, text(s.builds, e.FailedBuild).String()+text(s.output, id).String())
		}
	}
	delete(s.output, id)
	words := map[string]string{"pass": "ok", "fail": "FAIL", "skip": "no tests"}
	fmt.Fprintf(s.out, "%-8s %s (%.1fs)\n", words[e.Action], e.Package, e.Elapsed)
}

// abandoned counts the tests of a package that began and never ended; of all packages, if the name is empty.
func (s *summary) abandoned(pkg string) {
	var left []test
	for id := range s.running {
		if id.pkg == pkg || pkg == "" {
			left = append(left, id)
		}
	}
	slices.SortFunc(left, func(a, b test) int { return strings.Compare(a.pkg+" "+a.name, b.pkg+" "+b.name) })
	for _, id := range left {
		delete(s.running, id)
		output := text(s.output, id).String()
		if outside := s.output[test{pkg: id.pkg}]; outside != nil {
			output += outside.String()
			delete(s.output, test{pkg: id.pkg})
		}
		s.failedTests[id.pkg]++
		s.fail(id.pkg+" "+id.name+" (did not end)", output)
	}
}

func (s *summary) fail(name, output string) {
	s.failed = append(s.failed, failure{name, output})
	fmt.Fprintf(s.out, "FAIL     %s\n%s\n", name, strings.TrimRight(indent(output), "\n"))
}

func indent(output string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(output, "\n"), "\n", "\n    ")
}

// reason finds what a test gave to Skip: the lines between the marks of go test, without the place in the source.
func reason(output string) string {
	var words []string
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "=== ") || strings.HasPrefix(line, "--- ") {
			continue
		}
		if file, rest, found := strings.Cut(line, ": "); found && strings.Contains(file, ".go:") {
			line = rest
		}
		words = append(words, line)
	}
	if len(words) == 0 {
		return "no reason given"
	}
	return strings.Join(words, " ")
}

// finish prints what was skipped, what failed, and the totals.
func (s *summary) finish() {
	s.abandoned("")
	if len(s.skipped) > 0 {
		fmt.Fprintln(s.out, "\nSkipped:")
	}
	for _, skipped := range s.skipped {
		fmt.Fprintf(s.out, "  %s: %s\n", skipped.name, skipped.reason)
	}
	if len(s.failed) > 0 {
		fmt.Fprintln(s.out, "\nFailed:")
	}
	for _, failed := range s.failed {
		fmt.Fprintf(s.out, "  %s\n", failed.name)
	}
	fmt.Fprintf(s.out, "\n%d passed, %d failed, %d skipped\n", s.passed, len(s.failed), len(s.skipped))
}
