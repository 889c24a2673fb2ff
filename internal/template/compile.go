package template

import (
	"strings"
)

// Options say what kind of text is compiled.
type Options struct {
	// Plain is for text that is no SIP message (that of a log action): it is taken as it stands.
	Plain bool
}

// Compile turns a text into a Template. The Template is nil if there is an error among the problems; they come in the order of
// the lines.
//
// A message is put into shape as SIPp does: blank lines at both ends and blanks at both ends of each line are removed, lines end
// with CRLF, and a message that is all header gets the blank line that ends it. A body ends with a line end if the text has one
// there.
//
// \xNN stands for the byte with that hexadecimal number, so \x5B is a bracket that begins no keyword. An IPv6 address in brackets
// is text as well; any other word in brackets has to be a keyword. Keywords for IP addresses put IPv6 into brackets in the header
// of a message and leave it bare in the body.
//
// A keyword that stands for a whole SDP body brings its own line end; if the blank line before it is missing, it is added.
func Compile(text string, opts Options) (*Template, []Problem) {
	c := compiler{t: &Template{headers: map[string]bool{}}, vars: map[string]bool{}, plain: opts.Plain}
	if opts.Plain {
		c.line = 1
		c.text(text)
	} else {
		c.message(text)
	}
	c.flush()
	for _, p := range c.problems {
		if p.Severity == Error {
			return nil, c.problems
		}
	}
	return c.t, c.problems
}

// maxProblems bounds how many errors, and how many warnings, of one text are reported.
const maxProblems = 100

// compiler is the state of one Compile.
type compiler struct {
	t        *Template
	plain    bool
	vars     map[string]bool
	problems []Problem
	errors   int // among the problems

	line   int // of the text, from 1
	inBody bool
	lens   int
	// out is literal text that does not belong to a field yet.
	out strings.Builder
}

func (c *compiler) problem(severity Severity, text, hint string) {
	if severity == Error {
		if c.errors++; c.errors > maxProblems {
			return
		}
	} else if len(c.problems)-c.errors >= maxProblems {
		return
	}
	c.problems = append(c.problems, Problem{Line: c.line, Severity: severity, Text: text, Hint: hint})
}

// message compiles the lines of a SIP message.
func (c *compiler) message(text string) {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.Trim(lines[i], " \t\r")
	}
	first, last := 0, len(lines)-1
	for first <= last && lines[first] == "" {
		first++
	}
	for last >= first && lines[last] == "" {
		last--
	}
	if first > last {
		c.line = 1
		c.problem(Error, "the message is empty", "begin with a request line or a status line")
		return
	}
	lineEnd := last < len(lines)-1 // whether the text has a line end after its last line
	afterSDP := false
	for i := first; i <= last; i++ {
		c.line = i + 1
		afterSDP = c.messageLine(lines[i], i == first)
		if !afterSDP && (i < last || lineEnd || !c.inBody) {
			c.literal("\r\n")
		}
	}
	if !c.inBody {
		c.literal("\r\n")
	}
}

// messageLine compiles a line without its end. It reports whether the line ended with an SDP keyword.
func (c *compiler) messageLine(line string, first bool) (endsWithSDP bool) {
	switch {
	case c.inBody:
		if c.t.mediaAt == 0 && strings.HasPrefix(line, "m=") {
			c.t.mediaAt = c.line
		}
	case line == "":
		c.inBody = true
	case startsWithSDP(line):
		c.problem(Warning, "there is no blank line between the header and "+line[:strings.IndexByte(line, ']')+1],
			"one is inserted; write it to be clear")
		c.literal("\r\n")
		c.inBody = true
	case !first:
		c.header(line)
	}
	return c.text(line)
}

// header takes note of a header line.
func (c *compiler) header(line string) {
	if line[0] == '[' {
		name, isLast := strings.CutPrefix(line, "[last_")
		if isLast {
			name, _, _ = strings.Cut(name, "]")
			c.t.headers[canonical(strings.TrimSuffix(name, ":"))] = true
		}
		return
	}
	name, _, ok := strings.Cut(line, ":")
	if name = strings.TrimRight(name, " \t"); !ok || !isToken(name) && !strings.ContainsAny(name, "[\\") {
		c.problem(Warning, "the header line "+quote(line)+" has no name with a colon", "write Name: value")
		return
	}
	c.t.headers[canonical(name)] = true
}

// startsWithSDP tells whether the line begins with a keyword that stands for an SDP body.
func startsWithSDP(line string) bool {
	for k := KeySDPOffer; k <= KeyWebRTCAnswer; k++ {
		if strings.HasPrefix(line, "["+keywordNames[k]+"]") {
			return true
		}
	}
	return false
}

// text compiles literal text, \xNN and keywords. It reports whether the text ended with an SDP keyword.
func (c *compiler) text(s string) (endsWithSDP bool) {
	atStart := true
	for s != "" && c.errors < maxProblems {
		i := strings.IndexAny(s, "[\\\n")
		if i < 0 {
			c.literal(s)
			return false
		}
		c.literal(s[:i])
		atStart = atStart && i == 0
		s = s[i:]
		switch {
		case s[0] == '\n':
			c.literal("\n")
			c.line++
			s = s[1:]
		case s[0] == '\\':
			s = c.escape(s)
		default:
			n, sdp := c.bracket(s, atStart)
			s = s[n:]
			if sdp && s == "" {
				return true
			}
		}
		atStart = false
	}
	return false
}

// escape compiles \xNN and returns what follows it. Any other backslash is text.
func (c *compiler) escape(s string) string {
	if len(s) >= 4 && s[1] == 'x' {
		hi, lo := unhex(s[2]), unhex(s[3])
		if hi >= 0 && lo >= 0 {
			c.out.WriteByte(byte(hi<<4 | lo))
			return s[4:]
		}
	}
	c.literal(s[:1])
	return s[1:]
}

func unhex(b byte) int {
	switch {
	case b >= '0' && b <= '9':
		return int(b - '0')
	case b >= 'a' && b <= 'f':
		return int(b-'a') + 10
	case b >= 'A' && b <= 'F':
		return int(b-'A') + 10
	}
	return -1
}

func (c *compiler) literal(s string) { c.out.WriteString(s) }

// flush makes a field of the literal text collected so far.
func (c *compiler) flush() {
	if c.out.Len() == 0 {
		return
	}
	s := c.out.String()
	c.out = strings.Builder{}
	if len(c.t.fields) == 0 {
		c.t.start = s
	}
	c.t.fields = append(c.t.fields, field{text: s})
}

// add appends the field of a keyword.
func (c *compiler) add(f field) {
	c.flush()
	c.t.note(f.key, c.line)
	c.t.fields = append(c.t.fields, f)
}
