package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gossipper/gossipper/internal/report"
	"github.com/gossipper/gossipper/internal/scenario"
)

func newRunCommand(env *Env) *cobra.Command {
	var flags runFlags
	cmd := &cobra.Command{
		Use: "run [SCENARIO] [TARGET]", Short: "Run a scenario: make calls, or answer them", Args: cobra.MaximumNArgs(2),
		Long: `Run a scenario. SCENARIO is the name of a built-in one (see "gossipper scenario list") or a file.
TARGET is where a scenario that makes calls sends them: HOST:PORT or a SIP URI, as in sip:alice@192.0.2.1.
Both can come from a profile instead; HOST:PORT or a SIP URI alone is the TARGET of the profile's scenario.
A profile also has the settings without a flag, such as udp_mux_port of its webrtc row.

The first Ctrl-C lets the calls in progress finish, the second ends them. The run leaves a directory with a
record of each call, a summary and the recordings.`,
		Example: `  gossipper run uas --local 127.0.0.1:5060
  gossipper run uac 127.0.0.1:5060 --rate 10 --calls 100
  gossipper run webrtc_uac sip:alice@127.0.0.1:5060 --calls 20 --hold 5s --record-wav
  gossipper run call_uac 127.0.0.1:5060 --media webrtc --ice-server turn:127.0.0.1:3478 --ice-auth-secret env:TURN_SECRET
  gossipper run --profile edge.yaml
  gossipper run --profile edge.yaml 192.0.2.1:5060`,
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return builtinNames(), cobra.ShellCompDirectiveDefault
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.read(cmd.Flags()); err != nil {
				return err
			}
			r := request{flags: flags}
			r.scenario, r.target = scenarioAndTarget(args)
			return runScenario(cmd.Context(), env, r)
		},
	}
	flags.add(cmd)
	return cmd
}

// scenarioAndTarget tells the arguments apart. A single one that can only be a target is one: the profile, or the environment, has to name
// the scenario then.
func scenarioAndTarget(args []string) (name, target string) {
	switch {
	case len(args) == 0:
		return "", ""
	case len(args) > 1:
		return args[0], args[1]
	case looksLikeTarget(args[0]):
		return "", args[0]
	default:
		return args[0], ""
	}
}

// looksLikeTarget tells whether the word is a sip: URI or has a port, and is not the name of a file.
func looksLikeTarget(word string) bool {
	if _, err := os.Stat(word); err == nil {
		return false
	}
	scheme, _, _ := strings.Cut(strings.ToLower(word), ":")
	if scheme == "sip" || scheme == "sips" {
		return scheme != strings.ToLower(word)
	}
	_, port, err := net.SplitHostPort(word)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

// runScenario is the whole of the run command: check, open, run, sum up.
func runScenario(ctx context.Context, env *Env, asked request) error {
	checked, err := prepare(ctx, env, asked)
	if err != nil {
		return err
	}
	screen := &console{to: env.Stderr}
	r, err := start(checked, env, screen)
	if err != nil {
		return err
	}
	announce(env, r)
	summary, err := supervise(ctx, r, progressMode(asked.flags.progress, env))
	return finish(env, summary, err)
}

// announce says what begins. Of a UAS it is the first thing printed: others may wait for it to call.
func announce(env *Env, r *running) {
	if r.role == scenario.UAS {
		fmt.Fprintf(env.Stdout, "listening on udp %s\n", r.sip.Local())
		return
	}
	if r.perCallSockets() {
		fmt.Fprintf(env.Stdout, "calling %s from a udp socket per call on %s\n", r.target, r.sip.Local().Addr())
		return
	}
	fmt.Fprintf(env.Stdout, "calling %s from udp %s\n", r.target, r.sip.Local())
}

// finish prints the summary and turns it into the command's error.
func finish(env *Env, s *report.Summary, runErr error) error {
	fmt.Fprintln(env.Stdout)
	if err := s.WriteText(env.Stdout); err != nil {
		runErr = errors.Join(runErr, exitf(ExitFatal, "print the summary: %w", err))
	}
	if runErr != nil {
		return runErr
	}
	switch s.Verdict {
	case report.Passed:
		return nil
	case report.NoCalls:
		return exit(ExitNoCalls, errSilent)
	default:
		return exit(ExitFailed, errSilent)
	}
}
