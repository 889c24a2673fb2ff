package sip

import "bytes"

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isSpace is the white space that folds a line.
func isSpace(c byte) bool { return c == ' ' || c == '\t' }

// isBlank is white space including line ends.
func isBlank(c byte) bool { return c <= ' ' && (c == ' ' || c == '\t' || c == '\r' || c == '\n') }

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// equalFold compares ASCII text without regard to case.
func equalFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i, c := range b {
		if c != s[i] && lower(c) != lower(s[i]) {
			return false
		}
	}
	return true
}

func trailingSpace(b []byte) int {
	n := 0
	for n < len(b) && isSpace(b[len(b)-1-n]) {
		n++
	}
	return n
}

func trimBlank(b []byte) []byte {
	for len(b) > 0 && isBlank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isBlank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// splitter cuts text at a separator that stands outside quoted strings and angle brackets. A quote or bracket that is never closed
// is an ordinary character; that is remembered, so that the work is linear in hostile text too.
type splitter struct {
	rest                     []byte
	plainQuote, plainBracket bool
}

// cut returns the text up to the next separator and keeps what follows; found is false if there was no separator left.
func (s *splitter) cut(separator byte) (one []byte, found bool) {
	b := s.rest
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == separator:
			s.rest = b[i+1:]
			return b[:i], true
		case b[i] == '"' && !s.plainQuote:
			n := quoted(b[i:])
			s.plainQuote = n == 0
			i += n
		case b[i] == '<' && !s.plainBracket:
			n := bytes.IndexByte(b[i:], '>')
			s.plainBracket = n < 0
			i += max(n, 0)
		}
	}
	s.rest = nil
	return b, false
}

// quoted returns how far the closing quote is from the opening one that b begins with; 0 if there is none.
func quoted(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return 0
}

// firstOf returns the first value of a comma-separated list.
func firstOf(list []byte) []byte {
	s := splitter{rest: list}
	one, _ := s.cut(',')
	return trimBlank(one)
}

// param finds a parameter behind the first semicolon of "value;a=1;b;c=2". Its value is without quotes.
func param(value []byte, name string) ([]byte, bool) {
	s := splitter{rest: value}
	_, more := s.cut(';')
	for more {
		var one []byte
		one, more = s.cut(';')
		key, text, _ := bytes.Cut(one, []byte("="))
		if equalFold(trimBlank(key), name) {
			return unquote(trimBlank(text)), true
		}
	}
	return nil, false
}

func unquote(b []byte) []byte {
	if len(b) >= 2 && b[0] == '"' && b[len(b)-1] == '"' {
		return b[1 : len(b)-1]
	}
	return b
}

// bracketed finds the <…> of a name-addr, behind a quoted display name if there is one (RFC 3261 20.10).
func bracketed(address []byte) (uri, params []byte, ok bool) {
	open := indexOutsideQuotes(address, '<')
	if open < 0 {
		return nil, nil, false
	}
	end := bytes.IndexByte(address[open:], '>')
	if end < 0 {
		return nil, nil, false
	}
	return address[open+1 : open+end], address[open+end+1:], true
}

func indexOutsideQuotes(b []byte, c byte) int {
	plain := false
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == c:
			return i
		case b[i] == '"' && !plain:
			n := quoted(b[i:])
			plain = n == 0
			i += n
		}
	}
	return -1
}

// addressURI returns the URI of a name-addr or addr-spec.
func addressURI(address []byte) []byte {
	if uri, _, ok := bracketed(address); ok {
		return trimBlank(uri)
	}
	if n := bytes.IndexByte(address, ';'); n >= 0 {
		address = address[:n] // without brackets, parameters are the header's (RFC 3261 20)
	}
	return trimBlank(address)
}

// addressTag returns the tag of a From or To value.
func addressTag(address []byte) []byte {
	_, params, ok := bracketed(address)
	if !ok {
		params = address
	}
	tag, _ := param(params, "tag")
	return tag
}
