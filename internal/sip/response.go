package sip

import (
	"hash/fnv"
	"strconv"
)

// AppendResponse appends the answer to req (RFC 3261 8.2.6): Via, From, To, Call-ID and CSeq as they came, a tag in To if there
// was none (but not in a 100), the extra header lines (without line end), and Content-Length: 0. The tag is always the same for the
// same request (RFC 3261 8.2.7). Headers that req lacks are left out.
func AppendResponse(dst []byte, req *View, status int, reason string, extra ...string) []byte {
	dst = append(dst, "SIP/2.0 "...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, ' ')
	dst = append(dst, reason...)
	dst = append(dst, "\r\n"...)
	for via := range req.EachHeader("Via") {
		dst = appendLine(dst, "Via", via)
	}
	dst = req.appendCopy(dst, "From")
	if req.HasTo() {
		dst = append(dst, "To: "...)
		dst = appendUnfolded(dst, req.at(req.to))
		if len(req.ToTag()) == 0 && status > 100 {
			dst = append(dst, ";tag="...)
			dst = strconv.AppendUint(dst, req.tagHash(), 36)
		}
		dst = append(dst, "\r\n"...)
	}
	dst = req.appendCopy(dst, "Call-ID")
	dst = req.appendCopy(dst, "CSeq")
	for _, line := range extra {
		dst = append(dst, line...)
		dst = append(dst, "\r\n"...)
	}
	return append(dst, "Content-Length: 0\r\n\r\n"...)
}

// tagHash is the same for a request and its repetitions, and different for the other branches of a fork.
func (v *View) tagHash() uint64 {
	h := fnv.New64a()
	_, _ = h.Write(v.CallID())
	_, _ = h.Write(v.FromTag())
	_, _ = h.Write(v.Branch())
	_, _ = h.Write(v.RequestURI())
	return h.Sum64()
}

// appendLine appends one header line.
func appendLine(dst []byte, name string, value []byte) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = appendUnfolded(dst, value)
	return append(dst, "\r\n"...)
}

// appendCopy appends the first header called name as a line, if there is one.
func (v *View) appendCopy(dst []byte, name string) []byte {
	if value, ok := v.Header(name); ok {
		return appendLine(dst, name, value)
	}
	return dst
}

// appendAll appends each header called name as a line of its own.
func (v *View) appendAll(dst []byte, name string) []byte {
	for value := range v.EachHeader(name) {
		dst = appendLine(dst, name, value)
	}
	return dst
}
