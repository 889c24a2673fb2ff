package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// socketBuffer is what both programs get, so that neither loses datagrams for want of buffer.
const socketBuffer = "4000000"

// measure runs one program in one role against sipp in the other, and returns its CPU in microseconds per call.
func (s *settings) measure(ctx context.Context, program, role string, rate int) (float64, error) {
	dir, err := os.MkdirTemp("", "gossipper-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	port, err := freePort()
	if err != nil {
		return 0, err
	}
	calls := rate * s.seconds
	ctx, cancel := context.WithTimeout(ctx, time.Duration(s.seconds)*time.Second+time.Minute)
	defer cancel()

	callee := s.command(ctx, dir, "sipp", "uas", port, rate, calls)
	caller := s.command(ctx, dir, "sipp", "uac", port, rate, calls)
	measured := caller
	if role == "uac" {
		caller = s.command(ctx, dir, program, "uac", port, rate, calls)
		measured = caller
	} else {
		callee = s.command(ctx, dir, program, "uas", port, rate, calls)
		measured = callee
	}
	if err := runPair(ctx, callee, caller, port); err != nil {
		return 0, err
	}
	state := measured.ProcessState
	return float64((state.UserTime() + state.SystemTime()).Microseconds()) / float64(calls), nil
}

// command builds the command line of one side.
func (s *settings) command(ctx context.Context, dir, program, role string, port, rate, calls int) *exec.Cmd {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	var args []string
	if program == "sipp" {
		program = s.sipp
		args = []string{"-sn", role, "-nostdin", "-i", "127.0.0.1", "-buff_size", socketBuffer, "-m", strconv.Itoa(calls), "-deadcall_wait", "0"}
		if role == "uac" {
			args = append(args, "-r", strconv.Itoa(rate), "-l", strconv.Itoa(calls), address)
		} else {
			args = append(args, "-p", strconv.Itoa(port))
		}
	} else {
		program = s.gossipper
		args = []string{"run", role, "--progress", "none", "--out", filepath.Join(dir, "run"), "--calls", strconv.Itoa(calls)}
		if role == "uac" {
			args = append(args, address, "--rate", strconv.Itoa(rate), "--limit", strconv.Itoa(calls))
		} else {
			args = append(args, "--local", address)
		}
	}
	if abs, err := filepath.Abs(program); err == nil {
		program = abs
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	return cmd
}

// runPair starts the callee, waits until it listens, runs the caller, and waits for both.
func runPair(ctx context.Context, callee, caller *exec.Cmd, port int) error {
	var calleeOut, callerOut bytes.Buffer
	callee.Stdout, callee.Stderr = &calleeOut, &calleeOut
	caller.Stdout, caller.Stderr = &callerOut, &callerOut
	if err := callee.Start(); err != nil {
		return err
	}
	if err := waitListening(ctx, port); err != nil {
		_ = callee.Process.Kill()
		_ = callee.Wait()
		return fmt.Errorf("%s does not listen: %w\n%s", callee.Path, err, calleeOut.String())
	}
	if err := caller.Run(); err != nil {
		_ = callee.Process.Kill()
		_ = callee.Wait()
		return fmt.Errorf("%w\n%s", err, callerOut.String())
	}
	if err := callee.Wait(); err != nil {
		return fmt.Errorf("%w\n%s", err, calleeOut.String())
	}
	return nil
}

// waitListening waits until the UDP port is bound. It asks the kernel's table instead of trying to bind, which could take the
// port away from the program at the wrong moment.
func waitListening(ctx context.Context, port int) error {
	entry := fmt.Sprintf(":%04X ", port)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		table, err := os.ReadFile("/proc/net/udp")
		if err != nil || strings.Contains(string(table), entry) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func freePort() (int, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).Port, nil
}
