package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/gossipper/gossipper/internal/webrtc"
)

func newTURNCommand(env *Env) *cobra.Command {
	return newGroup("turn", "Mint TURN credentials, check TURN servers", newTURNCredential(env), newTURNCheck(env))
}

// turnFlags say how to log in to a TURN server.
type turnFlags struct {
	secret, identity, ttl string
}

func (f *turnFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.secret, "secret", "", "`secret` shared with the server (coturn: static-auth-secret): @FILE or env:NAME")
	flags.StringVar(&f.identity, "identity", "", "`name` that follows the expiry in the minted user name (default "+webrtc.DefaultIdentity+")")
	flags.StringVar(&f.ttl, "ttl", "24h", "`time` for which the minted credentials are valid")
}

func (f *turnFlags) lifetime() (time.Duration, error) {
	seconds, err := secondsOf(f.ttl)
	if err == nil && seconds <= 0 {
		err = errors.New("must be more than 0s")
	}
	if err != nil {
		return 0, exitf(ExitUsage, "--ttl %s: %w", f.ttl, err)
	}
	return time.Duration(seconds) * time.Second, nil
}

func newTURNCredential(env *Env) *cobra.Command {
	var flags turnFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use: "credential", Short: "Mint a TURN user name and password from a shared secret", Args: cobra.NoArgs,
		Long: `Mint credentials for a TURN server that shares a secret with you (coturn: use-auth-secret, static-auth-secret).
The user name is EXPIRY:IDENTITY, the password base64(HMAC-SHA1(SECRET, user name)).`,
		Example: "  gossipper turn credential --secret @turn.secret --identity alice --ttl 1h\n  gossipper turn credential --secret env:TURN_SECRET --json",
		RunE: func(*cobra.Command, []string) error {
			if flags.secret == "" {
				return exitf(ExitUsage, "--secret is missing: give the server's static-auth-secret as @FILE or env:NAME")
			}
			ttl, err := flags.lifetime()
			if err != nil {
				return err
			}
			secret, err := readSecret(env, "--secret", flags.secret)
			if err != nil {
				return err
			}
			return exit(ExitFatal, printCredential(env.Stdout, webrtc.MintREST(secret, flags.identity, ttl, env.Now()), asJSON))
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printCredential(to io.Writer, c webrtc.Credential, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(to).Encode(map[string]any{
			"username": c.Username, "password": c.Password, "expires": c.Expires.UTC().Format(time.RFC3339),
		})
	}
	_, err := fmt.Fprintf(to, "username: %s\npassword: %s\nexpires:  %s\n", c.Username, c.Password, c.Expires.UTC().Format(time.RFC3339))
	return err
}

func newTURNCheck(env *Env) *cobra.Command {
	var flags turnFlags
	var username, password string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use: "check URL", Short: "Ask a STUN server for our address, or make an allocation at a TURN server", Args: cobra.ExactArgs(1),
		Long: `Make a real allocation at a TURN server and send a packet through it, or ask a STUN server for our address, and say
what came of it. URL is stun:HOST[:PORT], turn:HOST[:PORT][?transport=udp|tcp] or turns:….
The exit code is 1 if the server cannot be used.`,
		Example: "  gossipper turn check turn:127.0.0.1:3478 --secret @turn.secret\n" +
			"  gossipper turn check 'turn:127.0.0.1:3478?transport=tcp' --username alice --password env:TURN_PASSWORD\n" +
			"  gossipper turn check stun:127.0.0.1:3478",
		RunE: func(cmd *cobra.Command, args []string) error {
			ttl, err := flags.lifetime()
			if err != nil {
				return err
			}
			options := webrtc.CheckOptions{URL: args[0], Username: username, AuthTTL: ttl, Timeout: timeout}
			if options.AuthSecret, err = readSecret(env, "--secret", flags.secret); err != nil {
				return err
			}
			if options.Credential, err = readSecret(env, "--password", password); err != nil {
				return err
			}
			if options.AuthSecret != "" && flags.identity != "" {
				options.Username = flags.identity
			}
			result, err := webrtc.CheckTURN(cmd.Context(), options)
			var refused *webrtc.CheckError
			if errors.As(err, &refused) {
				return exit(ExitFailed, err)
			}
			if err != nil {
				return exit(ExitUsage, err)
			}
			return exit(ExitFatal, printCheck(env.Stdout, &result))
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&username, "username", "", "user `name`, for a server with static users")
	cmd.Flags().StringVar(&password, "password", "", "`password` that belongs to it: @FILE or env:NAME")
	cmd.Flags().DurationVar(&timeout, "timeout", webrtc.DefaultCheckTimeout, "longest wait for each answer")
	return cmd
}

func printCheck(to io.Writer, r *webrtc.CheckResult) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	row := func(name, value string) { fmt.Fprintf(table, "%s\t%s\n", name, value) }
	fmt.Fprintf(table, "%s works, %s\n", r.URL, r.Took.Round(100*time.Microsecond))
	row("server", r.ServerAddr+" "+r.Software)
	if r.Mapped.IsValid() {
		row("our address", r.Mapped.String())
	}
	if r.Relayed.IsValid() {
		row("credentials", r.Auth+", user "+r.Username)
		row("realm", r.Realm)
		row("relayed address", r.Relayed.String())
		row("lifetime", r.Lifetime.String())
		through := "a packet came back through the relay"
		if !r.Looped {
			through = "no packet came back through the relay: the server may forbid our address as a peer"
		}
		row("test packet", through)
	}
	return table.Flush()
}
