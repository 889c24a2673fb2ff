package scenario

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gossipper/gossipper/internal/nearest"
)

// SIPp's attributes that have no meaning here yet.
var (
	unsupportedAttributes = []string{
		"ack_txn", "advance_state", "auth", "chance", "condexec", "condexec_inverse", "dest", "distribution", "exponential", "gamma",
		"ignoresdp", "k", "lambda", "lognormal", "lost", "max", "mean", "min", "normal", "p", "pareto", "regexp_match", "repeat_rtd",
		"response_txn", "sanity_check", "src", "start_txn", "stdev", "test", "theta", "value", "variable", "weibull", "x_m",
	}
	// These only change what SIPp shows or counts, so the scenario can do without them.
	displayAttributes = []string{"counter", "display", "hide", "hiderest"}
)

// take returns the attribute and remembers that it has a meaning; nil if it is absent.
func (b *builder) take(n *node, name string) *attr {
	b.known = append(b.known, name)
	for _, a := range n.attrs {
		if a.name == name && !a.used {
			a.used = true
			return a
		}
	}
	return nil
}

// rest reports the attributes that nothing took. It is called once for each element, after all takes.
func (b *builder) rest(n *node) {
	for i, a := range n.attrs {
		switch {
		case slices.ContainsFunc(n.attrs[:i], func(other *attr) bool { return other.name == a.name }):
			b.errorf(a.line, "<"+n.name+"> has the attribute "+a.name+" twice", "")
		case a.used:
		case slices.Contains(displayAttributes, a.name):
			b.warnf(a.line, "the attribute "+a.name+" has no effect yet", "")
		case slices.Contains(unsupportedAttributes, a.name):
			b.errorf(a.line, "the attribute "+a.name+" of <"+n.name+"> is not supported yet", "")
		default:
			b.errorf(a.line, "<"+n.name+"> has an unknown attribute "+clip(a.name), b.knownHint(a.name))
		}
	}
	b.known = b.known[:0]
}

func (b *builder) knownHint(name string) string {
	if near := nearest.Word(name, b.known); near != "" {
		return "did you mean " + near + "?"
	}
	if len(b.known) == 0 {
		return "it takes none"
	}
	return "it takes " + strings.Join(b.known, ", ")
}

// str returns the value of a text attribute, empty if it is absent.
func (b *builder) str(n *node, name string) string {
	if a := b.take(n, name); a != nil {
		return a.value
	}
	return ""
}

// choice returns the position of the value in the list of allowed ones, -1 if the attribute is absent or wrong.
func (b *builder) choice(n *node, name string, allowed ...string) int {
	a := b.take(n, name)
	if a == nil {
		return -1
	}
	i := slices.Index(allowed, a.value)
	if i < 0 {
		last := len(allowed) - 1
		b.errorf(a.line, name+"="+quote(a.value)+" is not possible", "write "+strings.Join(allowed[:last], ", ")+" or "+allowed[last])
	}
	return i
}

// boolean returns the value of a truth attribute, false if it is absent. SIPp reads numbers and any case, too.
func (b *builder) boolean(n *node, name string) bool {
	a := b.take(n, name)
	if a == nil {
		return false
	}
	switch strings.ToLower(a.value) {
	case "true", "1":
		return true
	case "false", "0":
	default:
		b.errorf(a.line, name+"="+quote(a.value)+" is not possible", "write true or false")
	}
	return false
}

// maxMilliseconds is the longest time that an attribute can name: 24 days, as in SIPp.
const maxMilliseconds = 1<<31 - 1

// milliseconds returns the attribute as a duration; it reports false if it is absent or wrong.
func (b *builder) milliseconds(n *node, name string) (time.Duration, bool) {
	a := b.take(n, name)
	if a == nil {
		return 0, false
	}
	ms, err := strconv.ParseFloat(a.value, 64)
	if err != nil || strings.Trim(a.value, "0123456789.") != "" {
		b.errorf(a.line, name+"="+quote(a.value)+" is not a time", "write a number of milliseconds, such as 500")
		return 0, false
	}
	if ms > maxMilliseconds {
		b.errorf(a.line, name+"="+quote(a.value)+" is too long", "the limit is "+strconv.Itoa(maxMilliseconds)+" milliseconds")
		return 0, false
	}
	return time.Duration(ms * float64(time.Millisecond)), true
}

// names returns the names of a comma list with the line on which it stands.
func (b *builder) names(n *node, name string) ([]string, int) {
	a := b.take(n, name)
	if a == nil {
		return nil, n.line
	}
	list := strings.Split(a.value, ",")
	for i, s := range list {
		list[i] = strings.TrimSpace(s)
		if list[i] == "" {
			b.errorf(a.line, name+"="+quote(a.value)+" has an empty name", "write the names with commas between them")
			return nil, a.line
		}
	}
	return list, a.line
}
