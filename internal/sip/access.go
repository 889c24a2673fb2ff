package sip

import "bytes"

// Bytes is the whole message.
func (v *View) Bytes() []byte { return v.data }

// IsRequest tells a request from a response.
func (v *View) IsRequest() bool { return !v.response && v.method.end > 0 }

// StartLine is the request line or status line without its line end.
func (v *View) StartLine() []byte {
	if v.headers == 0 {
		return nil
	}
	start := leadingLineEnds(v.data)
	end, _ := lineAt(v.data, start)
	return v.data[start:end:end]
}

// Method is the method of a request, as it was written; empty for a response.
func (v *View) Method() []byte { return v.at(v.method) }

// RequestURI is the Request-URI, empty for a response.
func (v *View) RequestURI() []byte { return v.at(v.uri) }

// Status is the status code of a response; 0 for a request, or if the code is not a number of at most three digits.
func (v *View) Status() int { return int(v.status) }

// Reason is the reason phrase of a response.
func (v *View) Reason() []byte { return v.at(v.reason) }

// CallID is the Call-ID as it was written.
func (v *View) CallID() []byte { return v.at(v.callID) }

// CallIDKey is the part of the Call-ID that names the call: what follows "///", or all of it. A scenario may so give two dialogs
// of one call different Call-IDs, as SIPp does.
func (v *View) CallIDKey() []byte {
	id := v.CallID()
	if n := bytes.Index(id, []byte("///")); n >= 0 && n+3 < len(id) {
		return id[n+3:]
	}
	return id
}

// HasCSeq reports whether there is a CSeq header with a number and a method.
func (v *View) HasCSeq() bool { return v.hasSeq }

// CSeqNumber is the number of the CSeq header, 0 without a valid one.
func (v *View) CSeqNumber() uint32 { return v.cseq }

// CSeqMethod is the method of the CSeq header, empty without a valid one.
func (v *View) CSeqMethod() []byte { return v.at(v.cseqMethod) }

// HasTo reports whether there is a To header.
func (v *View) HasTo() bool { return v.seen&(1<<keyTo) != 0 }

// FromTag is the tag of the From header, empty if there is none.
func (v *View) FromTag() []byte { return addressTag(v.at(v.from)) }

// ToTag is the tag of the To header, empty if there is none.
func (v *View) ToTag() []byte { return addressTag(v.at(v.to)) }

// Branch is the branch parameter of the topmost Via, empty if there is none.
func (v *View) Branch() []byte {
	branch, _ := param(firstOf(v.at(v.via)), "branch")
	return branch
}

// ContactURI is the URI of the first Contact, without angle brackets; empty if there is none.
func (v *View) ContactURI() []byte {
	contact, _ := v.Header("Contact")
	return addressURI(firstOf(contact))
}

// Clone copies the message, so that the view outlives the buffer it was read into.
func (v *View) Clone() View { return v.Retain(nil) }

// Head is the message without its body: start line and headers, with the empty line that ends them.
func (v *View) Head() View {
	head := *v
	head.data = v.data[:min(int(v.body), len(v.data))]
	return head
}

// Retain is Clone into buf, whose memory is used again if it is large enough: buf = append(buf[:0], message…). The view's Bytes are
// the buffer to give next time.
func (v *View) Retain(buf []byte) View {
	kept := *v
	if cap(buf) < len(v.data) {
		buf = make([]byte, 0, len(v.data)) // append would leave room that nothing needs
	}
	kept.data = append(buf[:0], v.data...)
	return kept
}
