package sip

import (
	"bytes"
	"iter"
	"strings"
)

// headerAt is one header line, folds included.
type headerAt struct {
	name, value []byte
}

// next finds the first header called name at or after pos, and where to go on.
func (v *View) next(name headerName, pos int) (h headerAt, after int, ok bool) {
	data := v.data
	for pos < int(v.body) {
		end, next := lineAt(data, pos)
		if end == pos {
			break
		}
		for next < len(data) && isSpace(data[next]) {
			end, next = lineAt(data, next)
		}
		line := data[pos:end]
		pos = next
		colon := bytes.IndexByte(line, ':')
		if colon <= 0 {
			continue
		}
		found := line[:colon-trailingSpace(line[:colon])]
		if name.matches(found) {
			return headerAt{found, trimBlank(line[colon+1:])}, pos, true
		}
	}
	return headerAt{}, pos, false
}

// Header is the value of the first header called name. Compact and long names are the same, and case does not matter. The value
// is as it was written, folds included, without white space around it.
func (v *View) Header(name string) ([]byte, bool) {
	if k, _ := keyOf(name); k != keyNone {
		return v.at(v.keyed(k)), v.seen&(1<<k) != 0
	}
	h, _, ok := v.next(newHeaderName(name), int(v.headers))
	return h.value, ok
}

// EachHeader yields the value of each header called name, in order.
func (v *View) EachHeader(name string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		want := newHeaderName(name)
		h, pos, ok := v.next(want, int(v.headers))
		for ok && yield(h.value) {
			h, pos, ok = v.next(want, pos)
		}
	}
}

// EachListValue yields the comma-separated values of all headers called name, in order, as for Route, Record-Route and Via.
func (v *View) EachListValue(name string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for list := range v.EachHeader(name) {
			s := splitter{rest: list}
			for more := true; more; {
				var one []byte
				one, more = s.cut(',')
				if one = trimBlank(one); len(one) > 0 && !yield(one) {
					return
				}
			}
		}
	}
}

// RecordRoutes yields the values of Record-Route in order, each as it was written: "<sip:proxy;lr>".
func (v *View) RecordRoutes() iter.Seq[[]byte] { return v.EachListValue("Record-Route") }

// AppendHeader appends "Name: value", all headers called name joined by ", " on one line without line end. A header that has
// a compact form gets its long name; otherwise name and value are as they came, but for folds, which become a space. It reports false, and appends
// nothing, when the message has no such header.
func (v *View) AppendHeader(dst []byte, name string) ([]byte, bool) {
	if k, long := keyOf(name); k != keyNone && v.several&(1<<k) == 0 {
		if v.seen&(1<<k) == 0 {
			return dst, false
		}
		dst = append(dst, long...)
		dst = append(dst, ": "...)
		return appendUnfolded(dst, v.at(v.keyed(k))), true
	}
	want := newHeaderName(name)
	h, pos, ok := v.next(want, int(v.headers))
	if !ok {
		return dst, false
	}
	if want.compact != 0 {
		dst = append(dst, want.long...)
	} else {
		dst = append(dst, h.name...)
	}
	dst = append(dst, ": "...)
	for first := true; ok; first = false {
		if !first {
			dst = append(dst, ", "...)
		}
		dst = appendUnfolded(dst, h.value)
		h, pos, ok = v.next(want, pos)
	}
	return dst, true
}

// appendUnfolded appends a value with each fold, the line end and the white space around it, made one space (RFC 3261 7.3.1).
func appendUnfolded(dst, value []byte) []byte {
	for {
		n := bytes.IndexByte(value, '\n')
		if n < 0 {
			return append(dst, value...)
		}
		line := value[:n]
		for len(line) > 0 && isBlank(line[len(line)-1]) {
			line = line[:len(line)-1]
		}
		dst = append(dst, line...)
		dst = append(dst, ' ')
		value = value[n:]
		for len(value) > 0 && isBlank(value[0]) {
			value = value[1:]
		}
	}
}

// keyOf recognises the names of the headers whose values ParseView has kept.
func keyOf(name string) (k key, long string) {
	for _, known := range [...]struct {
		long string
		key  key
	}{{"Via", keyVia}, {"From", keyFrom}, {"To", keyTo}, {"Call-ID", keyCallID}, {"CSeq", keyCSeq}} {
		if len(name) == len(known.long) && strings.EqualFold(name, known.long) {
			return known.key, known.long
		}
	}
	return keyNone, ""
}

// keyed is where the value of such a header is.
func (v *View) keyed(k key) span {
	switch k {
	case keyVia:
		return v.via
	case keyFrom:
		return v.from
	case keyTo:
		return v.to
	case keyCallID:
		return v.callID
	case keyCSeq:
		return v.cseqValue
	default:
		return span{}
	}
}
