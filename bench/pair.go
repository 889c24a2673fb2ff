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

// excerpt is how much of a program's output is shown when it failed, in bytes.
const excerpt = 600

// load says what calls the caller makes.
type load struct {
	calls, rate int
	hold        time.Duration
}

// pair is a callee and a caller at work.
type pair struct {
	dir            string
	callee, caller *side
}

// side is one of the programs.
type side struct {
	*exec.Cmd
	out  bytes.Buffer
	done chan error
}

// startPair starts the program in the role, and sipp in the other; the callee listens when it returns.
func (s *settings) startPair(ctx context.Context, program, role string, l load) (*pair, error) {
	dir, err := os.MkdirTemp("", "gossipper-bench-")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	p := &pair{dir: dir}
	programs := map[string]string{uac: "sipp", uas: "sipp", role: program}
	p.callee = s.side(ctx, dir, programs[uas], uas, port, l)
	p.caller = s.side(ctx, dir, programs[uac], uac, port, l)
	if err := p.callee.start(); err != nil {
		p.kill()
		return nil, err
	}
	if err := p.callee.listening(ctx, port); err != nil {
		p.kill()
		return nil, err
	}
	if err := p.caller.start(); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

// measured is the side that plays the role.
func (p *pair) measured(role string) *side {
	if role == uac {
		return p.caller
	}
	return p.callee
}

// wait waits until both have ended well.
func (p *pair) wait() error {
	if err := p.caller.wait(); err != nil {
		return err
	}
	return p.callee.wait()
}

// running returns an error if one of the sides has ended.
func (p *pair) running() error {
	for _, s := range []*side{p.callee, p.caller} {
		select {
		case err := <-s.done:
			s.done <- err
			return fmt.Errorf("%s ended early: %w", filepath.Base(s.Path), s.explain(err))
		default:
		}
	}
	return nil
}

// kill ends what still runs and removes the files.
func (p *pair) kill() {
	for _, s := range []*side{p.caller, p.callee} {
		if s.Process != nil {
			_ = s.Process.Kill()
			err := <-s.done
			s.done <- err
		}
	}
	_ = os.RemoveAll(p.dir)
}

// side builds the command line of one side.
func (s *settings) side(ctx context.Context, dir, program, role string, port int, l load) *side {
	var line []string
	if program == "sipp" {
		line = s.sippLine(role, port, l)
	} else {
		line = s.gossipperLine(dir, role, port, l)
	}
	if s.taskset != "" {
		line = append([]string{s.taskset, "--cpu-list", map[string]string{uac: "0", uas: "1"}[role]}, line...)
	}
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Dir = dir
	one := &side{Cmd: cmd, done: make(chan error, 1)}
	cmd.Stdout, cmd.Stderr = &one.out, &one.out
	return one
}

func (s *settings) sippLine(role string, port int, l load) []string {
	line := []string{s.sipp, "-sn", role, "-nostdin", "-i", "127.0.0.1", "-buff_size", socketBuffer, "-m", strconv.Itoa(l.calls), "-deadcall_wait", "0"}
	if role == uas {
		return append(line, "-p", strconv.Itoa(port))
	}
	return append(line, "-r", strconv.Itoa(l.rate), "-l", strconv.Itoa(l.calls), "-d", strconv.FormatInt(l.hold.Milliseconds(), 10),
		net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

func (s *settings) gossipperLine(dir, role string, port int, l load) []string {
	program, err := filepath.Abs(s.gossipper)
	if err != nil {
		program = s.gossipper // starting it will tell what is wrong
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	line := []string{program, "run", role, "--progress", "none", "--out", filepath.Join(dir, "run"), "--calls", strconv.Itoa(l.calls)}
	if role == uas {
		return append(line, "--local", address)
	}
	return append(line, address, "--rate", strconv.Itoa(l.rate), "--limit", strconv.Itoa(l.calls), "--hold", l.hold.String())
}

func (s *side) start() error {
	if err := s.Start(); err != nil {
		return err
	}
	go func() { s.done <- s.Wait() }()
	return nil
}

// wait waits for the end of the program; it can be called again.
func (s *side) wait() error {
	err := <-s.done
	s.done <- err
	return s.explain(err)
}

// explain adds the end of what the program printed to the error it ended with.
func (s *side) explain(err error) error {
	if err == nil {
		return nil
	}
	text := bytes.TrimSpace(s.out.Bytes())
	if len(text) > excerpt {
		text = text[len(text)-excerpt:]
	}
	return fmt.Errorf("%s: %w: %s", strings.Join(s.Args, " "), err, text)
}

// listening waits until the UDP port is bound. It asks the kernel's table instead of trying to bind, which could take the port
// away from the program at the wrong moment.
func (s *side) listening(ctx context.Context, port int) error {
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
		case err := <-s.done:
			s.done <- err
			return fmt.Errorf("it ended before it listened: %w", s.explain(err))
		case <-ctx.Done():
			return fmt.Errorf("it does not listen: %w", s.explain(ctx.Err()))
		}
	}
}

func freePort() (int, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	return conn.LocalAddr().(*net.UDPAddr).Port, nil
}
