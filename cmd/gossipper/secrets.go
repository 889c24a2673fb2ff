package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/gossipper/gossipper/internal/profile"
)

// literalSecret tells whether a flag's value is the secret itself, and not the name of a file or variable that holds it.
func literalSecret(value string) bool {
	return value != "" && !strings.HasPrefix(value, "@") && !strings.HasPrefix(value, "env:")
}

// literalWarning is what to say of a secret on the command line.
func literalWarning(flag string) string {
	return flag + ": other users of this machine can see a secret on the command line; write @FILE or env:NAME"
}

// urlWarning is what to say of a password in the URL of an ICE server on the command line.
func urlWarning(flag string) string {
	return flag + ": other users of this machine can see a password on the command line; put the URL into a profile or into " +
		"GOSSIPPER_WEBRTC_ICE_SERVERS, or use --ice-username and --ice-credential @FILE"
}

// readSecret resolves a secret from the command line, and warns if it was visible there.
func readSecret(env *Env, flag, value string) (string, error) {
	if literalSecret(value) {
		fmt.Fprintf(env.Stderr, "Warning: %s\n", literalWarning(flag))
	}
	secret, warnings, err := profile.ResolveSecret(value, env.Environ, flag)
	warn(env.Stderr, warnings)
	if err != nil {
		return "", exitf(ExitUsage, "%s: %w", flag, err)
	}
	return secret.Reveal(), nil
}

func warn(to io.Writer, warnings []profile.Problem) {
	for _, w := range warnings {
		fmt.Fprintf(to, "Warning: %s\n", w)
	}
}

var errTTL = errors.New("must be a time like 1h or 30m, or a number of seconds")

// secondsOf reads a lifetime: with a unit, or in seconds as TURN servers count it.
func secondsOf(text string) (int, error) {
	if n, err := strconv.Atoi(text); err == nil {
		return n, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d.Seconds() > math.MaxInt32 || d.Seconds() < math.MinInt32 {
		return 0, errTTL
	}
	return int(d.Seconds()), nil
}
