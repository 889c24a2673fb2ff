package scenario

import (
	"strings"
	"unicode/utf8"
)

// clip makes text of the file fit for a message: short, on one line, without control characters.
func clip(s string) string {
	const most = 60
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < ' ' || r == 0x7f:
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) <= most {
		return s
	}
	end := most
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

func quote(s string) string { return `"` + clip(s) + `"` }
