package scenario

import (
	"strings"
	"testing"
)

func TestUnescape(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`plain`: "plain", `a\\b`: `a\b`, `\"`: `"`, `\n\t\r`: "\n\t\r", `\d\.`: `\d\.`, `end\`: `end\`, `\\n`: `\n`, "": "",
	} {
		if got := unescape(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestPrepare(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, want string }{
		{"quote in a value", `<a b="x\"y>"/>`, `<a b="x\&quot;y>"/>`},
		{"backslash before the end of a value", `<a b="x\\" c="y"/>`, `<a b="x\\" c="y"/>`},
		{"single quotes", `<a b='\"'/>`, `<a b='\"'/>`},
		{"CDATA is left alone", `<a><![CDATA[<b c="\"]]></a>`, `<a><![CDATA[<b c="\"]]></a>`},
		{"comment is left alone", `<!-- "\" > <a b="\"" -->`, `<!-- "\" > <a b="\"" -->`},
		{"not closed", `<a b="\`, `<a b="\`},
		{"bytes", "<a>\xe9</a>", "<a>\u00e9</a>"},
		{"line ends", "<a>\r\n\r\n\r</a>", "<a>\n\n\n</a>"},
		{"byte order mark", "\xef\xbb\xbf<a/>", "<a/>"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := prepare([]byte(tc.in))
			if err != nil || got != tc.want {
				t.Errorf("got %q, %v; want %q", got, err, tc.want)
			}
			if strings.HasPrefix(tc.name, "bytes") && toBytes([]byte(got)) != tc.in {
				t.Errorf("not turned back: %q", toBytes([]byte(got)))
			}
		})
	}
}

func TestClip(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a\nb\x01\xff": "a b??", strings.Repeat("ä", 40): strings.Repeat("ä", 30) + "…", strings.Repeat("a", 60): strings.Repeat("a", 60),
	} {
		if got := clip(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
