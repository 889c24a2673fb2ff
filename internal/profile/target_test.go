package profile

import "testing"

func TestParseTarget(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Target{
		"127.0.0.1":          {"", "127.0.0.1", 5060, UDP},
		"127.0.0.1:5070":     {"", "127.0.0.1", 5070, UDP},
		"sip.example.net":    {"", "sip.example.net", 5060, UDP},
		"[2001:db8::1]":      {"", "2001:db8::1", 5060, UDP},
		"[2001:db8::1]:5070": {"", "2001:db8::1", 5070, UDP},
		"service@192.0.2.1":  {"service", "192.0.2.1", 5060, UDP},
		"sip:192.0.2.1":      {"", "192.0.2.1", 5060, UDP},
		"SIP:+49301234@192.0.2.1:5080;user=phone":  {"+49301234", "192.0.2.1", 5080, UDP},
		"sip:a@b;transport=TCP":                    {"a", "b", 5060, TCP},
		"sip:a@b;lr;transport=wss?Subject=project": {"a", "b", 5060, WSS},
	} {
		got, err := ParseTarget(text)
		if err != nil || got != want {
			t.Errorf("%q is %+v, %v; want %+v", text, got, err, want)
		}
	}
	if got := (Target{Host: "2001:db8::1", Port: 5060}).Address(); got != "[2001:db8::1]:5060" {
		t.Errorf("the address is %s", got)
	}
}

func TestBadTargets(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "a b", "sips:a", "<sip:a@b>", "sip:", "sip:@b", "sip:u:p@b", "a:0", "a:65536", "a:x", "2001:db8::1", "[::1", "sip:a@b;transport=webrtc",
		"sip:a@b;transport=sctp", "http://x",
	} {
		if got, err := ParseTarget(text); err == nil {
			t.Errorf("%q is accepted as %+v", text, got)
		}
	}
}
