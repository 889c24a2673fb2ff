package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/profile"
	"github.com/gossipper/gossipper/internal/record"
	"github.com/gossipper/gossipper/internal/report"
	"github.com/gossipper/gossipper/scenarios"
)

// speechFile is what the built-in scenarios play.
const speechFile = "speech.wav"

// demoGrace is how long the answering side may take to end after the calling one.
const demoGrace = 10 * time.Second

// demo is one tour: a UAS and a UAC in this process.
type demo struct {
	env      *Env
	screen   *console
	calls    uint64
	rate     float64
	hold     time.Duration
	out      string
	progress string
}

func newDemoCommand(env *Env) *cobra.Command {
	d := &demo{env: env, screen: &console{to: env.Stderr}}
	cmd := &cobra.Command{
		Use: "demo", Short: "One-minute tour: WebRTC calls of speech between two scenarios, in this process", Args: cobra.NoArgs,
		Long: `Run a UAS and a UAC over loopback. Their calls carry speech over WebRTC in both directions and are recorded; afterwards
each recording is compared with the speech that was sent. Nothing leaves this machine.`,
		Example: "  gossipper demo\n  gossipper demo --calls 3 --hold 2s --out demo_results",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if d.calls == 0 || d.calls > 1000 || d.rate <= 0 || d.hold < time.Second {
				return exitf(ExitUsage, "the demo needs --calls from 1 to 1000, a --rate above 0 and a --hold of at least 1s")
			}
			if err := checkProgressFlag(d.progress); err != nil {
				return err
			}
			return d.run(cmd.Context())
		},
	}
	cmd.Flags().Uint64Var(&d.calls, "calls", 20, "number of calls")
	cmd.Flags().Float64Var(&d.rate, "rate", 5, "calls started in a second")
	cmd.Flags().DurationVar(&d.hold, "hold", 6*time.Second, "length of each call")
	cmd.Flags().StringVar(&d.out, "out", "", "`directory` for the results (default: a new one in runs/)")
	cmd.Flags().StringVar(&d.progress, "progress", progressAuto, "how to show progress: `auto|tty|plain|none`")
	return cmd
}

func (d *demo) run(ctx context.Context) error {
	// The user's environment is for the user's runs.
	env := *d.env
	env.Environ = nil
	d.env = &env
	dir, err := d.makeDir()
	if err != nil {
		return exit(ExitFatal, err)
	}
	uas, err := d.start(ctx, "webrtc_uas", filepath.Join(dir, "uas"), "")
	if err != nil {
		return err
	}
	uac, err := d.start(ctx, "webrtc_uac", filepath.Join(dir, "uac"), uas.sip.Local().String())
	if err != nil {
		return errors.Join(err, uas.Close())
	}
	fmt.Fprintf(d.env.Stdout, "%d WebRTC calls of speech: %s calls %s, both in this process.\n", d.calls, uac.sip.Local(), uas.sip.Local())
	callee, caller, err := d.runBoth(ctx, uas, uac)
	if err != nil {
		return err
	}
	return d.conclude(dir, callee, caller)
}

func (d *demo) makeDir() (string, error) {
	if d.out != "" {
		return d.out, record.CreateDir(d.out)
	}
	return record.CreateDirIn("runs", "demo", d.env.Now())
}

// start prepares and opens one side.
func (d *demo) start(ctx context.Context, scenario, out, target string) (*running, error) {
	flags := runFlags{out: out}
	flags.set("transports.udp.listen", "127.0.0.1:0", "demo")
	flags.set("load.calls", strconv.FormatUint(d.calls, 10), "demo")
	flags.set("load.rate", strconv.FormatFloat(d.rate, 'f', -1, 64), "demo")
	flags.set("load.hold", d.hold.String(), "demo")
	flags.set("media.record_wav", "true", "demo")
	checked, err := prepare(ctx, d.env, request{scenario: scenario, target: target, flags: flags})
	if err != nil {
		return nil, err
	}
	return start(checked, d.env, d.screen)
}

// runBoth runs the two sides, with the progress of the calling one.
func (d *demo) runBoth(ctx context.Context, uas, uac *running) (callee, caller *report.Summary, err error) {
	var answering sync.WaitGroup
	var calleeErr error
	answering.Go(func() { callee, calleeErr = uas.run(ctx) })
	caller, callerErr := supervise(ctx, uac, progressMode(d.progress, d.env))
	uas.engine.Drain()
	late := time.AfterFunc(demoGrace, uas.engine.Stop)
	answering.Wait()
	late.Stop()
	return callee, caller, errors.Join(callerErr, calleeErr)
}

// conclude prints the summary, compares the recordings with the speech, and says what to listen to.
func (d *demo) conclude(dir string, callee, caller *report.Summary) error {
	out := d.env.Stdout
	fmt.Fprintln(out)
	if err := caller.WriteText(out); err != nil {
		return exitf(ExitFatal, "print the summary: %w", err)
	}
	result, err := verifyDemo(dir, d.hold)
	if err != nil {
		return exit(ExitFatal, err)
	}
	for _, problem := range result.problems {
		fmt.Fprintf(out, "\n%s", problem)
	}
	fmt.Fprintf(out, "\n%d of %d recordings, both directions of %d calls, carry the speech that was sent", result.good, result.all, caller.Calls.Started)
	if result.good > 0 {
		fmt.Fprintf(out, " (correlation at least %.3f)", math.Floor(result.worst*1000)/1000)
		fmt.Fprintf(out, ".\nListen to one: %s", result.first)
	}
	fmt.Fprintf(out, "\nBoth sides' records, summaries and recordings: %s\n", dir)
	complete := uint64(result.good) == 2*caller.Calls.Started && result.good == result.all
	if caller.Verdict != report.Passed || callee.Verdict != report.Passed || !complete {
		return exit(ExitFailed, errSilent)
	}
	return nil
}

// verifyDemo compares every recording of both sides with the speech. hold is the length of a call; four fifths of it must have
// arrived.
func verifyDemo(dir string, hold time.Duration) (*verified, error) {
	speech, err := media.LoadClip(scenarios.FS, speechFile)
	if err != nil {
		return nil, err
	}
	original := samplesOf(speech)
	result := &verified{}
	for _, side := range []profile.Role{profile.UAC, profile.UAS} {
		files, err := filepath.Glob(filepath.Join(dir, string(side), "recordings", "*.wav"))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			result.check(file, original, hold*4/5)
		}
	}
	return result, nil
}
