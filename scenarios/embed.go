// Package scenarios holds the built-in scenarios and what they play, embedded into the program. It has no code: internal/scenario
// lists and parses them.
package scenarios

import "embed"

// FS holds the scenarios (name.xml) and the sound files that they name.
//
//go:embed *.xml *.wav
var FS embed.FS
