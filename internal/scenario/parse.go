package scenario

import (
	"io/fs"
)

// Parse reads a scenario. An error is a *ParseError: it names every mistake of the file at once.
//
// file is what messages call the file. dir resolves the files that the scenario names; if it is nil, they are not looked for.
func Parse(file string, data []byte, dir fs.FS) (*Scenario, error) {
	return nil, &ParseError{Problems: []Problem{{File: file, Line: 1, Severity: Error, Text: "empty"}}}
}
