package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/scenario"
	"github.com/gossipper/gossipper/internal/testpeer"
)

func TestScenarioCommands(t *testing.T) {
	t.Parallel()
	list := launch(t, "scenario", "list").end(t, ExitOK).stdout.String()
	for _, name := range builtinNames() {
		if !strings.Contains(list, name) {
			t.Errorf("the list lacks %s:\n%s", name, list)
		}
		shown := launch(t, "scenario", "show", name).end(t, ExitOK).stdout.String()
		if want, err := scenario.BuiltinSource(name); err != nil || shown != string(want) {
			t.Errorf("show %s differs from the scenario (%v)", name, err)
		}
		// What is shown can be saved and is right.
		launch(t, "scenario", "lint", writeFile(t, name+".xml", shown)).end(t, ExitOK)
	}
	all := launch(t, append([]string{"scenario", "lint"}, builtinNames()...)...).end(t, ExitOK)
	if n := strings.Count(all.stdout.String(), ": ok ("); n != len(builtinNames()) {
		t.Errorf("%d of %d scenarios are ok:\n%s", n, len(builtinNames()), all.stdout.String())
	}
	rtp := launch(t, "scenario", "lint", "webrtc_uac", "--media", "rtp").end(t, ExitFailed)
	if said := rtp.stdout.String(); !strings.Contains(said, "webrtc_uac:") || !strings.Contains(said, "[webrtc_offer]") {
		t.Errorf("with --media rtp it said\n%s", said)
	}
	launch(t, "scenario", "lint", "/no/such.xml").end(t, ExitUsage)
}

// Lint says of the media what a run has without further wishes.
func TestScenarioLintSaysTheMediaOfARun(t *testing.T) {
	t.Parallel()
	for _, name := range builtinNames() {
		for _, kind := range []string{"", "none", "rtp", "webrtc"} {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				r := request{scenario: name, flags: runFlags{media: kind}}
				if s, err := scenario.Builtin(name); err != nil {
					t.Fatal(err)
				} else if s.Role() == scenario.UAC {
					r.target = "127.0.0.1:5060"
				}
				args := []string{"scenario", "lint", name}
				if kind != "" {
					args = append(args, "--media", kind)
				}
				p, err := prepare(t.Context(), &Env{}, r)
				if err != nil {
					launch(t, args...).end(t, ExitFailed)
					return
				}
				if said := launch(t, args...).end(t, ExitOK).stdout.String(); !strings.Contains(said, "media "+p.kind.String()+")") {
					t.Errorf("the run has %s, but lint said %s", p.kind, said)
				}
			})
		}
	}
}

func TestProfileCommands(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "p.yaml", "scenario: webrtc_uas\ntransports:\n  - {type: udp}\n  - {type: webrtc, ice_servers: [\"turn:h\"], ice_auth_secret: hush}\n")
	if said := launch(t, "profile", "lint", file).end(t, ExitOK).stdout.String(); !strings.Contains(said, ": ok") {
		t.Errorf("lint said %q", said)
	}
	shown := launchWith(t, []string{"GOSSIPPER_LOAD_RATE=33"}, "profile", "show", file).end(t, ExitOK).stdout.String()
	if !strings.Contains(shown, "33") || !strings.Contains(shown, "$GOSSIPPER_LOAD_RATE") || strings.Contains(shown, "hush") {
		t.Errorf("show said\n%s", shown)
	}
	if said := launch(t, "profile", "show").end(t, ExitOK).stdout.String(); !strings.Contains(said, "rate: 10") {
		t.Errorf("show without a file said\n%s", said)
	}
}

func TestProfileLintChecksTheFilesThatAreNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, yaml, says string }{
		{"scenario file", "scenario: no/such.xml\n", ":1:11: scenario: "},
		{"built-in scenario", "scenario: webrtc_ua\n", "did you mean webrtc_uac?"},
		{"sound", "scenario: call_uas\nmedia: {play: nothing.wav}\n", ":2:15: media.play: "},
		{"sound without scenario", "media: {play: nothing.wav}\n", ":1:15: media.play: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if said := launch(t, "profile", "lint", writeFile(t, "p.yaml", c.yaml)).end(t, ExitFailed).stdout.String(); !strings.Contains(said, c.says) {
				t.Errorf("it said %q, want something with %q", said, c.says)
			}
		})
	}
	for _, yaml := range []string{"scenario: uac\nmedia: {play: speech.wav}\n", "media: {play: speech.wav}\n", "media: {play: silence}\n", "name: x\n"} {
		launch(t, "profile", "lint", writeFile(t, "p.yaml", yaml)).end(t, ExitOK)
	}
}

// The known answer: HMAC-SHA1 and base64 by openssl of 1767229200:alice with the key "north".
func TestTURNCredential(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Unix(1767225600, 0) }
	for _, c := range []struct {
		name string
		args []string
		user string
	}{
		{"with identity", []string{"--identity", "alice", "--ttl", "1h"}, "1767229200:alice"},
		{"seconds", []string{"--identity", "alice", "--ttl", "3600"}, "1767229200:alice"},
		{"defaults", nil, "1767312000:gossipper"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			secret := writeFile(t, "secret", "north\n")
			var stdout output
			env := &Env{Args: append([]string{"turn", "credential", "--json", "--secret", "@" + secret}, c.args...), Stdout: &stdout, Stderr: &stdout, Now: now}
			if code := run(t.Context(), env); code != 0 {
				t.Fatalf("exit code %d: %s", code, stdout.String())
			}
			var got struct{ Username, Password, Expires string }
			if err := json.Unmarshal([]byte(stdout.String()), &got); err != nil {
				t.Fatal(err)
			}
			if got.Username != c.user {
				t.Errorf("user name %q, want %q", got.Username, c.user)
			}
			if c.user == "1767229200:alice" && (got.Password != "NtnEvQtTWyjHZIle0+Ms+zW2Ryc=" || got.Expires != "2026-01-01T01:00:00Z") {
				t.Errorf("password %q, expires %s", got.Password, got.Expires)
			}
		})
	}
	literal := launch(t, "turn", "credential", "--secret", "north").end(t, ExitOK)
	if !strings.Contains(literal.stderr.String(), "write @FILE or env:NAME") || !strings.Contains(literal.stdout.String(), "username: ") {
		t.Errorf("a literal secret: %s%s", literal.stdout.String(), literal.stderr.String())
	}
	launch(t, "turn", "credential", "--secret", "@/no/such").end(t, ExitUsage)
	launch(t, "turn", "credential", "--secret", "env:NONE").end(t, ExitUsage)
	launch(t, "turn", "credential", "--secret", "north", "--ttl", "-1h").end(t, ExitUsage)
}

func TestTURNCheck(t *testing.T) {
	t.Parallel()
	server := testpeer.Coturn(t)
	environ := []string{"RIGHT=" + server.Secret, "WRONG=not it"}
	good := launchWith(t, environ, "turn", "check", server.URL(), "--secret", "env:RIGHT", "--identity", "alice").end(t, ExitOK)
	for _, want := range []string{"works", ":alice", "relayed address", server.Realm} {
		if !strings.Contains(good.stdout.String(), want) {
			t.Errorf("it did not say %q:\n%s", want, good.stdout.String())
		}
	}
	bad := launchWith(t, environ, "turn", "check", server.URL(), "--secret", "env:WRONG").end(t, ExitFailed)
	if said := bad.stderr.String(); !strings.Contains(said, "401") || !strings.Contains(said, server.Addr.String()) || strings.Contains(said, "not it") {
		t.Errorf("with a wrong secret it said\n%s", said)
	}
	stun := launch(t, "turn", "check", "stun:"+server.Addr.String()).end(t, ExitOK)
	if !strings.Contains(stun.stdout.String(), "our address") {
		t.Errorf("of a STUN server it said\n%s", stun.stdout.String())
	}
	silent := launch(t, "turn", "check", "stun:"+testpeer.BlackHole(t).String(), "--timeout", "300ms").end(t, ExitFailed)
	if !strings.Contains(silent.stderr.String(), "nothing answered") {
		t.Errorf("of a server that is silent it said\n%s", silent.stderr.String())
	}
}

func TestVersionAndCompletion(t *testing.T) {
	t.Parallel()
	if said := launch(t, "version").end(t, ExitOK).stdout.String(); !strings.HasPrefix(said, "gossipper ") || !strings.Contains(said, "go1.") {
		t.Errorf("version said %q", said)
	}
	if said := launch(t, "completion", "bash").end(t, ExitOK).stdout.String(); !strings.Contains(said, "gossipper") {
		t.Errorf("completion said %q", said)
	}
	if said := launch(t, "__complete", "run", "web").end(t, ExitOK).stdout.String(); !strings.Contains(said, "webrtc_uac") {
		t.Errorf("completion of a scenario gives %q", said)
	}
}

// Every example of the help is a command line that the program understands, and every command has one.
func TestExamplesInTheHelp(t *testing.T) {
	t.Parallel()
	lines := 0
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, child := range cmd.Commands() {
			walk(child)
		}
		if cmd.Runnable() && !cmd.HasSubCommands() && cmd.Example == "" && cmd.Name() != "version" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		for line := range strings.Lines(cmd.Example) {
			lines++
			checkExample(t, cmd, strings.TrimSpace(line))
		}
	}
	walk(newRoot(&Env{}))
	if lines < 10 {
		t.Errorf("only %d examples", lines)
	}
}

func checkExample(t *testing.T, of *cobra.Command, line string) {
	t.Helper()
	line, _, _ = strings.Cut(line, " > ")
	words := strings.Fields(strings.ReplaceAll(line, "'", ""))
	if len(words) == 0 || words[0] != "gossipper" {
		t.Errorf("%s: the example %q does not begin with gossipper", of.CommandPath(), line)
		return
	}
	root := newRoot(&Env{})
	cmd, rest, err := root.Find(words[1:])
	if err != nil || cmd.CommandPath() != of.CommandPath() {
		t.Errorf("%q belongs to %s: %v", line, cmd.CommandPath(), err)
		return
	}
	if err := cmd.ParseFlags(rest); err != nil {
		t.Errorf("%q: %v", line, err)
		return
	}
	if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
		t.Errorf("%q: %v", line, err)
	}
}

// The examples of run that need nothing but this program are run as they are printed, on ports of their own.
func TestExamplesOfRunCanBeRun(t *testing.T) {
	t.Parallel()
	example := newRunCommand(&Env{}).Example
	for _, line := range strings.Split(example, "\n") {
		words := strings.Fields(line)[2:]
		if words[0] == "uas" || strings.HasPrefix(words[0], "-") {
			continue
		}
		t.Run(words[0], func(t *testing.T) {
			t.Parallel()
			answering := strings.Replace(words[0], "_uac", "_uas", 1)
			if answering == "uac" {
				answering = "uas"
			}
			media := []string{}
			if i := slices.Index(words, "--media"); i >= 0 {
				media = words[i : i+2]
			}
			uas, address := listen(t, append([]string{answering, "--calls", "2"}, media...)...)
			args := slices.Clone(words)
			args[1] = strings.Replace(args[1], "127.0.0.1:5060", address, 1)
			uac := launchRunWith(t, []string{"TURN_SECRET=x"}, append(args, "--calls", "2", "--hold", "100ms")...)
			uac.end(t, ExitOK)
			uas.end(t, ExitOK)
		})
	}
}

func TestOutcomesAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(resultsDoc)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := os.ReadFile(filepath.Join("..", "..", "docs", "schema", "call_record.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range outcome.All() {
		if !strings.Contains(string(text), "| `"+o.String()+"` |") {
			t.Errorf("docs/results.md lacks the outcome %v", o)
		}
		if !strings.Contains(string(schema), `"`+o.String()+`"`) {
			t.Errorf("the schema lacks the outcome %v", o)
		}
	}
}
