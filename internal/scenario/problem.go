package scenario

import (
	"strconv"
	"strings"

	"github.com/gossipper/gossipper/internal/template"
)

// Severity says whether a Problem keeps the scenario from being run.
type Severity = template.Severity

// The severities.
const (
	Error   = template.Error
	Warning = template.Warning
)

// Problem is a mistake in a scenario file.
type Problem struct {
	File     string
	Line     int // from 1
	Severity Severity
	Text     string // what is wrong
	Hint     string // what would be right; may be empty
}

// String returns "file:line: text: hint", and "file:line: warning: text: hint" for a warning.
func (p Problem) String() string {
	s := p.File + ":" + strconv.Itoa(p.Line) + ": "
	if p.Severity == Warning {
		s += "warning: "
	}
	s += p.Text
	if p.Hint != "" {
		s += ": " + p.Hint
	}
	return s
}

// ParseError is all that is wrong with a scenario file, in the order of the lines.
type ParseError struct {
	// Problems holds at least one error; warnings are among them.
	Problems []Problem
}

// Error returns one problem per line.
func (e *ParseError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}
