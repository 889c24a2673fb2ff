package main

import (
	"io"
	"os"
	"strings"
	"time"
)

// Env is the process as the commands see it. Tests give them another one.
type Env struct {
	Args   []string // without the program's name
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	// Environ has the form of os.Environ.
	Environ []string
	// Signals delivers the requests to end: the first one lets running calls finish, the second one ends them.
	Signals <-chan os.Signal
	// Terminal tells that Stderr is a terminal; Width is its number of columns.
	Terminal bool
	Width    func() int
	Now      func() time.Time
}

// Getenv returns the value of an environment variable, or nothing.
func (e *Env) Getenv(name string) string {
	value := ""
	for _, entry := range e.Environ {
		if rest, found := strings.CutPrefix(entry, name+"="); found {
			value = rest // the last one counts
		}
	}
	return value
}
