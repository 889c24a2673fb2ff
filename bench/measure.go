package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// cpu is CPU time in microseconds per call.
type cpu struct{ user, system float64 }

// String shows both parts.
func (c cpu) String() string { return fmt.Sprintf("%.1f + %.1f", c.user, c.system) }

func (c cpu) total() float64 { return c.user + c.system }

// lateness is how much longer than its calls are started a measurement may take. A call that needs more has lost messages, and
// what is repeated spoils the figures.
const lateness = 10 * time.Second

// cpuPerCall runs one program in one role against sipp in the other, and returns its CPU per call.
func (s *settings) cpuPerCall(ctx context.Context, program, role string, rate int) (cpu, error) {
	calls := rate * s.seconds
	ctx, cancel := context.WithTimeout(ctx, time.Duration(s.seconds)*time.Second+lateness)
	defer cancel()
	p, err := s.startPair(ctx, program, role, load{calls: calls, rate: rate})
	if err != nil {
		return cpu{}, fmt.Errorf("%s as %s at %d calls/s: %w", program, role, rate, err)
	}
	defer p.kill()
	if err := p.wait(); err != nil {
		return cpu{}, fmt.Errorf("%s as %s at %d calls/s: %w", program, role, rate, err)
	}
	state := p.measured(role).ProcessState
	perCall := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(calls) }
	return cpu{perCall(state.UserTime()), perCall(state.SystemTime())}, nil
}

// heldRate is how many calls per second are started when calls are to be held: a rate that gives neither program trouble.
const heldRate = 2000

// memoryPerCall returns how many bytes each held call adds to the resident memory of a program: what it has with the calls held, less
// what it has with a single one.
func (s *settings) memoryPerCall(ctx context.Context, program, role string) (float64, error) {
	one, err := s.memoryHolding(ctx, program, role, 1)
	if err != nil {
		return 0, err
	}
	all, err := s.memoryHolding(ctx, program, role, s.held)
	if err != nil {
		return 0, err
	}
	return float64(all-one) / float64(s.held-1), nil
}

// memoryHolding is the resident memory of a program in bytes while it holds that many calls.
func (s *settings) memoryHolding(ctx context.Context, program, role string, calls int) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(calls/heldRate)*time.Second+time.Minute)
	defer cancel()
	p, err := s.startPair(ctx, program, role, load{calls: calls, rate: heldRate, hold: time.Hour})
	if err != nil {
		return 0, fmt.Errorf("%s as %s holding %d calls: %w", program, role, calls, err)
	}
	defer p.kill()
	// The caller has sent its last ACK soon after the last start; nothing announces that in both programs.
	select {
	case <-time.After(time.Duration(calls)*time.Second/heldRate + 2*time.Second):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if err := p.running(); err != nil {
		return 0, fmt.Errorf("%s as %s holding %d calls: %w", program, role, calls, err)
	}
	return residentMemory(p.measured(role).Process.Pid)
}

// residentMemory reads VmRSS of a process, in bytes.
func residentMemory(pid int) (int, error) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kilobytes, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
			return kilobytes << 10, err
		}
	}
	return 0, errors.New("the kernel shows no VmRSS")
}
