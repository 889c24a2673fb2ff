// Command testsummary reads the output of go test -json, shows what matters of it as it comes, and ends with the tests that were
// skipped, those that failed, and one line with the totals:
//
//	go test -json ./... | testsummary
//
// Every test and every subtest counts as one. What fails outside of a test (a package that does not compile, a leak found after the
// last test, a test that never ended) counts as one failure. The exit code is 1 if anything failed or if no test ran, and 2 if the
// input is not what go test writes.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	alsoFailed := flag.String("also-failed", "", "names of steps, separated by spaces, that failed before and count as failures")
	flag.Parse()
	os.Exit(run(os.Stdin, os.Stdout, strings.Fields(*alsoFailed)))
}

func run(in io.Reader, out io.Writer, alsoFailed []string) int {
	s := newSummary(out)
	for _, step := range alsoFailed {
		s.failed = append(s.failed, failure{name: "step " + step})
	}
	if err := s.read(in); err != nil {
		fmt.Fprintf(out, "testsummary: %v\n", err)
		return 2
	}
	s.finish()
	if len(s.failed) > 0 || s.passed == 0 {
		return 1
	}
	return 0
}
