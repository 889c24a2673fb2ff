// Package testpeer starts the real programs that tests talk to: sipp and coturn, on loopback and on ports that the system chooses.
//
// It is for tests only. A program that is not installed skips the test and names the Debian package that brings it; every
// process is ended, and waited for, when the test ends.
package testpeer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// deadline bounds every wait for a peer: long enough for a busy machine, short enough to fail a test.
const deadline = 30 * time.Second

// Process is a program started by a test.
type Process struct {
	cmd    *exec.Cmd
	output *log
	done   chan struct{}
	err    error
}

// startInstalled runs a program of a Debian package in dir until the test ends. It skips the test where the program is missing.
func startInstalled(t testing.TB, dir, program, debianPackage string, args ...string) *Process {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not installed (Debian package %s)", program, debianPackage)
	}
	return Start(t, dir, path, args...)
}

// Start runs the program at path in dir until it ends, or the test does.
func Start(t testing.TB, dir, path string, args ...string) *Process {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	cmd.Dir = dir
	p := &Process{cmd: cmd, output: newLog(), done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.output, p.output
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatalf("start %s: %v", path, err)
	}
	go func() {
		p.err = cmd.Wait()
		p.output.close()
		close(p.done)
	}()
	t.Cleanup(func() {
		cancel()
		<-p.done
		if t.Failed() {
			t.Logf("output of %s:\n%s", path, p.Output())
		}
	})
	return p
}

// Wait waits for the program to end by itself and returns its exit code.
func (p *Process) Wait(t testing.TB, limit time.Duration) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(limit):
		t.Fatalf("%s has not ended after %v", p.cmd.Path, limit)
	}
	var exit *exec.ExitError
	if p.err != nil && !errors.As(p.err, &exit) {
		t.Fatalf("%s: %v", p.cmd.Path, p.err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Signal sends the program a signal.
func (p *Process) Signal(t testing.TB, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatalf("%v to %s: %v", s, p.cmd.Path, err)
	}
}

// Output is what the program has printed so far.
func (p *Process) Output() string { return p.output.String() }

// WaitOutput waits until the program has printed text.
func (p *Process) WaitOutput(t testing.TB, text string) {
	t.Helper()
	if !p.output.waitFor(text, deadline) {
		t.Fatalf("%s has not printed %q; it printed:\n%s", p.cmd.Path, text, p.Output())
	}
}

// FreeUDPPort returns a UDP port of 127.0.0.1 that is free, and that the system just chose.
func FreeUDPPort(t testing.TB) int {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return conn.LocalAddr().(*net.UDPAddr).Port
}

// FreeMediaPort returns an even UDP port of 127.0.0.1 that sipp can be given for its media (-mp): it is free, and so is the one for
// video, two above.
func FreeMediaPort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := FreeUDPPort(t) &^ 1
		if free(port) && free(port+2) {
			return port
		}
	}
	t.Fatal("found no pair of free UDP ports")
	return 0
}

func free(port int) bool {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// WaitListening waits until some program has bound the UDP port. It reads the kernel's table (Linux), because sipp says nothing
// when it is ready, and a probe would be a message to it.
func WaitListening(t testing.TB, port int) {
	t.Helper()
	entry := fmt.Sprintf(":%04X ", port)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(deadline)
	for {
		table, err := os.ReadFile("/proc/net/udp")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(table), entry) {
			return
		}
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatalf("nothing listens on UDP port %d after %v", port, deadline)
		}
	}
}

// BlackHole returns the address of a UDP socket that takes every packet and never answers, as a dead server behind a
// firewall does.
func BlackHole(t testing.TB) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// log keeps what a program prints and lets a test wait for a text in it.
type log struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	changed chan struct{}
	closed  bool
}

func newLog() *log { return &log{changed: make(chan struct{})} }

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.Write(b)
	l.notify()
	return len(b), nil
}

// notify wakes those who wait for a change. The lock is held.
func (l *log) notify() {
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *log) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.notify()
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *log) waitFor(text string, limit time.Duration) bool {
	timeout := time.After(limit)
	for {
		l.mu.Lock()
		found, closed, changed := bytes.Contains(l.buf.Bytes(), []byte(text)), l.closed, l.changed
		l.mu.Unlock()
		if found || closed {
			return found
		}
		select {
		case <-changed:
		case <-timeout:
			return false
		}
	}
}
