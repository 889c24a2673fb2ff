package sip

import (
	"bytes"
	"strings"
)

// ContentLength is the value of the Content-Length header; false if there is none or it is not a number.
func (v *View) ContentLength() (int, bool) {
	if v.contentLength < 0 {
		return 0, false
	}
	return int(v.contentLength), true
}

// Body is what follows the headers: no more than Content-Length says, and less if less has come.
func (v *View) Body() []byte {
	body := v.data[min(int(v.body), len(v.data)):]
	if n, ok := v.ContentLength(); ok && n < len(body) {
		return body[:n:n]
	}
	return body
}

// ContentType is the Content-Type as it was written, with its parameters.
func (v *View) ContentType() []byte {
	value, _ := v.Header("Content-Type")
	return value
}

// MediaType is the Content-Type in lower case without parameters: "application/sdp"; empty if there is none.
func (v *View) MediaType() string {
	t := mediaType(v.ContentType())
	for _, known := range commonMediaTypes {
		if equalFold(t, known) {
			return known // without allocating
		}
	}
	return strings.ToLower(string(t))
}

// HasMediaType compares the Content-Type, without its parameters, to a media type.
func (v *View) HasMediaType(want string) bool { return equalFold(mediaType(v.ContentType()), want) }

const sdpType = "application/sdp"

var commonMediaTypes = [...]string{
	sdpType, "application/trickle-ice-sdpfrag", "application/dtmf-relay", "application/dtmf", "multipart/mixed",
}

// mediaType cuts the parameters off.
func mediaType(contentType []byte) []byte {
	if n := bytes.IndexByte(contentType, ';'); n >= 0 {
		contentType = contentType[:n]
	}
	return trimBlank(contentType)
}

// SDP is the session description: the body, or the first part of type application/sdp in a multipart body (RFC 5621). It is nil if
// there is none.
func (v *View) SDP() []byte { return findSDP(v.ContentType(), v.Body(), 0) }

// Limits on a multipart body: how deep parts may hold parts, and how many there may be on one level.
const (
	maxDepth = 3
	maxParts = 16
)

func findSDP(contentType, body []byte, depth int) []byte {
	t := mediaType(contentType)
	if equalFold(t, sdpType) {
		if len(body) == 0 {
			return nil
		}
		return body
	}
	if depth >= maxDepth || !isMultipart(t) {
		return nil
	}
	boundary, _ := param(contentType, "boundary")
	if len(boundary) == 0 || len(boundary) > 70 { // RFC 2046 5.1.1
		return nil
	}
	at, final := findDelimiter(body, boundary)
	for n := 0; n < maxParts && at.end > 0 && !final; n++ {
		body = body[at.end:]
		if at, final = findDelimiter(body, boundary); at.end == 0 {
			at.start = uint32(len(body)) // the closing delimiter is missing: the part is what is there
		}
		if sdp := partSDP(body[:at.start], depth+1); sdp != nil {
			return sdp
		}
	}
	return nil
}

func isMultipart(mediaType []byte) bool {
	const prefix = "multipart/"
	return len(mediaType) > len(prefix) && equalFold(mediaType[:len(prefix)], prefix)
}

// partSDP looks at one part, whose headers follow the rules of a message's.
func partSDP(part []byte, depth int) []byte {
	v := View{data: part, contentLength: -1}
	v.parseHeaders()
	return findSDP(v.ContentType(), v.Body(), depth)
}

// findDelimiter finds the first line "--boundary" or "--boundary--". The span is the whole line with its line end, but not the line
// end before it: RFC 2046 counts that to the delimiter, but session descriptions need it, and most senders write only one.
// The span's end is 0 if there is none.
func findDelimiter(body, boundary []byte) (at span, final bool) {
	for pos := 0; pos < len(body); {
		end, next := lineAt(body, pos)
		rest, ok := bytes.CutPrefix(body[pos:end], []byte("--"))
		if ok {
			rest, ok = bytes.CutPrefix(rest, boundary)
		}
		if ok {
			rest = rest[:len(rest)-trailingSpace(rest)]
			if final = string(rest) == "--"; final || len(rest) == 0 {
				return makeSpan(pos, next), final
			}
		}
		pos = next
	}
	return span{}, false
}
