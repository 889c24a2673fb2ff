package main

import (
	"errors"
	"fmt"
)

// ExitCode is what the program says to its caller when it ends. Up to 99 and from 253 they are SIPp's.
type ExitCode int

// The exit codes.
const (
	ExitOK        ExitCode = 0
	ExitFailed    ExitCode = 1
	ExitThreshold ExitCode = 2
	ExitUsage     ExitCode = 64
	ExitNoCalls   ExitCode = 97
	ExitInfo      ExitCode = 99
	ExitMedia     ExitCode = 253
	ExitBind      ExitCode = 254
	ExitFatal     ExitCode = 255
)

// exitCodes is the table that docs/results.md shows.
func exitCodes() []struct {
	Code    ExitCode
	Meaning string
} {
	return []struct {
		Code    ExitCode
		Meaning string
	}{
		{ExitOK, "everything went well: every call succeeded"},
		{ExitFailed, "at least one call failed; for `lint` and `turn check`: something is wrong with what was checked"},
		{ExitThreshold, "a threshold of the run was crossed (not used yet)"},
		{ExitUsage, "the command line, the profile or the scenario is wrong; nothing was started"},
		{ExitNoCalls, "the run ended without a single call"},
		{ExitInfo, "as SIPp after printing help or version (not used yet)"},
		{ExitMedia, "as SIPp after a failed check of RTP (not used yet)"},
		{ExitBind, "the address to listen on cannot be used, for example because another program does"},
		{ExitFatal, "the run could not go on, or its results could not be written"},
	}
}

// exitError is an error with the exit code that it leads to.
type exitError struct {
	code ExitCode
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }

func (e *exitError) Unwrap() error { return e.err }

// exit wraps an error with its exit code; nil stays nil.
func exit(code ExitCode, err error) error {
	if err == nil {
		return nil
	}
	return &exitError{code, err}
}

func exitf(code ExitCode, format string, args ...any) error {
	return exit(code, fmt.Errorf(format, args...))
}

// errSilent is wrapped when everything has been said already.
var errSilent = errors.New("")

// exitCodeOf returns the exit code of a command's error. What has none comes from the command line's parser.
func exitCodeOf(err error) ExitCode {
	if err == nil {
		return ExitOK
	}
	var e *exitError
	if errors.As(err, &e) {
		return e.code
	}
	return ExitUsage
}
