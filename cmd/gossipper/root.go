package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// run executes one command line and returns the exit code.
func run(ctx context.Context, env *Env) int {
	root := newRoot(env)
	root.SetArgs(env.Args)
	err := root.ExecuteContext(ctx)
	if err != nil && !errors.Is(err, errSilent) {
		fmt.Fprintf(env.Stderr, "gossipper: %v\n", err)
	}
	return int(exitCodeOf(err))
}

// newRoot makes the command with all that it contains.
func newRoot(env *Env) *cobra.Command {
	root := &cobra.Command{
		Use:   "gossipper",
		Short: "A SIP load generator that speaks WebRTC",
		Long: `Gossipper runs SIPp's XML scenarios as caller or callee and gives every call real media:
classic RTP, or WebRTC (ICE, DTLS-SRTP, TURN).

Start with "gossipper demo": a UAS and a UAC in one process carry speech over WebRTC.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          onlyCommands,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SuggestionsMinimumDistance = 2
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return exitf(ExitUsage, "%w (see %s --help)", err, cmd.CommandPath())
	})
	root.AddCommand(
		newDemoCommand(env),
		newRunCommand(env),
		newScenarioCommand(env),
		newProfileCommand(env),
		newTURNCommand(env),
		newVersionCommand(env),
	)
	return root
}

// newGroup makes a command that only holds others.
func newGroup(use, short string, children ...*cobra.Command) *cobra.Command {
	group := &cobra.Command{
		Use: use, Short: short, Args: onlyCommands,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.SuggestionsMinimumDistance = 2
	group.AddCommand(children...)
	return group
}

// onlyCommands refuses a word that is no command, and suggests the nearest one.
func onlyCommands(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "? "
	}
	return exitf(ExitUsage, "%s has no command %q: %s(see %s --help)", cmd.CommandPath(), args[0], hint, cmd.CommandPath())
}
