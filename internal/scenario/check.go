package scenario

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gossipper/gossipper/internal/nearest"
	"github.com/gossipper/gossipper/internal/template"
)

// variable is what the parser knows of a scenario variable.
type variable struct {
	index    int
	line     int // of the first use
	uses     int
	assigned bool
	// exempt: declared, or named by Reference.
	exempt bool
}

type rtd struct {
	index   int
	line    int // of the first start
	stopped bool
}

// use returns the variable, which comes into being with its first use.
func (b *builder) use(name string, line int) *variable {
	v := b.vars[name]
	if v == nil {
		v = &variable{index: len(b.s.Variables), line: line}
		b.vars[name] = v
		b.s.Variables = append(b.s.Variables, Variable{Name: name})
	}
	return v
}

// read takes note that a variable is read and returns its index.
func (b *builder) read(name string, line int) int {
	v := b.use(name, line)
	v.uses++
	return v.index
}

// assign takes note that a variable is set and returns its index.
func (b *builder) assign(name string, line int) int {
	name = strings.TrimPrefix(name, "$")
	v := b.use(name, line)
	v.uses++
	v.assigned = true
	return v.index
}

// declare reads <Global> and <User>.
func (b *builder) declare(n *node, scope Scope) {
	names, line := b.names(n, "variables")
	b.rest(n)
	b.noChildren(n)
	if names == nil && !b.hasAttr(n, "variables") {
		b.errorf(n.line, "<"+n.name+"> has no variables", "write <"+n.name+` variables="a,b"/>`)
	}
	for _, name := range names {
		v := b.use(strings.TrimPrefix(name, "$"), line)
		v.exempt = true
		if was := b.s.Variables[v.index].Scope; was != PerCall && was != scope {
			b.errorf(line, "the variable "+clip(name)+" is declared both <Global> and <User>", "declare it once")
		}
		b.s.Variables[v.index].Scope = scope
	}
}

// reference reads <Reference>, which exempts variables from the check that they are used twice.
func (b *builder) reference(n *node) {
	names, line := b.names(n, "variables")
	b.rest(n)
	b.noChildren(n)
	if names == nil && !b.hasAttr(n, "variables") {
		b.errorf(n.line, "<Reference> has no variables", `write <Reference variables="a,b"/>`)
	}
	for _, name := range names {
		name = strings.TrimPrefix(name, "$")
		v := b.vars[name]
		if v == nil {
			b.errorf(line, "no step before this line uses the variable "+quote(name), "put <Reference> at the end, or correct the name")
			continue
		}
		v.exempt = true
	}
}

// rtdList reads a comma list of response time durations. SIPp's rtd="true" is the one called 1.
func (b *builder) rtdList(n *node, name string) []int {
	names, line := b.names(n, name)
	var list []int
	for _, id := range names {
		switch id {
		case "false":
			continue
		case "true":
			id = "1"
		}
		r := b.rtds[id]
		if r == nil {
			r = &rtd{index: len(b.s.RTDs)}
			b.rtds[id] = r
			b.s.RTDs = append(b.s.RTDs, id)
		}
		if name == "rtd" {
			r.stopped = true
		} else if r.line == 0 {
			r.line = line
		}
		if !slices.Contains(list, r.index) {
			list = append(list, r.index)
		}
	}
	return list
}

// finish makes the checks that need the whole scenario.
func (b *builder) finish(root *node) {
	b.resolveJumps()
	for _, v := range b.s.Variables {
		b.checkVariable(v, b.vars[v.Name])
	}
	for _, name := range b.s.RTDs {
		if r := b.rtds[name]; !r.stopped {
			b.errorf(r.line, "the response time "+quote(name)+" is started and never stopped", `write rtd="`+clip(name)+`" at the step that ends it`)
		}
	}
	if n := b.optionalRecv; n != nil {
		b.warnf(n.line, "the optional <recv> is the last step", "the call only ends when it comes; a mandatory <recv> says so plainly")
	}
	b.checkSteps(root)
}

func (b *builder) resolveJumps() {
	ids := make([]string, 0, len(b.labels))
	for id := range b.labels {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, j := range b.jumps {
		l, ok := b.labels[j.to.value]
		if !ok {
			hint := `write <label id="` + clip(j.to.value) + `"/> where to go on`
			if near := nearest.Word(j.to.value, ids[:min(len(ids), 200)]); near != "" {
				hint = "did you mean " + quote(near) + "?"
			}
			b.errorf(j.to.line, "there is no label "+quote(j.to.value), hint)
			continue
		}
		if j.onTimeout {
			b.s.Steps[j.step].OnTimeout = l.step
		} else {
			b.s.Steps[j.step].Next = l.step
		}
	}
}

// checkVariable finds names that were mistyped in one of two places, as SIPp does. "_" is for values that nobody wants.
func (b *builder) checkVariable(v Variable, use *variable) {
	switch {
	case v.Name == "_":
	case use.exempt:
		if use.uses == 0 {
			b.warnf(use.line, "the variable "+quote(v.Name)+" is declared and never used", "")
		}
	case use.uses == 1:
		b.errorf(use.line, "the variable "+quote(v.Name)+" is used only once",
			`correct the name, or write <Reference variables="`+clip(v.Name)+`"/>`)
	case !use.assigned:
		b.warnf(use.line, "the variable "+quote(v.Name)+" is never set", "an <ereg> sets it with assign_to")
	}
}

func (b *builder) checkSteps(root *node) {
	messages := 0
	for i := range b.s.Steps {
		step := &b.s.Steps[i]
		if step.Send != nil || step.Recv != nil {
			if messages++; messages == 1 && step.Recv != nil && step.Recv.Responses != nil {
				b.warnf(step.Line, "the scenario begins with a response", "a call begins with a request that is sent or received")
			}
		}
		if step.Pause != nil && step.Pause.TimeWait && i < len(b.s.Steps)-1 {
			b.errorf(step.Line, "<timewait> is not the last step", "move it to the end, or write <pause>")
		}
	}
	if messages == 0 {
		b.errorf(root.line, "the scenario neither sends nor receives a message", "write <send> or <recv>")
	}
}

// lintMessage warns of messages that a peer will hardly accept. Authors may want just that, so these are no errors.
func (b *builder) lintMessage(n *node, send *Send) {
	m := send.Message
	if !m.Uses(template.KeyLastMessage) {
		var missing []string
		for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
			if !m.HasHeader(name) {
				missing = append(missing, name)
			}
		}
		if missing != nil {
			b.warnf(send.textLine, "the message has no "+strings.Join(missing, ", "), "RFC 3261 8.1.1 and 8.2.6.2 want these headers")
		}
	}
	if send.Retrans > 0 {
		return
	}
	what := ""
	switch {
	case send.Method == "INVITE":
		what = "the INVITE"
	case send.Status >= 200 && send.Status < 300 && b.answering == "INVITE":
		what = fmt.Sprintf("the %d to INVITE", send.Status)
	default:
		return
	}
	b.warnf(n.line, what+" is never sent again if it is lost over UDP", fmt.Sprintf(`write <send retrans="%d">`, defaultRetrans.Milliseconds()))
}
