package scenario

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/gossipper/gossipper/internal/nearest"
)

// maxProblems bounds how many problems of one file are reported.
const maxProblems = 100

// Parse reads a scenario. An error is a *ParseError: it names every mistake of the file at once.
//
// file is what messages call the file. dir resolves the files that the scenario names; if it is nil, they are not looked for.
func Parse(file string, data []byte, dir fs.FS) (*Scenario, error) {
	b := &builder{
		s:      &Scenario{File: file, Dir: dir},
		labels: map[string]label{}, vars: map[string]*variable{}, rtds: map[string]*rtd{},
	}
	if src, err := prepare(data); err != nil {
		b.errorf(1, err.Error(), "save it as UTF-8 or ISO-8859-1, with at most 4 MiB")
	} else {
		b.build(src)
	}
	return b.result()
}

// builder is the state of one Parse.
type builder struct {
	s        *Scenario
	problems []Problem
	known    []string // the attributes that the element at hand takes

	labels map[string]label
	jumps  []jump
	vars   map[string]*variable
	rtds   map[string]*rtd
	// optionalRecv is the last recv if it is optional and no mandatory one came after it.
	optionalRecv *node
	// answering is the request of the last recv of a request.
	answering string
}

type label struct{ step, line int }

// jump is a label in a next or ontimeout attribute, which can come before the label itself.
type jump struct {
	to        *attr
	step      int
	onTimeout bool
}

func (b *builder) errorf(line int, text, hint string) {
	b.problems = append(b.problems, Problem{File: b.s.File, Line: line, Severity: Error, Text: text, Hint: hint})
}

func (b *builder) warnf(line int, text, hint string) {
	b.problems = append(b.problems, Problem{File: b.s.File, Line: line, Severity: Warning, Text: text, Hint: hint})
}

// build interprets the XML text.
func (b *builder) build(src string) {
	top, syntax := readTree(src)
	if syntax != nil {
		b.errorf(syntax.Line, syntax.Text, syntax.Hint)
	}
	b.strayText(top)
	for i, n := range top.children {
		switch {
		case n.name != "scenario":
			b.errorf(n.line, "the root element is <"+clip(n.name)+">", "a scenario file begins with <scenario>")
		case i > 0:
			b.errorf(n.line, "there is a second root element", "one file holds one <scenario>")
		default:
			b.scenario(n)
		}
	}
	if syntax != nil {
		return // what is missing would cause errors that are not there
	}
	if len(top.children) == 0 {
		b.errorf(1, "the file holds no XML element", "a scenario file begins with <scenario>")
		return
	}
	if root := top.children[0]; root.name == "scenario" {
		b.finish(root)
	}
}

func (b *builder) scenario(n *node) {
	b.s.Name = b.str(n, "name")
	if b.s.Name == "" {
		b.s.Name = strings.TrimSuffix(path.Base(strings.ReplaceAll(b.s.File, `\`, "/")), ".xml")
	}
	switch b.choice(n, "webrtc", "true", "false") {
	case 0:
		b.s.WebRTC = On
	case 1:
		b.s.WebRTC = Off
	}
	b.rest(n)
	b.strayText(n)
	for _, child := range n.children {
		if child.closed {
			b.element(child)
		}
	}
}

// strayText warns of text where only elements have a meaning.
func (b *builder) strayText(n *node) {
	for _, t := range n.texts {
		b.warnf(t.line, "the text "+quote(strings.TrimSpace(t.value))+" is ignored", "")
	}
}

// SIPp's elements that have no meaning here yet.
var unsupportedElements = []string{"DefaultMessage", "init", "recvCmd", "sendCmd"}

// elements are those that stand in <scenario>.
var elements = []string{
	"send", "recv", "pause", "nop", "label", "timewait", "Reference", "Global", "User", "CallLengthRepartition", "ResponseTimeRepartition",
}

func (b *builder) element(n *node) {
	switch n.name {
	case "send":
		b.send(n)
	case "recv":
		b.recv(n)
	case "pause", "timewait":
		b.pause(n)
	case "nop":
		b.nop(n)
	case "label":
		b.label(n)
	case "Reference":
		b.reference(n)
	case "Global":
		b.declare(n, Global)
	case "User":
		b.declare(n, PerUser)
	case "CallLengthRepartition", "ResponseTimeRepartition":
		b.warnf(n.line, "<"+n.name+"> has no effect yet", "the run records percentiles instead")
	default:
		b.unknownElement(n, "scenario", elements)
	}
}

// unknownElement reports an element that cannot stand where it does.
func (b *builder) unknownElement(n *node, parent string, known []string) {
	switch {
	case slices.Contains(actions, n.name):
		b.errorf(n.line, "<"+n.name+"> cannot stand in <"+parent+">", "put it in the <action> of a step")
		return
	case slices.Contains(elements, n.name):
		b.errorf(n.line, "<"+n.name+"> cannot stand in <"+parent+">", "put it in <scenario>")
		return
	}
	if instead, isAction := unsupportedActions[n.name]; isAction || slices.Contains(unsupportedElements, n.name) {
		b.errorf(n.line, "<"+n.name+"> is not supported yet", instead)
		return
	}
	hint := ""
	if near := nearest.Word(n.name, known); near != "" {
		hint = "did you mean <" + near + ">?"
	}
	b.errorf(n.line, "unknown element <"+clip(n.name)+">", hint)
}

// noChildren reports elements and text in an element that holds none.
func (b *builder) noChildren(n *node) {
	b.strayText(n)
	for _, child := range n.children {
		b.errorf(child.line, "<"+clip(child.name)+"> cannot stand in <"+n.name+">", "")
	}
}

func (b *builder) label(n *node) {
	id := b.take(n, "id")
	b.rest(n)
	b.noChildren(n)
	if id == nil || id.value == "" {
		b.errorf(n.line, "<label> has no id", `write <label id="name"/>`)
		return
	}
	if first, ok := b.labels[id.value]; ok {
		b.errorf(id.line, "the label "+quote(id.value)+" exists already", fmt.Sprintf("it is on line %d", first.line))
		return
	}
	b.labels[id.value] = label{step: len(b.s.Steps), line: n.line}
}

// result sorts the problems and decides whether there is a scenario.
func (b *builder) result() (*Scenario, error) {
	slices.SortStableFunc(b.problems, func(x, y Problem) int { return cmp.Compare(x.Line, y.Line) })
	failed := slices.ContainsFunc(b.problems, func(p Problem) bool { return p.Severity == Error })
	if failed {
		return nil, &ParseError{Problems: limit(b.problems)}
	}
	b.s.Warnings = limit(b.problems)
	return b.s, nil
}

// limit keeps the errors, and as many warnings as there is room for.
func limit(problems []Problem) []Problem {
	surplus := len(problems) - maxProblems
	if surplus <= 0 {
		return problems
	}
	slices.SortStableFunc(problems, func(x, y Problem) int { return cmp.Compare(x.Severity, y.Severity) })
	problems = problems[:maxProblems]
	slices.SortStableFunc(problems, func(x, y Problem) int { return cmp.Compare(x.Line, y.Line) })
	last := problems[len(problems)-1]
	return append(problems, Problem{
		File: last.File, Line: last.Line, Severity: last.Severity, Text: fmt.Sprintf("%d more problems are not shown", surplus),
	})
}
