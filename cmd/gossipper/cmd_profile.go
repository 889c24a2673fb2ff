package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/gossipper/gossipper/internal/profile"
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
				loaded, err := profile.Lint(file)
				var broken *profile.Error
				switch {
				case errors.As(err, &broken):
					fmt.Fprintln(env.Stdout, broken)
					bad++
				case err != nil:
					return exit(ExitUsage, err)
				default:
					for _, w := range loaded.Warnings {
						fmt.Fprintf(env.Stdout, "warning: %s\n", w)
					}
					fmt.Fprintf(env.Stdout, "%s: ok\n", file)
				}
			}
			if bad > 0 {
				return exit(ExitFailed, errSilent)
			}
			return nil
		},
	}
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
