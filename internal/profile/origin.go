package profile

import (
	"fmt"
	"slices"
	"strings"
)

// Origin is the place where a value was given.
type Origin struct {
	Kind OriginKind
	// Name is the file, the environment variable or the flag; empty for a default.
	Name string
	// Line and Column count from 1; they are 0 unless Kind is FromFile.
	Line, Column int
	// Lacking says why what was given there is not known. It is empty for a value that is.
	Lacking string
}

// OriginKind says which layer a value comes from.
type OriginKind uint8

// The layers, from the weakest to the strongest.
const (
	FromDefault OriginKind = iota
	FromFile
	FromEnvironment
	FromFlag
)

// String returns file:line:column, $NAME, the flag, or default.
func (o Origin) String() string {
	switch o.Kind {
	case FromFile:
		return fmt.Sprintf("%s:%d:%d", o.Name, o.Line, o.Column)
	case FromEnvironment:
		return "$" + o.Name
	case FromFlag:
		return o.Name
	default:
		return "default"
	}
}

// Problem is one mistake, or one warning. It never holds a secret.
type Problem struct {
	Origin Origin
	// Path is the setting: load.rate, transports[1].ice_servers[0]. It is empty when no setting is meant.
	Path string
	Text string
}

// String returns "origin: path: text".
func (p Problem) String() string {
	parts := make([]string, 0, 3)
	if p.Origin.Kind == FromDefault {
		// What a default lacks, nobody wrote: there is no place to name.
		parts = append(parts, "configuration")
	} else {
		parts = append(parts, p.Origin.String())
	}
	if p.Path != "" {
		parts = append(parts, p.Path)
	}
	return strings.Join(append(parts, p.Text), ": ")
}

// Error is all that is wrong with a configuration, in the order file (by line), environment, flags.
type Error struct{ Problems []Problem }

// Error returns one problem per line.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		if a.Origin.Kind != b.Origin.Kind {
			return int(a.Origin.Kind) - int(b.Origin.Kind)
		}
		if a.Origin.Line != b.Origin.Line {
			return a.Origin.Line - b.Origin.Line
		}
		return a.Origin.Column - b.Origin.Column
	})
}
