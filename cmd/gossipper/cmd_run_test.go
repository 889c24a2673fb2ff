package main

import (
	"strings"
	"testing"
)

func TestScenarioAndTarget(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "a:5060", "")
	for _, c := range []struct {
		name             string
		args             []string
		scenario, target string
	}{
		{"nothing", nil, "", ""},
		{"both", []string{"uac", "127.0.0.1:5060"}, "uac", "127.0.0.1:5060"},
		{"both, in spite of its look", []string{"h:1", "h:2"}, "h:1", "h:2"},
		{"built-in", []string{"uac"}, "uac", ""},
		{"file", []string{"dir/mine.xml"}, "dir/mine.xml", ""},
		{"file that looks like a target", []string{file}, file, ""},
		{"address and port", []string{"127.0.0.1:5094"}, "", "127.0.0.1:5094"},
		{"IPv6", []string{"[::1]:5094"}, "", "[::1]:5094"},
		{"URI", []string{"sip:alice@example.net"}, "", "sip:alice@example.net"},
		{"URI in capitals", []string{"SIP:alice@example.net"}, "", "SIP:alice@example.net"},
		{"a word", []string{"sip"}, "sip", ""},
		{"no port", []string{"a:b"}, "a:b", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if s, target := scenarioAndTarget(c.args); s != c.scenario || target != c.target {
				t.Errorf("scenario %q, target %q; want %q, %q", s, target, c.scenario, c.target)
			}
		})
	}
}

func TestTargetForTheScenarioOfAProfile(t *testing.T) {
	t.Parallel()
	uas, address := listen(t, "uas", "--calls", "1", "--media", "none")
	file := writeFile(t, "p.yaml", "scenario: uac\ntarget: 127.0.0.1:1\nload: {calls: 1}\n")
	uac := launchRun(t, "-p", file, address, "--media", "none")
	uac.end(t, ExitOK)
	uas.end(t, ExitOK)
	if said := launch(t, "run", address).end(t, ExitUsage).stderr.String(); !strings.Contains(said, "no scenario") {
		t.Errorf("without a profile it said %q", said)
	}
}

func TestDirectoryThatCannotBeMade(t *testing.T) {
	t.Parallel()
	// Nobody can make a directory in a file.
	dir := writeFile(t, "file", "") + "/run"
	said := launch(t, "run", "uas", "--local", "127.0.0.1:0", "--out", dir).end(t, ExitFatal).stderr.String()
	if want := "the run directory " + dir + " cannot be created: not a directory: give --out a directory that you can write to"; !strings.Contains(said, want) {
		t.Errorf("it said %q, want %q", said, want)
	}
}
