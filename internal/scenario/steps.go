package scenario

import (
	"strconv"
	"strings"
	"time"

	"github.com/gossipper/gossipper/internal/template"
)

// send reads <send>.
func (b *builder) send(n *node) {
	b.noSendAfterOptional(n)
	send := &Send{}
	send.Retrans, _ = b.milliseconds(n, "retrans")
	step := Step{Line: n.line, Send: send}
	step.Timeout, _ = b.milliseconds(n, "timeout")
	b.common(n, &step, true)
	b.message(n, send)
	switch {
	case send.Method != "":
		step.Label = "send " + send.Method
	case send.Status != 0:
		step.Label = "send " + strconv.Itoa(send.Status)
	default:
		step.Label = "send"
	}
	b.s.Steps = append(b.s.Steps, step)
}

// message compiles the CDATA section of a send.
func (b *builder) message(n *node, send *Send) {
	found := false
	for _, t := range n.texts {
		switch {
		case !t.cdata:
			b.errorf(t.line, "text stands in <send> outside of CDATA", "write the message in <![CDATA[ and ]]>")
			found = true
		case found:
			b.warnf(t.line, "only the first CDATA section of <send> is its message", "remove the others")
		default:
			found = true
			send.textLine = t.line
			send.Message = b.compile(t.value, t.line, template.Options{})
		}
	}
	if !found {
		b.errorf(n.line, "<send> has no message", "write it in <![CDATA[ and ]]>")
	}
	if send.Message != nil && b.startLine(send) {
		b.lintMessage(n, send)
	}
}

// compile compiles a text whose first line is the line of the file.
func (b *builder) compile(text string, line int, opts template.Options) *template.Template {
	t, problems := template.Compile(text, opts)
	for _, p := range problems {
		at := line
		if !opts.Plain { // an attribute is on one line, whatever line ends its value has
			at += p.Line - 1
		}
		b.problems = append(b.problems, Problem{File: b.s.File, Line: at, Severity: p.Severity, Text: p.Text, Hint: p.Hint})
	}
	if t != nil {
		at := line
		if !opts.Plain && t.LineOf(template.KeyVariable) > 0 {
			at += t.LineOf(template.KeyVariable) - 1
		}
		for _, name := range t.Variables() {
			b.read(name, at)
		}
	}
	return t
}

// startLine reads the method or the status code, which have to be literal. It reports whether they are.
func (b *builder) startLine(send *Send) bool {
	first, _, _ := strings.Cut(send.Message.Start(), "\r\n")
	word, rest, spaced := strings.Cut(first, " ")
	if strings.HasPrefix(word, "SIP/") {
		code, _, _ := strings.Cut(rest, " ")
		status, err := strconv.Atoi(code)
		if err != nil || len(code) != 3 || status < 100 || status > 699 {
			b.errorf(send.textLine, "the message has no status code", "write it as a number: SIP/2.0 200 OK")
			return false
		}
		send.Status = status
		return true
	}
	if !spaced || !isMethod(word) {
		b.errorf(send.textLine, "the message begins with neither a method nor SIP/2.0",
			"write a request line (OPTIONS sip:[service]@[remote_ip] SIP/2.0) or a status line (SIP/2.0 200 OK)")
		return false
	}
	send.Method = word
	return true
}

// isMethod tells whether s is a token (RFC 3261 25.1).
func isMethod(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~") == ""
}

// recv reads <recv>.
func (b *builder) recv(n *node) {
	recv := &Recv{}
	request, response := b.take(n, "request"), b.take(n, "response")
	switch {
	case request != nil && response != nil:
		b.errorf(request.line, "<recv> has both request and response", "write one of them")
	case request != nil:
		if recv.Request = request.value; !isMethod(recv.Request) {
			b.errorf(request.line, "request="+quote(recv.Request)+" is not a method", `write a method such as request="INVITE"`)
		}
	case response != nil:
		recv.Responses = b.statusCodes(response)
	default:
		b.errorf(n.line, "<recv> does not say what to receive", `write request="METHOD" or response="CODE"`)
	}
	switch b.choice(n, "optional", "true", "false", "global") {
	case 0:
		recv.Optional = OptionalHere
	case 2:
		recv.Optional = OptionalGlobal
	}
	recv.RRS = b.boolean(n, "rrs")
	step := Step{Line: n.line, Recv: recv, Label: recvLabel(recv)}
	step.Timeout, _ = b.milliseconds(n, "timeout")
	b.common(n, &step, true)
	b.strayText(n)

	b.optionalRecv = nil
	if recv.Optional != Mandatory {
		b.optionalRecv = n
	}
	if recv.Request != "" {
		b.answering = recv.Request
	}
	b.s.Steps = append(b.s.Steps, step)
}

// maxResponses bounds the list of a response attribute.
const maxResponses = 16

func (b *builder) statusCodes(a *attr) []int {
	var codes []int
	for _, s := range strings.Split(a.value, ",") {
		s = strings.TrimSpace(s)
		code, err := strconv.Atoi(s)
		if err != nil || len(s) != 3 || code < 100 || code > 699 || len(codes) == maxResponses {
			b.errorf(a.line, "response="+quote(a.value)+" is not a status code or a list of them",
				`write a code from 100 to 699, or several: response="200,183"`)
			return nil
		}
		codes = append(codes, code)
	}
	return codes
}

func recvLabel(recv *Recv) string {
	label := "recv " + recv.Request
	for i, code := range recv.Responses {
		if i > 0 {
			label += ","
		}
		label += strconv.Itoa(code)
	}
	switch recv.Optional {
	case OptionalHere:
		label += " (optional)"
	case OptionalGlobal:
		label += " (optional, global)"
	}
	return label
}

// pause reads <pause> and <timewait>.
func (b *builder) pause(n *node) {
	b.noSendAfterOptional(n)
	pause := &Pause{Duration: -1, TimeWait: n.name == "timewait"}
	given := b.hasAttr(n, "milliseconds")
	if d, ok := b.milliseconds(n, "milliseconds"); ok {
		pause.Duration = d
	}
	step := Step{Line: n.line, Label: n.name, Pause: pause, Next: NoStep, OnTimeout: NoStep}
	if pause.TimeWait {
		if !given {
			b.errorf(n.line, "<timewait> has no milliseconds", `write <timewait milliseconds="4000"/>`)
		}
		step.CRLF = b.boolean(n, "crlf")
		b.rest(n)
		b.noChildren(n)
	} else {
		b.common(n, &step, false)
		b.strayText(n)
	}
	b.s.Steps = append(b.s.Steps, step)
}

func (b *builder) hasAttr(n *node, name string) bool {
	for _, a := range n.attrs {
		if a.name == name {
			return true
		}
	}
	return false
}

// nop reads <nop>.
func (b *builder) nop(n *node) {
	b.noSendAfterOptional(n)
	step := Step{Line: n.line, Label: "nop"}
	b.common(n, &step, false)
	b.strayText(n)
	b.s.Steps = append(b.s.Steps, step)
}

// noSendAfterOptional reports an optional recv that no mandatory one follows: the call could never know when to go on.
func (b *builder) noSendAfterOptional(n *node) {
	if b.optionalRecv == nil {
		return
	}
	b.errorf(b.optionalRecv.line, "the optional <recv> is followed by <"+n.name+">",
		"an optional <recv> needs a mandatory one after it, which tells when to go on")
	b.optionalRecv = nil
}

// common reads the attributes and actions that steps share. It comes last of all attributes.
func (b *builder) common(n *node, step *Step, onTimeout bool) {
	index := len(b.s.Steps)
	step.Next, step.OnTimeout = NoStep, NoStep
	if a := b.take(n, "next"); a != nil {
		b.jumps = append(b.jumps, jump{to: a, step: index})
	}
	if onTimeout {
		if a := b.take(n, "ontimeout"); a != nil {
			b.jumps = append(b.jumps, jump{to: a, step: index, onTimeout: true})
		}
	}
	step.StartRTD = b.rtdList(n, "start_rtd")
	step.StopRTD = b.rtdList(n, "rtd")
	step.CRLF = b.boolean(n, "crlf")
	b.rest(n)
	for _, child := range n.children {
		if child.name != "action" {
			b.unknownElement(child, n.name, []string{"action"})
			continue
		}
		b.rest(child)
		b.strayText(child)
		for _, action := range child.children {
			if a := b.action(action); a != nil {
				step.Actions = append(step.Actions, a)
			}
		}
	}
}

// defaultRetrans is what messages recommend for T1 (RFC 3261 17.1.1.1).
const defaultRetrans = 500 * time.Millisecond
