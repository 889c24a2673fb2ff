package engine

import (
	"net/netip"
	"strconv"
)

const (
	// maxGarbage bounds the addresses that are remembered.
	maxGarbage = 256
	// excerptLength is how much of a datagram is shown.
	excerptLength = 60
)

// garbage remembers who sent datagrams that are not SIP, so that a call that got no answer can say what came in its place.
type garbage struct {
	notes map[netip.AddrPort]garbageNote
}

type garbageNote struct {
	at      int64 // tick
	excerpt string
}

// note remembers a datagram. When there is no room for another address, all that was known is dropped: it only matters
// to calls that are waiting right now.
func (g *garbage) note(remote netip.AddrPort, at int64, data []byte) {
	if g.notes == nil {
		g.notes = make(map[netip.AddrPort]garbageNote)
	}
	old, known := g.notes[remote]
	if !known && len(g.notes) >= maxGarbage {
		clear(g.notes)
	}
	if !known {
		old.excerpt = excerpt(data)
	}
	g.notes[remote] = garbageNote{at, old.excerpt}
}

// from returns a part of what the address sent since the tick.
func (g *garbage) from(remote netip.AddrPort, since int64) (string, bool) {
	note, ok := g.notes[remote]
	return note.excerpt, ok && note.at >= since
}

// excerpt is the beginning of a datagram in quotes, with everything escaped that a terminal could take for a command.
func excerpt(data []byte) string {
	if len(data) > excerptLength {
		return strconv.QuoteToASCII(string(data[:excerptLength])) + "…"
	}
	return strconv.QuoteToASCII(string(data))
}

// printable is text of the peer's, fit to be shown: escaped where it has to be, and cut.
func printable(b []byte) string {
	if len(b) > excerptLength {
		b = b[:excerptLength]
	}
	q := strconv.QuoteToASCII(string(b))
	return q[1 : len(q)-1]
}
