package sip

import (
	"bytes"
	"iter"
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

// AppendHeader appends "Name: value", all headers called name joined by ", " on one line without line end. A compact name is
// written out; otherwise name and value are as they came, but for folds, which become a space. It reports false, and appends
// nothing, when the message has no such header.
func (v *View) AppendHeader(dst []byte, name string) ([]byte, bool) {
	want := newHeaderName(name)
	h, pos, ok := v.next(want, int(v.headers))
	if !ok {
		return dst, false
	}
	if len(h.name) == 1 {
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
