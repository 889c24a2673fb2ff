// Command gossipper is a SIP load generator that speaks WebRTC. See gossipper --help.
//
// This package is the only one that wires the others together, and the only one that touches arguments, environment, standard
// streams and signals: main puts them into an Env, and everything else takes them from there.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/term"
)

func main() {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	env := &Env{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Environ: os.Environ(), Signals: signals,
		Terminal: term.IsTerminal(int(os.Stderr.Fd())), Width: terminalWidth, Now: time.Now,
	}
	tune(env, os.DirFS("/"), debug.SetGCPercent, debug.SetMemoryLimit)
	os.Exit(run(context.Background(), env))
}

func terminalWidth() int {
	width, _, err := term.GetSize(int(os.Stderr.Fd()))
	if err != nil || width <= 0 {
		return 80
	}
	return width
}
