package template

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/gossipper/gossipper/internal/nearest"
)

const literalBracket = `write \x5B for a bracket that begins no keyword`

// maxOffset bounds the n of [keyword+n].
const maxOffset = 1_000_000

// bracket compiles what begins with "[" at the start of s and returns how much of s it is.
func (c *compiler) bracket(s string, lineStart bool) (length int, isSDP bool) {
	end := closing(s)
	if end < 0 {
		c.problem(Error, "[ without ] on the same line", literalBracket)
		return len(s), false
	}
	word := s[1:end]
	if isIPv6(word) {
		c.literal(s[:end+1])
		return end + 1, false
	}
	f, ok := c.word(word)
	if !ok {
		return end + 1, false
	}
	isSDP = f.key.isSDP()
	switch {
	case isSDP && !c.plain && (!lineStart || !c.inBody):
		c.problem(Error, "["+word+"] does not stand at the start of a line in the body",
			"it is a whole SDP body: put it on a line of its own, after the blank line")
		return end + 1, isSDP
	case f.key == KeyLen:
		if c.lens++; c.lens > maxLens {
			c.problem(Error, "[len] occurs more than "+strconv.Itoa(maxLens)+" times", "once in Content-Length is enough")
			return end + 1, false
		}
	case f.key == KeyVariable && !c.vars[f.text]:
		c.vars[f.text] = true
		c.t.vars = append(c.t.vars, f.text)
	}
	c.add(f)
	return end + 1, isSDP
}

// closing returns the index of the bracket that closes the one at the start of s, on the same line; -1 if there is none.
func closing(s string) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '[':
			depth++
		case ']':
			if depth--; depth == 0 {
				return i
			}
		case '\n':
			return -1
		}
	}
	return -1
}

// isIPv6 tells whether the text in brackets is an IPv6reference of RFC 3261 25.1.
func isIPv6(word string) bool {
	if len(word) < 2 || strings.Count(word, ":") < 2 {
		return false
	}
	addr, err := netip.ParseAddr(word)
	return err == nil && addr.Is6()
}

// word finds the keyword; it reports a problem if there is none.
func (c *compiler) word(word string) (field, bool) {
	if name, ok := strings.CutPrefix(word, "$"); ok {
		return c.variable(name)
	}
	if k := lookUp(word); k != 0 {
		return field{key: k, bare: c.inBody || c.plain}, true
	}
	if name, ok := strings.CutPrefix(word, "last_"); ok && !isLastNumber(word) {
		return c.lastHeader(word, name)
	}
	base, offset, hasOffset := cutOffset(word)
	k := lookUp(base)
	switch {
	case k == 0 || !hasOffset:
		c.unknown(word)
		return field{}, false
	case !k.takesOffset():
		c.problem(Error, "["+base+"] takes no offset", "write ["+base+"]")
		return field{}, false
	}
	n, err := strconv.Atoi(offset)
	if err != nil || n > maxOffset || n < -maxOffset {
		c.problem(Error, "the offset in ["+clip(word)+"] is too large", "the limit is "+strconv.Itoa(maxOffset))
		return field{}, false
	}
	return field{key: k, n: n}, true
}

// isLastNumber tells whether the word is [last_cseq_number] with an offset.
func isLastNumber(word string) bool {
	base, _, ok := cutOffset(word)
	return ok && base == keywordNames[KeyLastCSeqNumber]
}

func (c *compiler) variable(name string) (field, bool) {
	if name == "" || strings.ContainsAny(name, " \t[]$") {
		c.problem(Error, "[$"+clip(name)+"] names no variable", "write [$name]")
		return field{}, false
	}
	return field{key: KeyVariable, text: name}, true
}

func (c *compiler) lastHeader(word, name string) (field, bool) {
	name = strings.TrimSuffix(name, ":")
	if !isToken(name) {
		c.problem(Error, "["+clip(word)+"] names no header", "write [last_Via:] for the Via header of the last message received")
		return field{}, false
	}
	return field{key: KeyLastHeader, text: name}, true
}

func (c *compiler) unknown(word string) {
	base, _, _ := strings.Cut(word, " ")
	if isUnsupported(base) {
		c.problem(Error, "["+clip(base)+"] is not supported yet", "")
		return
	}
	hint := literalBracket
	if base, offset, ok := cutOffset(base); ok {
		if near := nearest.Word(base, suggestions()); near != "" {
			hint = "did you mean [" + near + offset + "]?"
		}
	} else if near := nearest.Word(base, suggestions()); near != "" {
		hint = "did you mean [" + near + "]?"
	}
	c.problem(Error, "unknown keyword ["+clip(word)+"]", hint)
}

// lookUp returns the keyword of this name, 0 if there is none.
func lookUp(name string) Keyword {
	for k := Keyword(1); k < keywords; k++ {
		if keywordNames[k] == name && k != KeyLastHeader && k != KeyVariable {
			return k
		}
	}
	return 0
}

func suggestions() []string {
	names := make([]string, 0, keywords)
	for k := Keyword(1); k < keywords; k++ {
		if k != KeyLastHeader && k != KeyVariable {
			names = append(names, keywordNames[k])
		}
	}
	return names
}

// cutOffset splits "word+n" and "word-n".
func cutOffset(word string) (base, offset string, ok bool) {
	i := strings.LastIndexAny(word, "+-")
	if i <= 0 || i == len(word)-1 || strings.Trim(word[i+1:], "0123456789") != "" {
		return word, "", false
	}
	return word[:i], word[i:], true
}

// SIPp's keywords that have no meaning here yet, whole and by their beginnings.
var (
	unsupportedWords = []string{
		"authentication", "auto_media_port", "date", "dynamic_id", "file", "fill", "rtpstream_audio_port", "rtpstream_video_port",
		"sipp_version", "tdmmap", "userid", "users", "webrtc_trickle",
	}
	unsupportedPrefixes = []string{"cryptokeyparams", "cryptosuite", "cryptotag", "field", "ueaescm128sha1"}
)

func isUnsupported(word string) bool {
	if base, _, ok := cutOffset(word); ok {
		word = base
	}
	if slices.Contains(unsupportedWords, word) {
		return true
	}
	for _, prefix := range unsupportedPrefixes {
		if rest, ok := strings.CutPrefix(word, prefix); ok && rest != "" && (prefix != "field" || strings.Trim(rest, "0123456789") == "") {
			return true
		}
	}
	return false
}

// clip shortens hostile text for a message.
func clip(s string) string {
	const most = 60
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

func quote(s string) string { return `"` + clip(s) + `"` }
