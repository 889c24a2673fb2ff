package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite what is made from the code")

const resultsDoc = "../../docs/results.md"

func TestExitCodesAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(resultsDoc)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- exit codes begin -->\n", "<!-- exit codes end -->"
	before, rest, found := bytes.Cut(text, []byte(begin))
	_, after, foundEnd := bytes.Cut(rest, []byte(end))
	if !found || !foundEnd {
		t.Fatalf("%s has lost its marks", resultsDoc)
	}
	var table strings.Builder
	table.WriteString("| code | meaning |\n| --- | --- |\n")
	for _, c := range exitCodes() {
		fmt.Fprintf(&table, "| %d | %s |\n", c.Code, c.Meaning)
	}
	want := string(before) + begin + table.String() + end + string(after)
	if *update {
		if err := os.WriteFile(resultsDoc, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(text) != want {
		t.Errorf("%s is stale: run go test ./cmd/gossipper -run Documented -update", resultsDoc)
	}
}

func TestExitCodeOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		err  error
		want ExitCode
	}{
		{"none", nil, ExitOK},
		{"of a command", exitf(ExitBind, "in use"), ExitBind},
		{"wrapped", fmt.Errorf("start: %w", exitf(ExitFatal, "broken")), ExitFatal},
		{"joined", errors.Join(exitf(ExitFatal, "first"), exitf(ExitBind, "second")), ExitFatal},
		{"of the parser", errors.New("unknown flag"), ExitUsage},
	} {
		if got := exitCodeOf(c.err); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	if exit(ExitFatal, nil) != nil {
		t.Error("no error became one")
	}
}
