// Command bench compares Gossipper with sipp side by side: CPU per call of each program, as caller and as callee.
//
// The two programs take turns within one run, so that a noisy machine disturbs both alike, and medians are compared. CPU is what
// the kernel charged to the process, not wall time. Every call's record is written, as in any run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"text/tabwriter"
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

// settings say what is measured.
type settings struct {
	gossipper string
	sipp      string
	rates     []int
	seconds   int
	rounds    int
}

func run(ctx context.Context, out io.Writer, args []string) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	s := settings{rates: []int{1000, 4000, 8000}}
	flags.StringVar(&s.gossipper, "gossipper", "bin/gossipper", "the program to measure")
	flags.IntVar(&s.seconds, "seconds", 4, "how long each measurement starts calls")
	flags.IntVar(&s.rounds, "rounds", 3, "how often each program is measured at each rate")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var err error
	if s.sipp, err = exec.LookPath("sipp"); err != nil {
		return errors.New("sipp is not installed (Debian package sip-tester)")
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "role\tcalls/s\tgossipper µs/call\tsipp µs/call\tratio\ttarget\tfailed\t")
	for _, role := range []string{"uac", "uas"} {
		for _, rate := range s.rates {
			row, err := s.compare(ctx, role, rate)
			if err != nil {
				return fmt.Errorf("%s at %d calls/s: %w", role, rate, err)
			}
			fmt.Fprintf(table, "%s\t%d\t%.1f\t%.1f\t%.2f\t≤ %.1f\t%d\t\n",
				role, rate, row.gossipper, row.sipp, row.gossipper/row.sipp, target(rate), row.failed)
		}
	}
	return table.Flush()
}

// target is the ratio that the design asks for at a rate.
func target(rate int) float64 {
	switch {
	case rate >= 8000:
		return 0.5
	case rate >= 4000:
		return 0.7
	default:
		return 0.9
	}
}

// row is one line of the table: medians in microseconds of CPU per call.
type row struct {
	gossipper, sipp float64
	failed          int
}

// compare measures both programs in turn.
func (s *settings) compare(ctx context.Context, role string, rate int) (row, error) {
	var ours, theirs []float64
	var failed int
	for range s.rounds {
		for _, program := range []string{"gossipper", "sipp"} {
			cpu, err := s.measure(ctx, program, role, rate)
			var exit *exec.ExitError
			switch {
			case errors.As(err, &exit):
				failed++
				continue
			case err != nil:
				return row{}, err
			}
			if program == "gossipper" {
				ours = append(ours, cpu)
			} else {
				theirs = append(theirs, cpu)
			}
		}
	}
	if len(ours) == 0 || len(theirs) == 0 {
		return row{}, errors.New("no measurement succeeded")
	}
	return row{gossipper: median(ours), sipp: median(theirs), failed: failed}, nil
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
