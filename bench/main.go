// Command bench compares Gossipper with sipp side by side: CPU per call and memory per held call of each program, as caller and as
// callee.
//
// The two programs take turns within one run, so that a noisy machine disturbs both alike, and medians are compared. CPU is what
// the kernel charged to the process, not wall time. Every call's record is written, as in any run. Where taskset is installed,
// the caller runs on the first CPU and the callee on the second, so that neither takes time from the other.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// The roles, as both programs call their built-in scenarios.
const (
	uac = "uac"
	uas = "uas"
)

// settings say what is measured.
type settings struct {
	gossipper string
	sipp      string
	taskset   string // empty: not installed
	roles     []string
	rates     []int
	seconds   int
	rounds    int
	held      int
}

func run(ctx context.Context, out io.Writer, args []string) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	s := settings{}
	flags.StringVar(&s.gossipper, "gossipper", "bin/gossipper", "the program to measure")
	flags.IntVar(&s.seconds, "seconds", 4, "how long each measurement starts calls")
	flags.IntVar(&s.rounds, "rounds", 5, "how often each program is measured at each rate")
	flags.IntVar(&s.held, "held", 10000, "calls held at once to measure memory; 0: memory is not measured")
	rates := flags.String("rates", "1000,4000,8000", "calls per second to measure CPU at; empty: CPU is not measured")
	roles := flags.String("roles", uac+","+uas, "roles to measure")
	if err := flags.Parse(args); err != nil {
		return err
	}
	for text := range strings.SplitSeq(*rates, ",") {
		if text == "" {
			continue
		}
		rate, err := strconv.Atoi(text)
		if err != nil || rate <= 0 {
			return fmt.Errorf("-rates: %q is no number of calls", text)
		}
		s.rates = append(s.rates, rate)
	}
	s.roles = strings.Split(*roles, ",")
	var err error
	if s.sipp, err = exec.LookPath("sipp"); err != nil {
		return errors.New("sipp is not installed (Debian package sip-tester)")
	}
	if s.taskset, err = exec.LookPath("taskset"); err != nil {
		s.taskset = ""
		fmt.Fprintln(out, "taskset is not installed (Debian package util-linux): the programs share their CPUs")
	}
	failed, err := s.measureAll(ctx, out)
	for _, f := range failed {
		fmt.Fprintln(out, "failed:", f)
	}
	return err
}

// measureAll prints both tables. Single measurements that failed are returned; they end nothing unless no other succeeded.
func (s *settings) measureAll(ctx context.Context, out io.Writer) (failed []error, err error) {
	if len(s.rates) > 0 {
		failed, err = s.measureCPU(ctx, out)
	}
	if s.held > 0 && err == nil {
		var more []error
		more, err = s.measureMemory(ctx, out)
		failed = append(failed, more...)
	}
	return failed, err
}

func (s *settings) measureCPU(ctx context.Context, out io.Writer) (failed []error, err error) {
	const row = "%12s %8v %10v %15v %10v %15v %6v %7v\n"
	fmt.Fprintf(out, row, "CPU, µs/call", "calls/s", "gossipper", "user + system", "sipp", "user + system", "ratio", "target")
	for _, role := range s.roles {
		for _, rate := range s.rates {
			ours, theirs, errs := compare(s.rounds, func(program string) (cpu, error) {
				return s.cpuPerCall(ctx, program, role, rate)
			})
			failed = append(failed, errs...)
			if len(ours) == 0 || len(theirs) == 0 {
				return failed, fmt.Errorf("%s at %d calls/s: no measurement succeeded", role, rate)
			}
			g, p := median(ours, cpu.total), median(theirs, cpu.total)
			fmt.Fprintf(out, row, role, rate, decimal(g.total()), g, decimal(p.total()), p,
				fmt.Sprintf("%.2f", g.total()/p.total()), "≤ "+decimal(cpuTarget(rate)))
		}
	}
	return failed, nil
}

func (s *settings) measureMemory(ctx context.Context, out io.Writer) (failed []error, err error) {
	const row = "%24s %8v %10v %10v %6v %7v\n"
	fmt.Fprintf(out, row, "memory, bytes/held call", "calls", "gossipper", "sipp", "ratio", "target")
	for _, role := range s.roles {
		ours, theirs, errs := compare((s.rounds+1)/2, func(program string) (float64, error) {
			return s.memoryPerCall(ctx, program, role)
		})
		failed = append(failed, errs...)
		if len(ours) == 0 || len(theirs) == 0 {
			return failed, fmt.Errorf("%s with %d held calls: no measurement succeeded", role, s.held)
		}
		same := func(v float64) float64 { return v }
		g, p := median(ours, same), median(theirs, same)
		fmt.Fprintf(out, row, role, s.held, fmt.Sprintf("%.0f", g), fmt.Sprintf("%.0f", p), fmt.Sprintf("%.2f", g/p), "≤ 0.5")
	}
	return failed, nil
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// cpuTarget is the ratio that the design asks for at a rate.
func cpuTarget(rate int) float64 {
	switch {
	case rate >= 8000:
		return 0.5
	case rate >= 4000:
		return 0.7
	default:
		return 0.9
	}
}

// compare measures both programs in turn.
func compare[T any](rounds int, measure func(program string) (T, error)) (ours, theirs []T, failed []error) {
	for range rounds {
		if v, err := measure("gossipper"); err != nil {
			failed = append(failed, err)
		} else {
			ours = append(ours, v)
		}
		if v, err := measure("sipp"); err != nil {
			failed = append(failed, err)
		} else {
			theirs = append(theirs, v)
		}
	}
	return ours, theirs, failed
}

// median is the value in the middle of the order that by gives.
func median[T any](values []T, by func(T) float64) T {
	slices.SortFunc(values, func(a, b T) int { return cmp.Compare(by(a), by(b)) })
	return values[len(values)/2]
}
