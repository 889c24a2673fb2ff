package profile

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const docsFile = "../../docs/profiles.md"

// settingsTables returns the tables of docs/profiles.md.
func settingsTables() string {
	var out strings.Builder
	head := func(title string) {
		fmt.Fprintf(&out, "\n### %s\n\n| path | value | default | variable | meaning |\n| --- | --- | --- | --- | --- |\n", title)
	}
	head("The run")
	section := ""
	for _, s := range allSettings() {
		if s.row != "" && s.row != UDP && s.row != WebRTC {
			continue
		}
		if at := strings.LastIndexByte(s.path, '.'); at >= 0 && s.path[:at] != section {
			section = s.path[:at]
			head("`" + section + "`")
		} else if at < 0 && section != "" && section != "top" {
			section = "top"
			head("Conditions")
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s | `%s` | %s |\n", s.path, valueWords(s), defaultWord(s), EnvName(s.path), s.doc)
	}
	return out.String()
}

func valueWords(s setting) string {
	switch {
	case len(s.enum) > 0:
		return "`" + strings.Join(s.enum, "`, `") + "`"
	case s.typ == typeSecret:
		return "secret"
	case s.typ == typeDuration:
		return "duration"
	case s.typ.Kind() == reflect.Slice:
		return "list"
	case s.typ.Kind() == reflect.Bool:
		return "`true`, `false`"
	case s.typ.Kind() == reflect.Float64:
		return "number"
	case s.typ.Kind() == reflect.String:
		return "text"
	default:
		return "whole number"
	}
}

func defaultWord(s setting) string {
	if s.def == "" {
		return ""
	}
	return "`" + s.def + "`"
}

func TestDocumentationIsComplete(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- settings begin -->\n", "<!-- settings end -->"
	before, rest, foundBegin := bytes.Cut(data, []byte(begin))
	_, after, foundEnd := bytes.Cut(rest, []byte(end))
	if !foundBegin || !foundEnd {
		t.Fatalf("%s has lost its marks %q and %q", docsFile, begin, end)
	}
	want := slices.Concat(before, []byte(begin+settingsTables()+"\n"+end), after)
	if *update {
		if err := os.WriteFile(docsFile, want, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(data, want) {
		t.Errorf("%s is stale: run go test ./internal/profile -update", docsFile)
	}
}

// TestEveryFieldIsUsable: the description is complete, the default can be read, and the variable reaches the field.
func TestEveryFieldIsUsable(t *testing.T) {
	t.Parallel()
	names := map[string]string{}
	for _, s := range allSettings() {
		name := EnvName(s.path)
		if !strings.HasSuffix(s.doc, ".") {
			t.Errorf("%s: the description %q is not a sentence", s.path, s.doc)
		}
		if other, double := names[name]; double {
			t.Errorf("%s and %s have the same variable %s", s.path, other, name)
		}
		names[name] = s.path
		if s.typ.Kind() != reflect.Slice && s.typ != typeSecret && s.def != "" {
			if err := setText(reflect.New(s.typ).Elem(), s.field, s.def); err != nil {
				t.Errorf("%s: the default: %v", s.path, err)
			}
		}
		text := sampleText(s)
		loaded, err := Load(Sources{Environ: []string{name + "=" + text}, Flags: completing(s.path), Partial: true})
		if err != nil {
			t.Errorf("%s=%s: %v", name, text, err)
			continue
		}
		if got := loaded.Origins[s.path].String(); got != "$"+name {
			t.Errorf("%s comes from %s", s.path, got)
		}
		var shown bytes.Buffer
		if err := Show(&shown, loaded); err != nil {
			t.Fatal(err)
		}
		if want := regexp.MustCompile(`.+ # \$` + name + `\n`); !want.Match(shown.Bytes()) {
			t.Errorf("%s is not shown with its origin:\n%s", s.path, shown.String())
		}
	}
	if len(names) < 40 {
		t.Errorf("only %d settings", len(names))
	}
}

// sampleText returns a value for a setting that is right by itself.
func sampleText(s setting) string {
	switch {
	case s.key == "target", s.key == "advertise":
		return "192.0.2.1"
	case s.key == "listen":
		return "127.0.0.1:5070"
	case s.key == "ice_servers":
		return "stun:a"
	case s.row != "" && s.row != UDP && s.row != WebRTC && s.key == "enabled":
		return "false"
	case len(s.enum) > 0:
		return s.enum[0]
	case s.typ.Kind() == reflect.Bool:
		return "true"
	case s.typ == typeDuration:
		return "4s"
	case s.typ.Kind() == reflect.Int, s.typ.Kind() == reflect.Uint64, s.typ.Kind() == reflect.Float64:
		return "4000"
	default:
		return "x"
	}
}

// completing returns what a setting needs beside it.
func completing(path string) []Setting {
	switch path {
	case "media.record_stereo":
		return []Setting{{"media.record_wav", "true", "test"}}
	case "media.port_min":
		return []Setting{{"media.port_max", "5000", "test"}}
	case "media.port_max":
		return []Setting{{"media.port_min", "2000", "test"}}
	case "transports.webrtc.ice_username":
		return []Setting{{"transports.webrtc.ice_credential", "x", "test"}}
	case "transports.webrtc.ice_credential":
		return []Setting{{"transports.webrtc.ice_username", "x", "test"}}
	default:
		return nil
	}
}
