package profile

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration that is written with its unit: 5s, 400ms, 1m30s.
type Duration time.Duration

// String returns the duration as it is written in a profile.
func (d Duration) String() string {
	text := time.Duration(d).String()
	// time.Duration writes 1h0m0s and 1m0s; the zeros at the end say nothing.
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// MarshalText returns the duration as it is written in a profile.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

var errNoUnit = errors.New("a duration needs a unit")

// parseDuration reads what String writes.
func parseDuration(text string) (Duration, error) {
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return 0, errNoUnit
	}
	d, err := time.ParseDuration(text)
	return Duration(d), err
}
