package profile

import (
	"io/fs"
	"os"
)

// ResolveSecret returns the secret that a command line names outside of a profile: @FILE, env:NAME or the secret itself. environ has the
// form of os.Environ. The warnings are odd, but usable.
func ResolveSecret(text string, environ []string, flag string) (secret Secret, warnings []Problem, err error) {
	l := &loader{sources: Sources{
		Environ: environ, Open: func(name string) (fs.File, error) { return os.Open(name) },
	}}
	secret, err = l.resolveSecret(text, "", Origin{Kind: FromFlag, Name: flag})
	return secret, l.warnings, err
}
