package scenario

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/gossipper/gossipper/internal/template"
)

const (
	noArithmetic = "leave it out: variables hold text that <ereg> found, and are not calculated with"
	useEreg      = `<ereg check_it="true"> fails the call unless a value matches, check_it_inverse="true" if it does`
	useText      = "write the text into the message itself, or take it from a message with <ereg assign_to>"
	useLog       = `write <log message="…"/>`
)

// unsupportedActions are SIPp's actions that have no meaning here yet, and what to write in their place.
var unsupportedActions = map[string]string{
	"add": noArithmetic, "divide": noArithmetic, "multiply": noArithmetic, "subtract": noArithmetic, "todouble": noArithmetic,
	"assign": useText, "assignstr": useText, "index": useText, "insert": useText, "lookup": useText, "replace": useText, "trim": useText,
	"urldecode": useText, "urlencode": useText, "sample": useText, "gettimeofday": useText,
	"strcmp": useEreg, "test": useEreg, "verifyauth": useEreg,
	"error": useLog, "warning": useLog,
	"closecon":     "leave it out: over UDP there is no connection to close",
	"jump":         `write next="label" on a step`,
	"pauserestore": "write the length into <pause milliseconds>",
	"rtp_echo":     unsupportedExec["rtp_echo"],
	"setdest":      "name the peer as TARGET",
}

// actions are the elements that stand in <action>.
var actions = []string{"ereg", "log", "exec"}

// action reads an element of <action>; it returns nil if there is something wrong with it.
func (b *builder) action(n *node) Action {
	var action Action
	switch n.name {
	case "ereg":
		if ereg := b.ereg(n); ereg != nil {
			action = ereg
		}
	case "log":
		if log := b.log(n); log != nil {
			action = log
		}
	case "exec":
		action = b.exec(n)
	default:
		b.unknownElement(n, "action", actions)
		return nil
	}
	b.rest(n)
	b.noChildren(n)
	return action
}

func (b *builder) log(n *node) *Log {
	a := b.take(n, "message")
	if a == nil {
		b.errorf(n.line, "<log> has no message", `write <log message="text with [keywords]"/>`)
		return nil
	}
	t := b.compile(a.value, a.line, template.Options{Plain: true})
	if t == nil {
		return nil
	}
	return &Log{Line: n.line, Message: t}
}

// maxGroups is how many variables an ereg can set: the whole match and nine groups.
const maxGroups = 10

func (b *builder) ereg(n *node) *Ereg {
	e := &Ereg{Line: n.line, Occurrence: 1}
	e.Regexp = b.regexp(n)
	if in := b.choice(n, "search_in", "msg", "hdr", "body", "var"); in > 0 {
		e.In = SearchIn(in)
	}
	b.eregPlace(n, e)
	e.CaseIndep = b.boolean(n, "case_indep")
	e.StartLine = b.boolean(n, "start_line")
	e.CheckIt = b.boolean(n, "check_it")
	e.CheckItInverse = b.boolean(n, "check_it_inverse")
	names, line := b.names(n, "assign_to")
	switch {
	case len(names) > maxGroups:
		b.errorf(line, "assign_to has "+strconv.Itoa(len(names))+" names", "a match gives "+strconv.Itoa(maxGroups)+" values at most")
		names = nil
	case e.Regexp != nil && len(names) > e.Regexp.NumSubexp()+1:
		b.warnf(line, "assign_to has more names than the regular expression gives values",
			"it gives "+strconv.Itoa(e.Regexp.NumSubexp()+1)+": the whole match and one for each group")
	}
	for _, name := range names {
		e.AssignTo = append(e.AssignTo, b.assign(name, line))
	}
	switch {
	case e.CheckIt && e.CheckItInverse:
		b.errorf(n.line, "<ereg> has both check_it and check_it_inverse", "write one of them")
	case !b.hasAttr(n, "assign_to") && !e.CheckIt && !e.CheckItInverse:
		b.warnf(n.line, "<ereg> has no effect", `write assign_to, check_it="true" or check_it_inverse="true"`)
	}
	if e.Regexp == nil {
		return nil
	}
	return e
}

// maxRegexp bounds the length of a regular expression in bytes; compiled, it takes many times the memory.
const maxRegexp = 4096

func (b *builder) regexp(n *node) *regexp.Regexp {
	a := b.take(n, "regexp")
	if a == nil || a.value == "" {
		b.errorf(n.line, "<ereg> has no regexp", `write <ereg regexp="…" …/>`)
		return nil
	}
	if len(a.value) > maxRegexp {
		b.errorf(a.line, "the regular expression is too long", "the limit is "+strconv.Itoa(maxRegexp)+" bytes")
		return nil
	}
	re, err := regexp.CompilePOSIX(a.value)
	if err != nil {
		b.errorf(a.line, clip(strings.TrimPrefix(err.Error(), "error parsing regexp: "))+" in regexp="+quote(a.value),
			"it has to be a POSIX extended regular expression; write [0-9] for \\d, [[:space:]] for \\s")
		return nil
	}
	return re
}

// maxOccurrence bounds the search for the n-th instance of a header.
const maxOccurrence = 1000

// eregPlace reads the attributes that say where in the message or variable to search.
func (b *builder) eregPlace(n *node, e *Ereg) {
	header, variable := b.take(n, "header"), b.take(n, "variable")
	switch e.In {
	case SearchHeader:
		if header == nil || header.value == "" {
			b.errorf(n.line, `<ereg search_in="hdr"> has no header`, `write header="CSeq:" or another one`)
		} else {
			e.Header = header.value
		}
	case SearchVariable:
		if variable == nil || variable.value == "" {
			b.errorf(n.line, `<ereg search_in="var"> has no variable`, `write variable="name"`)
		} else {
			e.Variable = b.read(variable.value, variable.line)
		}
	}
	if header != nil && e.In != SearchHeader {
		b.warnf(header.line, "header has no effect", `write search_in="hdr" with it`)
	}
	occurrence := b.take(n, "occurrence")
	if occurrence == nil {
		occurrence = b.take(n, "occurence") // SIPp reads both spellings
	}
	if occurrence == nil {
		return
	}
	i, err := strconv.Atoi(occurrence.value)
	if err != nil || i < 1 || i > maxOccurrence {
		b.errorf(occurrence.line, "occurrence="+quote(occurrence.value)+" is not a number of an instance", "write 1 for the first")
		return
	}
	e.Occurrence = i
}
