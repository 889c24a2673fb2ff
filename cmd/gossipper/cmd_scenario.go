package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/gossipper/gossipper/internal/scenario"
)

func newScenarioCommand(env *Env) *cobra.Command {
	return newGroup("scenario", "List, show and check scenarios", newScenarioList(env), newScenarioShow(env), newScenarioLint(env))
}

func newScenarioList(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the built-in scenarios", Args: cobra.NoArgs,
		Example: "  gossipper scenario list",
		RunE: func(*cobra.Command, []string) error {
			table := tabwriter.NewWriter(env.Stdout, 0, 0, 2, ' ', 0)
			for _, info := range scenario.Builtins() {
				fmt.Fprintf(table, "%s\t%s\n", info.Name, info.Description)
			}
			return exit(ExitFatal, table.Flush())
		},
	}
}

func newScenarioShow(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "Print the XML of a built-in scenario", Args: cobra.ExactArgs(1),
		Example: "  gossipper scenario show webrtc_uac > my_scenario.xml",
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return builtinNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := scenario.BuiltinSource(args[0])
			if err != nil {
				return exit(ExitUsage, err)
			}
			_, err = env.Stdout.Write(text)
			return exit(ExitFatal, err)
		},
	}
}

func builtinNames() []string {
	var names []string
	for _, info := range scenario.Builtins() {
		names = append(names, info.Name)
	}
	return names
}

func newScenarioLint(env *Env) *cobra.Command {
	var kind string
	cmd := &cobra.Command{
		Use: "lint FILE...", Short: "Check scenarios without running them", Args: cobra.MinimumNArgs(1),
		Long: `Check scenario files, or built-in scenarios, and print every problem with its file and line.
Warnings alone do not fail. With --media, also check that the scenario can have these media.`,
		Example: "  gossipper scenario lint my_scenario.xml\n  gossipper scenario lint webrtc_uac --media webrtc",
		RunE: func(_ *cobra.Command, args []string) error {
			if err := checkMediaFlag(kind); err != nil {
				return err
			}
			bad := 0
			for _, name := range args {
				ok, err := lintScenario(env.Stdout, name, kind)
				if err != nil {
					return exit(ExitUsage, err)
				}
				if !ok {
					bad++
				}
			}
			if bad > 0 {
				return exit(ExitFailed, errSilent)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&kind, "media", "", "`kind` of media to check for: rtp, webrtc or none (default: the scenario's own)")
	return cmd
}

// lintScenario prints the problems of one scenario, and reports whether it can be run. The error is for one that cannot be read.
func lintScenario(to io.Writer, name, kind string) (bool, error) {
	s, err := scenario.Open(name)
	var broken *scenario.ParseError
	if errors.As(err, &broken) {
		for _, p := range broken.Problems {
			fmt.Fprintln(to, p)
		}
		return false, nil
	}
	if err != nil {
		return false, err
	}
	ok := true
	// A scenario that says nothing of its media may be meant for a profile with WebRTC: its keywords tell.
	checked := s.EffectiveMedia(usesWebRTCOnly(s), kind)
	for _, p := range append(s.Warnings, s.CheckMedia(checked)...) {
		fmt.Fprintln(to, p)
		ok = ok && p.Severity != scenario.Error
	}
	if ok {
		fmt.Fprintf(to, "%s: ok (%s, %d steps, media %s)\n", name, s.Role(), len(s.Steps), s.RunMedia(checked, kind, false))
	}
	return ok, nil
}

// usesWebRTCOnly tells whether the scenario has a keyword that stands for WebRTC's own SDP.
func usesWebRTCOnly(s *scenario.Scenario) bool {
	for _, p := range s.CheckMedia("rtp") {
		if p.Severity == scenario.Error {
			return true
		}
	}
	return false
}
