package main

import (
	"testing"
)

func TestSecondsOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		want int
		ok   bool
	}{{"3600", 3600, true}, {"1h", 3600, true}, {"90s", 90, true}, {"-5", -5, true}, {"soon", 0, false}, {"", 0, false}, {"9999999h", 0, false}} {
		got, err := secondsOf(c.in)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("secondsOf(%q) = %d, %v; want %d", c.in, got, err, c.want)
		}
	}
}
