package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/gossipper/gossipper/internal/profile"
	"github.com/gossipper/gossipper/internal/scenario"
	"github.com/gossipper/gossipper/scenarios"
)

func newProfileCommand(env *Env) *cobra.Command {
	return newGroup("profile", "Check and show profiles", newProfileLint(env), newProfileShow(env))
}

func newProfileLint(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "lint FILE...", Short: "Check profiles and print every problem with its line and column", Args: cobra.MinimumNArgs(1),
		Example: "  gossipper profile lint edge.yaml",
		RunE: func(_ *cobra.Command, args []string) error {
			bad := 0
			for _, file := range args {
				ok, err := lintProfile(env.Stdout, file)
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
}

// lintProfile prints the problems of one profile and of the files that it names, and reports whether it can be used. The error is for
// one that cannot be read.
func lintProfile(to io.Writer, file string) (bool, error) {
	loaded, err := profile.Lint(file)
	var broken *profile.Error
	if errors.As(err, &broken) {
		fmt.Fprintln(to, broken)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, w := range loaded.Warnings {
		fmt.Fprintf(to, "warning: %s\n", w)
	}
	problems := filesOf(loaded)
	for _, p := range problems {
		fmt.Fprintln(to, p)
	}
	if len(problems) > 0 {
		return false, nil
	}
	fmt.Fprintf(to, "%s: ok\n", file)
	return true, nil
}

// filesOf checks the scenario and the sound that a profile names, and returns what is wrong with them.
func filesOf(loaded *profile.Loaded) []profile.Problem {
	var problems []profile.Problem
	add := func(path string, err error) {
		problems = append(problems, profile.Problem{Origin: loaded.Origins[path], Path: path, Text: err.Error()})
	}
	var beside fs.FS = scenarios.FS
	if name := loaded.Profile.Scenario; name != "" {
		s, err := scenario.Open(name)
		if err != nil {
			add("scenario", err)
		} else {
			beside = s.Dir
		}
	}
	if _, err := loadPlay(loaded, beside); err != nil {
		add("media.play", err)
	}
	return problems
}

func newProfileShow(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "show [FILE]", Short: "Print the effective settings and where each comes from; secrets are masked", Args: cobra.MaximumNArgs(1),
		Long: `Print the settings that hold with this profile and the environment, as YAML. A comment says where each value comes from.
Secrets are masked. Without FILE: the defaults and the environment.`,
		Example: "  gossipper profile show edge.yaml\n  gossipper profile show",
		RunE: func(_ *cobra.Command, args []string) error {
			sources := profile.Sources{Environ: env.Environ, Partial: true}
			if len(args) > 0 {
				sources.File = args[0]
			}
			loaded, err := profile.Load(sources)
			if err != nil {
				return exit(ExitUsage, err)
			}
			for _, w := range loaded.Warnings {
				fmt.Fprintf(env.Stderr, "Warning: %s\n", w)
			}
			return exit(ExitFatal, profile.Show(env.Stdout, loaded))
		},
	}
}
