package profile

import "testing"

func TestSuggestion(t *testing.T) {
	t.Parallel()
	known := []string{"rate", "period", "gather_timeout"}
	for word, want := range map[string]string{
		"rat": "rate", "raet": "rate", "Rate": "rate", "gather_timout": "gather_timeout", "peroid": "period", "gather": "", "x": "", "": "",
	} {
		if want != "" {
			want = `; did you mean "` + want + `"?`
		}
		if got := suggestion(word, known); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"0s", "5s", "400ms", "1m30s", "1m", "1h", "1h0m5s", "24h", "1.5s"} {
		d, err := parseDuration(text)
		if err != nil || d.String() != text {
			t.Errorf("%s becomes %v, %v", text, d, err)
		}
	}
}
