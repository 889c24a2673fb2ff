package template

import (
	"bytes"
	"strconv"
	"strings"
)

const (
	// lenWidth is the width in which [len] is printed, with blanks before the number, as SIPp does.
	lenWidth = 5
	// maxLens is how often [len] may occur in one text.
	maxLens = 4
)

// renderer is the state of one AppendTo; it lives on the stack.
type renderer struct {
	v     *Values
	start int // where the text begins in the buffer
	// skip: a keyword at the start of a line had no value; blanks and the line end after it are left out.
	skip bool
	lens int
	len  [maxLens]lenField
}

// lenField is a place where [len] was rendered.
type lenField struct{ at, offset int }

func (r *renderer) literal(dst []byte, text string) []byte {
	if r.skip {
		text = strings.TrimLeft(text, " \t")
		r.skip = text == ""
		text = strings.TrimPrefix(text, "\r\n")
	}
	return append(dst, text...)
}

// atLineStart tells whether the next byte begins a line.
func (r *renderer) atLineStart(dst []byte) bool {
	return len(dst) == r.start || dst[len(dst)-1] == '\n'
}

// missing is called for a keyword without a value.
func (r *renderer) missing(dst []byte) []byte {
	if r.atLineStart(dst) {
		r.skip = true
	}
	return dst
}

func (r *renderer) keyword(dst []byte, f *field) []byte {
	before := len(dst)
	switch {
	case f.key < KeyCallNumber:
		dst = r.runKeyword(dst, f)
	case f.key < KeyLastMessage:
		dst = r.callKeyword(dst, f)
	case f.key < KeySDPOffer:
		dst = r.lastKeyword(dst, f)
	default:
		dst = r.sdpKeyword(dst, f)
	}
	if len(dst) > before {
		r.skip = false
	}
	return dst
}

// runKeyword renders what is the same for the whole run or socket.
func (r *renderer) runKeyword(dst []byte, f *field) []byte {
	v := r.v
	switch f.key {
	case KeyRemoteHost:
		return append(dst, v.RemoteHost...)
	case KeyRemoteIP:
		return appendIP(dst, v.RemoteIP, f.bare)
	case KeyRemotePort:
		return appendInt(dst, v.RemotePort+f.n)
	case KeyLocalIP:
		return appendIP(dst, v.LocalIP, f.bare)
	case KeyLocalIPType:
		return append(dst, v.LocalIPType...)
	case KeyLocalPort:
		return appendInt(dst, v.LocalPort+f.n)
	case KeyServerIP:
		return appendIP(dst, v.ServerIP, f.bare)
	case KeyTransport, KeySIPTransport:
		return append(dst, v.Transport...)
	case KeyService:
		return append(dst, v.Service...)
	case KeyPID:
		return appendInt(dst, v.PID)
	default:
		return r.mediaKeyword(dst, f)
	}
}

// mediaKeyword renders the part of runKeyword that is about media and contact.
func (r *renderer) mediaKeyword(dst []byte, f *field) []byte {
	v := r.v
	switch f.key {
	case KeyMediaIP:
		return append(dst, v.MediaIP...)
	case KeyMediaIPType:
		return append(dst, v.MediaIPType...)
	case KeyMediaPort:
		return appendInt(dst, v.MediaPort+f.n)
	case KeyMediaTransport:
		return append(dst, v.MediaKind...)
	case KeyContactTransport:
		return append(dst, v.ContactScheme...)
	}
	return dst
}

// callKeyword renders what differs from call to call and from step to step.
func (r *renderer) callKeyword(dst []byte, f *field) []byte {
	v := r.v
	switch f.key {
	case KeyCallNumber:
		return appendOffset(dst, v.CallNumber, f.n)
	case KeyCallID:
		return append(dst, v.CallID...)
	case KeyCSeq:
		return appendOffset(dst, uint64(v.CSeq), f.n)
	case KeyBranch:
		dst = append(dst, "z9hG4bK-"...)
		dst = appendInt(dst, v.PID)
		dst = append(dst, '-')
		dst = strconv.AppendUint(dst, v.CallNumber, 10)
		dst = append(dst, '-')
		return appendInt(dst, v.MsgIndex+f.n)
	case KeyMsgIndex:
		return appendInt(dst, v.MsgIndex+f.n)
	case KeyPeerTagParam:
		return append(dst, v.PeerTagParam...)
	case KeyRoutes:
		if v.Routes == "" {
			return r.missing(dst)
		}
		return append(dst, v.Routes...)
	case KeyNextURL:
		return append(dst, v.NextURL...)
	case KeyLen:
		r.len[r.lens] = lenField{at: len(dst), offset: f.n}
		r.lens++
		return append(dst, "     "[:lenWidth]...)
	case KeyClockTick:
		return strconv.AppendInt(dst, v.ClockTick, 10)
	case KeyTimestamp:
		return append(dst, v.Timestamp...)
	}
	return dst
}

// lastKeyword renders parts of the last message received, and variables.
func (r *renderer) lastKeyword(dst []byte, f *field) []byte {
	if f.key == KeyVariable {
		if r.v.Variables != nil {
			if out, ok := r.v.Variables.AppendVariable(dst, f.text); ok {
				return out
			}
		}
		return r.missing(dst)
	}
	last := r.v.Last
	if last == nil {
		return r.missing(dst)
	}
	switch f.key {
	case KeyLastMessage:
		return append(dst, last.Bytes()...)
	case KeyLastRequestURI:
		return append(dst, last.RequestURI()...)
	case KeyLastCSeqNumber:
		return appendOffset(dst, uint64(last.CSeqNumber()), f.n)
	}
	out, ok := last.AppendHeader(dst, f.text)
	if !ok {
		return r.missing(dst)
	}
	return out
}

func (r *renderer) sdpKeyword(dst []byte, f *field) []byte {
	body := r.v.SDPOffer
	if f.key == KeySDPAnswer || f.key == KeyWebRTCAnswer {
		body = r.v.SDPAnswer
	}
	return append(dst, body...)
}

// putLengths writes the length of the body into the places kept for [len]. All get the same width, so that a [len] within the
// body has no effect on the result other than through that width.
func (r *renderer) putLengths(dst []byte) []byte {
	body, bodyLens := bodyStart(dst, r.start), 0
	for _, f := range r.len[:r.lens] {
		if f.at >= body {
			bodyLens++
		}
	}
	size, width := len(dst)-body, lenWidth
	for {
		need := width
		for _, f := range r.len[:r.lens] {
			need = max(need, digits(size+bodyLens*(width-lenWidth)+f.offset))
		}
		if need == width {
			break
		}
		width = need
	}
	size += bodyLens * (width - lenWidth)
	for i := r.lens - 1; i >= 0; i-- {
		f := r.len[i]
		if width > lenWidth {
			dst = widen(dst, f.at, width-lenWidth)
		}
		putInt(dst[f.at:f.at+width], size+f.offset)
	}
	return dst
}

// bodyStart returns where the body begins, the end of the message if there is none. It goes from line end to line end; bytes.Index
// for the whole blank line is several times slower on text that is full of CR.
func bodyStart(msg []byte, from int) int {
	for i := from; ; {
		n := bytes.IndexByte(msg[i:], '\n')
		if n < 0 || i+n+2 >= len(msg) {
			return len(msg)
		}
		i += n + 1
		if msg[i] == '\r' && msg[i+1] == '\n' && n > 0 && msg[i-2] == '\r' {
			return i + 2
		}
	}
}

// widen makes room for n more bytes at the position; only bodies of 100,000 bytes and more need it.
func widen(dst []byte, at, n int) []byte {
	for range n {
		dst = append(dst, ' ')
	}
	copy(dst[at+n:], dst[at:len(dst)-n])
	for i := range n {
		dst[at+i] = ' '
	}
	return dst
}

// putInt writes n, right-aligned, into a field of blanks.
func putInt(dst []byte, n int) {
	var buf [24]byte
	s := strconv.AppendInt(buf[:0], int64(n), 10)
	copy(dst[len(dst)-len(s):], s)
}

func digits(n int) int {
	if n >= 0 && n < 100_000 {
		return lenWidth // the least width; the common case
	}
	var buf [24]byte
	return len(strconv.AppendInt(buf[:0], int64(n), 10))
}

func appendInt(dst []byte, n int) []byte { return strconv.AppendInt(dst, int64(n), 10) }

// appendOffset appends n+offset; a result below zero is written as 0, as none of these numbers can be negative in SIP.
func appendOffset(dst []byte, n uint64, offset int) []byte {
	switch {
	case offset >= 0:
		n += uint64(offset)
	case n < uint64(-offset):
		n = 0
	default:
		n -= uint64(-offset)
	}
	return strconv.AppendUint(dst, n, 10)
}

// appendIP puts an IPv6 address in brackets, as SIP headers want it (RFC 3261 25.1), unless bare.
func appendIP(dst []byte, ip string, bare bool) []byte {
	if bare || strings.IndexByte(ip, ':') < 0 || ip[0] == '[' {
		return append(dst, ip...)
	}
	dst = append(dst, '[')
	dst = append(dst, ip...)
	return append(dst, ']')
}
