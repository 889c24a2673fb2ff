package template

import "strings"

// canonical returns the name of a header in lower case and in its long form (RFC 3261 7.3.3).
func canonical(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	if len(name) != 1 {
		return name
	}
	switch name[0] {
	case 'i':
		return "call-id"
	case 'm':
		return "contact"
	case 'e':
		return "content-encoding"
	case 'l':
		return "content-length"
	case 'c':
		return "content-type"
	case 'f':
		return "from"
	case 's':
		return "subject"
	case 'k':
		return "supported"
	case 't':
		return "to"
	case 'v':
		return "via"
	}
	return name
}

// isToken tells whether s is a token of RFC 3261 25.1, as header names and methods are.
func isToken(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case strings.IndexByte("-.!%*_+`'~", c) >= 0:
		default:
			return false
		}
	}
	return true
}
