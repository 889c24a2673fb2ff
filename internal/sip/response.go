package sip

// AppendResponse appends the answer to req (RFC 3261 8.2.6): Via, From, To, Call-ID and CSeq as they came, a tag in To if there
// was none, the extra header lines (without line end), and Content-Length: 0. The tag is always the same for the same request
// (RFC 3261 8.2.7).
func AppendResponse(dst []byte, req *View, status int, reason string, extra ...string) []byte {
	return dst
}
