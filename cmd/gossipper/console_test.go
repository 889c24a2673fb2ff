package main

import (
	"bytes"
	"testing"
)

func TestConsoleErasesTheStatusLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	c := &console{to: &out}
	c.say("one\n")
	c.showStatus("status")
	c.say("two")
	c.clearStatus()
	if want := "one\n" + eraseLine + "status" + eraseLine + "two\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
