package nearest

import (
	"strings"
	"testing"
)

func TestWord(t *testing.T) {
	t.Parallel()
	names := []string{"uac", "uas", "webrtc_uac", "webrtc_uas", "options_ping"}
	for word, want := range map[string]string{
		"uac": "uac", "UAS": "uas", "uax": "uac", "webrtc-uas": "webrtc_uas", "webrtc_usa": "webrtc_uas", "option_ping": "options_ping",
		"": "", "registrar": "", "x": "", "ua": "", strings.Repeat("a", 1000): "",
	} {
		if got := Word(word, names); got != want {
			t.Errorf("%.20q: got %q, want %q", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "abc", 3}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"kitten", "sitting", 3}} {
		if got := distance(tc.a, tc.b); got != tc.want {
			t.Errorf("%q, %q: got %d, want %d", tc.a, tc.b, got, tc.want)
		}
	}
}
