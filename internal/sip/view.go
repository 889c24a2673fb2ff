package sip

import "bytes"

// View is a lazy look at one SIP message. It refers to the bytes it was parsed from and is valid as long as they are; Clone and
// Retain copy them. Slices that its methods return are parts of those bytes and must not be changed.
type View struct {
	data []byte

	method, uri, reason   span // method and uri of a request, reason of a response
	callID, from, to, via span // values, trimmed; of several, the first
	cseqValue, cseqMethod span
	cseq                  uint32
	headers, body         uint32 // where the header lines and the body begin
	contentLength         int32  // -1: none, or not a number
	status                uint16
	seen, several         uint8 // headers that are there, and there more than once: bits numbered by key
	response, hasSeq      bool
}

// span is a part of the message.
type span struct{ start, end uint32 }

// ParseView reads the start line and finds the headers that every message is judged by, in one pass and without allocating.
// It returns ErrKeepAlive, ErrNotSIP or ErrNoCallID; in the last case the view is usable. Malformed messages are accepted: what
// cannot be read is empty in the view.
func ParseView(data []byte) (View, error) {
	v := View{data: data, contentLength: -1}
	pos := leadingLineEnds(data)
	if pos == len(data) || isZeros(data) {
		return v, ErrKeepAlive
	}
	if uint64(len(data)) > maxLength {
		return v, ErrNotSIP
	}
	end, next := lineAt(data, pos)
	if !v.parseStartLine(pos, end) {
		return v, ErrNotSIP
	}
	v.headers = uint32(next)
	v.parseHeaders()
	if v.callID.start == v.callID.end {
		return v, ErrNoCallID
	}
	return v, nil
}

// maxLength keeps positions inside a span. No transport comes near it.
const maxLength = 1 << 30

// leadingLineEnds counts the line ends before a start line, which RFC 3261 7.5 says to ignore.
func leadingLineEnds(data []byte) int {
	n := 0
	for n < len(data) && (data[n] == '\r' || data[n] == '\n') {
		n++
	}
	return n
}

func isZeros(data []byte) bool {
	return len(data) == 4 && data[0]|data[1]|data[2]|data[3] == 0
}

// lineAt returns where the line that begins at pos ends, without its line end, and where the next one begins.
func lineAt(data []byte, pos int) (end, next int) {
	n := bytes.IndexByte(data[pos:], '\n')
	if n < 0 {
		return len(data), len(data)
	}
	end, next = pos+n, pos+n+1
	if end > pos && data[end-1] == '\r' {
		end--
	}
	return end, next
}

// parseStartLine reads a request line or a status line (RFC 3261 7.1, 7.2).
func (v *View) parseStartLine(start, end int) bool {
	line := v.data[start:end]
	if len(line) >= len(sipVersion) && equalFold(line[:len(sipVersion)], sipVersion) {
		return v.parseStatusLine(start+len(sipVersion), end)
	}
	line = line[:len(line)-trailingSpace(line)]
	last := bytes.LastIndexByte(line, ' ')
	if last < 0 || !equalFold(line[last+1:], sipVersion) {
		return false
	}
	first := bytes.IndexByte(line, ' ')
	if first == 0 {
		return false
	}
	v.method = makeSpan(start, start+first)
	if first < last {
		v.uri = v.trim(start+first, start+last)
	}
	return true
}

const sipVersion = "SIP/2.0"

// parseStatusLine reads the code and reason behind the version. A code that is not a number of three digits or less stays 0.
func (v *View) parseStatusLine(pos, end int) bool {
	if pos < end && v.data[pos] != ' ' && v.data[pos] != '\t' {
		return false
	}
	v.response = true
	rest := v.trim(pos, end)
	at, status := int(rest.start), uint16(0)
	for at < int(rest.end) && isDigit(v.data[at]) && at-int(rest.start) < 4 {
		status = status*10 + uint16(v.data[at]-'0')
		at++
	}
	if status > 999 || at < int(rest.end) && v.data[at] != ' ' && v.data[at] != '\t' {
		return true
	}
	v.status = status
	v.reason = v.trim(at, int(rest.end))
	return true
}

// parseHeaders walks over the header lines up to the empty one.
func (v *View) parseHeaders() {
	data, pos := v.data, int(v.headers)
	for pos < len(data) {
		end, next := len(data), len(data)
		if n := bytes.IndexByte(data[pos:], '\n'); n >= 0 { // lineAt, which is too large to be inlined
			end, next = pos+n, pos+n+1
			if n > 0 && data[end-1] == '\r' {
				end--
			}
		}
		if end == pos {
			v.body = uint32(next)
			return
		}
		for next < len(data) && isSpace(data[next]) { // a folded line, RFC 3261 7.3.1
			end, next = lineAt(data, next)
		}
		if k, colon := keyHeader(data[pos:end]); k != keyNone {
			v.parseHeader(k, pos+colon+1, end)
		}
		pos = next
	}
	v.body = uint32(len(data))
}

// parseHeader keeps the value data[start:end] unless an earlier header of the same name has been kept.
func (v *View) parseHeader(k key, start, end int) {
	if v.seen&(1<<k) != 0 {
		v.several |= 1 << k
		return
	}
	v.seen |= 1 << k
	value := v.trim(start, end)
	switch k {
	case keyCallID:
		v.callID = value
	case keyFrom:
		v.from = value
	case keyTo:
		v.to = value
	case keyVia:
		v.via = value
	case keyCSeq:
		v.cseqValue = value
		v.parseCSeq(value)
	case keyContentLength:
		v.contentLength = v.number(value)
	case keyNone:
	}
}

// key is one of the headers that ParseView looks for.
type key uint8

const (
	keyNone key = iota
	keyCallID
	keyFrom
	keyTo
	keyVia
	keyCSeq
	keyContentLength
)

// keyHeader recognises the headers that ParseView looks for, and says where the colon is. The first letter alone rules most others
// out, so that they cost next to nothing.
func keyHeader(line []byte) (k key, colon int) {
	switch line[0] | 0x20 {
	case 'c':
		if len(line) < 5 {
			return keyNone, 0
		}
		switch line[1] | 0x20 {
		case 'a':
			return keyIf(line, "Call-ID", keyCallID)
		case 's':
			return keyIf(line, "CSeq", keyCSeq)
		case 'o':
			return keyIf(line, "Content-Length", keyContentLength)
		}
	case 'f':
		return keyEither(line, "From", keyFrom)
	case 't':
		return keyEither(line, "To", keyTo)
	case 'v':
		return keyEither(line, "Via", keyVia)
	case 'i':
		return keyIf(line, "i", keyCallID)
	case 'l':
		return keyIf(line, "l", keyContentLength)
	}
	return keyNone, 0
}

// keyEither takes the long name and its first letter.
func keyEither(line []byte, name string, k key) (key, int) {
	if len(line) > 1 && (line[1] == ':' || isSpace(line[1])) {
		name = name[:1]
	}
	return keyIf(line, name, k)
}

// keyIf reports k if line begins with name and a colon, which white space may precede (RFC 3261 7.3.1).
func keyIf(line []byte, name string, k key) (key, int) {
	n := len(name)
	if len(line) <= n || string(line[:n]) != name && !equalFold(line[:n], name) {
		return keyNone, 0
	}
	for line[n] != ':' {
		if !isSpace(line[n]) || n+1 == len(line) {
			return keyNone, 0
		}
		n++
	}
	return k, n
}

// parseCSeq reads "4711 INVITE". A CSeq that is not a number and a method counts as none.
func (v *View) parseCSeq(s span) {
	at, n := int(s.start), uint64(0)
	for at < int(s.end) && isDigit(v.data[at]) {
		if n = n*10 + uint64(v.data[at]-'0'); n > 1<<32-1 {
			return
		}
		at++
	}
	method := v.trim(at, int(s.end))
	if at == int(s.start) || int(method.start) == at || method.start == method.end {
		return
	}
	v.cseq, v.cseqMethod, v.hasSeq = uint32(n), method, true
}

// number reads a decimal number; -1 if it is none or beyond what a message can be long.
func (v *View) number(s span) int32 {
	if s.start == s.end {
		return -1
	}
	n := int32(0)
	for _, c := range v.data[s.start:s.end] {
		if !isDigit(c) || n > maxLength/10 {
			return -1
		}
		n = n*10 + int32(c-'0')
	}
	return n
}

// trim makes a span without white space, including the line ends of folds, at both ends.
func (v *View) trim(start, end int) span {
	data := v.data[:end]
	for start < len(data) && isBlank(data[start]) {
		start++
	}
	for len(data) > start && isBlank(data[len(data)-1]) {
		data = data[:len(data)-1]
	}
	return makeSpan(start, len(data))
}

func makeSpan(start, end int) span { return span{uint32(start), uint32(end)} }

func (v *View) at(s span) []byte { return v.data[s.start:s.end:s.end] }
