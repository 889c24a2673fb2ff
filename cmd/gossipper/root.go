package main

import (
	"context"
	"errors"
	"fmt"

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
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
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
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(children...)
	return group
}
