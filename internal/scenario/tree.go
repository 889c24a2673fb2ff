package scenario

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// node is an XML element with the positions that encoding/xml does not keep.
type node struct {
	name     string
	line     int
	attrs    []*attr
	children []*node
	texts    []text
	closed   bool // the end tag was read: the element is complete
}

type attr struct {
	name, value string
	line        int
	used        bool
}

// text is character data that is not all blanks.
type text struct {
	line  int
	cdata bool
	value string
}

// Bounds for hostile files, far beyond what a scenario needs.
const (
	maxDepth      = 32
	maxElements   = 20_000
	maxAttributes = 64 // of one element
)

// readTree reads the XML text that prepare made. On a syntax error it returns what came before, too; the Problem lacks the file.
func readTree(src string) (*node, *Problem) {
	dec := xml.NewDecoder(strings.NewReader(src))
	dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // prepare took care of it
	top := &node{}
	stack := []*node{top}
	elements := 0
	for {
		line, _ := dec.InputPos()
		start := dec.InputOffset()
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return top, nil
		}
		parent := stack[len(stack)-1]
		if err != nil {
			return top, syntaxProblem(err, parent)
		}
		switch token := token.(type) {
		case xml.StartElement:
			elements++
			if text := beyondBounds(len(stack), elements, len(token.Attr)); text != "" {
				return top, &Problem{Line: line, Severity: Error, Text: text}
			}
			n := &node{name: qualified(token.Name), line: line, attrs: attributes(token.Attr, src[start:dec.InputOffset()], line)}
			parent.children = append(parent.children, n)
			stack = append(stack, n)
		case xml.EndElement:
			parent.closed = true
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if s := toBytes(token); strings.TrimSpace(s) != "" {
				cdata := strings.HasPrefix(src[start:], "<![CDATA[")
				if !cdata {
					line += strings.Count(s[:len(s)-len(strings.TrimLeft(s, " \t\n"))], "\n")
				}
				parent.texts = append(parent.texts, text{line: line, cdata: cdata, value: s})
			}
		}
	}
}

func beyondBounds(depth, elements, attributes int) string {
	switch {
	case depth > maxDepth:
		return fmt.Sprintf("elements are nested more than %d deep", maxDepth)
	case elements > maxElements:
		return fmt.Sprintf("the file has more than %d elements", maxElements)
	case attributes > maxAttributes:
		return fmt.Sprintf("an element has more than %d attributes", maxAttributes)
	}
	return ""
}

func qualified(name xml.Name) string {
	if name.Space != "" {
		return toBytes([]byte(name.Space + ":" + name.Local))
	}
	return toBytes([]byte(name.Local))
}

func attributes(list []xml.Attr, tag string, line int) []*attr {
	attrs := make([]*attr, len(list))
	for i, a := range list {
		name := qualified(a.Name)
		attrs[i] = &attr{name: name, value: unescape(toBytes([]byte(a.Value))), line: line + linesBefore(tag, name)}
	}
	return attrs
}

// linesBefore returns how many line ends come before the attribute in the tag.
func linesBefore(tag, name string) int {
	for from := 0; ; {
		i := strings.Index(tag[from:], name)
		if i < 0 {
			return 0
		}
		i += from
		after := strings.TrimLeft(tag[i+len(name):], " \t\n")
		if i > 0 && strings.IndexByte(" \t\n", tag[i-1]) >= 0 && strings.HasPrefix(after, "=") {
			return strings.Count(tag[:i], "\n")
		}
		from = i + 1
	}
}

func syntaxProblem(err error, open *node) *Problem {
	p := &Problem{Line: 1, Severity: Error, Text: err.Error()}
	var syntax *xml.SyntaxError
	if !errors.As(err, &syntax) {
		return p
	}
	p.Line, p.Text = syntax.Line, "XML: "+toBytes([]byte(syntax.Msg))
	switch {
	case strings.HasPrefix(syntax.Msg, "unexpected EOF") && open.name != "":
		p.Text = "XML: the file ends before </" + open.name + ">"
		p.Hint = fmt.Sprintf("<%s> of line %d is not closed", open.name, open.line)
	case strings.HasPrefix(syntax.Msg, "element <") && open.name != "":
		p.Hint = fmt.Sprintf("<%s> of line %d is not closed", open.name, open.line)
	case strings.HasPrefix(syntax.Msg, "invalid character entity"):
		p.Hint = "write &amp; for &"
	case strings.HasPrefix(syntax.Msg, "unescaped <"):
		p.Hint = "write &lt; for <"
	case strings.HasPrefix(syntax.Msg, "illegal character code"):
		p.Hint = `write \xNN in a message for the byte with the hexadecimal number NN`
	}
	return p
}
