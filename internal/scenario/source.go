package scenario

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"
)

// MaxSize is the largest scenario file, in bytes.
const MaxSize = 4 << 20

var (
	errTooLarge = errors.New("the file is larger than 4 MiB")
	errUTF16    = errors.New("the file is in UTF-16")
)

// prepare makes XML text in UTF-8 of a scenario file.
//
// Scenarios say that they are ISO-8859-1 and hold what their authors like; a message is bytes. So each byte becomes the character of
// ISO-8859-1 with that number, and toBytes turns it back, whatever encoding is declared. \" within an attribute value, which SIPp
// allows and XML does not, becomes \&quot;. The number of lines does not change.
func prepare(data []byte) (string, error) {
	switch {
	case len(data) > MaxSize:
		return "", errTooLarge
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return "", errUTF16
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	var out strings.Builder
	out.Grow(len(text) + len(text)/8)
	for text != "" {
		n := markup(text)
		if text[0] == '<' && n > 1 && text[1] != '!' && text[1] != '?' {
			writeTag(&out, text[:n])
		} else {
			writeLatin1(&out, text[:n])
		}
		text = text[n:]
	}
	return out.String(), nil
}

// markup returns the length of the comment, CDATA section, instruction, tag or text at the start of s.
func markup(s string) int {
	for _, m := range [...]struct{ begin, end string }{
		{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}, {"<!", ">"},
	} {
		if strings.HasPrefix(s, m.begin) {
			if i := strings.Index(s[len(m.begin):], m.end); i >= 0 {
				return len(m.begin) + i + len(m.end)
			}
			return len(s)
		}
	}
	if s[0] != '<' {
		if i := strings.IndexByte(s, '<'); i >= 0 {
			return i
		}
		return len(s)
	}
	return tagLength(s)
}

// tagLength returns the length of the tag at the start of s; a > within quotes does not end it.
func tagLength(s string) int {
	quote := byte(0)
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case quote == '"' && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i + 1
		}
	}
	return len(s)
}

func writeTag(out *strings.Builder, tag string) {
	quote := byte(0)
	for i := 0; i < len(tag); i++ {
		c := tag[i]
		switch {
		case quote == '"' && c == '\\' && i+1 < len(tag):
			i++
			if tag[i] == '"' {
				out.WriteString(`\&quot;`)
				continue
			}
			out.WriteByte(c)
			c = tag[i]
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		}
		out.WriteRune(rune(c))
	}
}

func writeLatin1(out *strings.Builder, s string) {
	for i := range len(s) {
		out.WriteRune(rune(s[i]))
	}
}

// toBytes turns the characters of prepare back into the bytes of the file. A character reference beyond 255 becomes UTF-8.
func toBytes(s []byte) string {
	out := make([]byte, 0, len(s))
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		if r < 256 {
			out = append(out, byte(r))
		} else {
			out = append(out, s[:n]...)
		}
		s = s[n:]
	}
	return string(out)
}

// unescape replaces the backslash escapes that SIPp knows in attribute values. Any other backslash is text.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out = append(out, s[i])
			continue
		}
		i++
		switch s[i] {
		case '\\', '"':
			out = append(out, s[i])
		case 'n':
			out = append(out, '\n')
		case 't':
			out = append(out, '\t')
		case 'r':
			out = append(out, '\r')
		default:
			out = append(out, '\\', s[i])
		}
	}
	return string(out)
}
