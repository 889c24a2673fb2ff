package engine

import (
	"strconv"
	"strings"

	"github.com/gossipper/gossipper/internal/transport"
)

const (
	// maxGarbage bounds the flows that are remembered; the oldest is forgotten first.
	maxGarbage = 1 << 14
	// excerptLength is how much of a datagram is shown.
	excerptLength = 60
)

// garbage remembers on which flows datagrams came that are not SIP, so that a call that got no answer can say what came in its place.
// A call with a socket of its own is known by it. Calls that share one have the flow to the peer in common: what
// came on it cannot be said to be the answer to one of them.
type garbage struct {
	notes map[transport.Flow]*garbageNote
	// order are the flows in the order in which they were first seen, a ring once it is full.
	order []transport.Flow
	next  int
}

// garbageNote is what came on one flow.
type garbageNote struct {
	total uint64
	last  int64 // tick
	// excerpt is of the last datagram.
	excerpt string
}

// note remembers a datagram.
func (g *garbage) note(flow transport.Flow, at int64, data []byte) {
	n := g.notes[flow]
	if n == nil {
		n = &garbageNote{}
		g.add(flow, n)
	}
	n.total++
	if n.total > 1 && n.last == at {
		return // a flood costs no memory
	}
	n.last, n.excerpt = at, excerpt(data)
}

func (g *garbage) add(flow transport.Flow, n *garbageNote) {
	if g.notes == nil {
		g.notes = make(map[transport.Flow]*garbageNote)
	}
	if len(g.order) < maxGarbage {
		g.order = append(g.order, flow)
	} else {
		delete(g.notes, g.order[g.next])
		g.order[g.next] = flow
		g.next = (g.next + 1) % maxGarbage
	}
	g.notes[flow] = n
}

// count is how many datagrams that are not SIP have come on the flow so far.
func (g *garbage) count(flow transport.Flow) uint64 {
	if n := g.notes[flow]; n != nil {
		return n.total
	}
	return 0
}

// since returns how many came on the flow after the count, which was taken at the tick, and a part of the last one.
func (g *garbage) since(flow transport.Flow, count uint64, at int64) (uint64, string) {
	n := g.notes[flow]
	switch {
	case n == nil || n.total == count || n.last < at:
		return 0, ""
	case n.total < count: // it was forgotten in between
		count = 0
	}
	return n.total - count, n.excerpt
}

// excerpt is the beginning of a datagram in quotes, with everything escaped that a terminal could take for a command.
func excerpt(data []byte) string {
	if len(data) > excerptLength {
		return strconv.QuoteToASCII(string(data[:excerptLength])) + "…"
	}
	return strconv.QuoteToASCII(string(data))
}

// remarkLength is how much of an explanation is shown.
const remarkLength = 160

// remark is an explanation of the peer's, fit to be shown like printable text. Quotes, which it is full of, stay as they are.
func remark(b []byte) string {
	end := ""
	if len(b) > remarkLength {
		b, end = b[:remarkLength], "…"
	}
	q := strconv.QuoteToASCII(string(b))
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`) + end
}

// printable is text of the peer's, fit to be shown: escaped where it has to be, and cut.
func printable(b []byte) string {
	if len(b) > excerptLength {
		b = b[:excerptLength]
	}
	q := strconv.QuoteToASCII(string(b))
	return q[1 : len(q)-1]
}
