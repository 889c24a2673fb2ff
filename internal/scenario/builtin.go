package scenario

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/gossipper/gossipper/internal/nearest"
	"github.com/gossipper/gossipper/scenarios"
)

// ErrNoBuiltin is wrapped by errors for a name that no built-in scenario has.
var ErrNoBuiltin = errors.New("no built-in scenario has this name")

// Info describes a built-in scenario.
type Info struct {
	Name        string
	Description string // one line
}

// Builtins returns the built-in scenarios in the order in which they are listed.
func Builtins() []Info {
	return []Info{
		{"uac", "basic call, caller: INVITE, 200, ACK, pause, BYE; G.711 over RTP, as SIPp's uac"},
		{"uas", "basic call, callee: 180, 200, then waits for BYE; G.711 over RTP, as SIPp's uas"},
		{"call_uac", "call with speech, caller, over RTP or WebRTC as the run says"},
		{"call_uas", "call with speech, callee, over RTP or WebRTC as the run says"},
		{"webrtc_uac", "call with speech over WebRTC, caller"},
		{"webrtc_uas", "call with speech over WebRTC, callee"},
		{"options_ping", "asks the peer with OPTIONS whether it is alive"},
	}
}

// Builtin parses the built-in scenario of this name. It returns an error that wraps ErrNoBuiltin if there is none.
func Builtin(name string) (*Scenario, error) {
	data, err := BuiltinSource(name)
	if err != nil {
		return nil, err
	}
	return Parse(name, data, scenarios.FS)
}

// BuiltinSource returns the XML text of the built-in scenario of this name. It returns an error that wraps ErrNoBuiltin if there
// is none.
func BuiltinSource(name string) ([]byte, error) {
	if !isBuiltin(name) {
		return nil, fmt.Errorf("%w: %s: %s", ErrNoBuiltin, quote(name), builtinHint(name))
	}
	data, err := fs.ReadFile(scenarios.FS, name+".xml")
	if err != nil {
		return nil, fmt.Errorf("reading the built-in scenario %s: %w", name, err)
	}
	return data, nil
}

func isBuiltin(name string) bool {
	for _, info := range Builtins() {
		if info.Name == name {
			return true
		}
	}
	return false
}

// builtinHint suggests the nearest name and lists all.
func builtinHint(name string) string {
	all := Builtins()
	names := make([]string, len(all))
	for i, info := range all {
		names[i] = info.Name
	}
	list := "built in are " + strings.Join(names, ", ")
	if near := nearest.Word(name, names); near != "" {
		return "did you mean " + near + "? (" + list + ")"
	}
	return list
}
