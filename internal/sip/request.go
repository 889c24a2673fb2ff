package sip

import "net/netip"

// Dialog is what a request inside a dialog is made from: the INVITE, and the response to it that made the dialog.
type Dialog struct {
	// Invite and Response are messages as they were on the wire, sent or received.
	Invite, Response *View
	// Incoming says that the INVITE was received, so that this side is the callee.
	Incoming bool
	// Local and Protocol make the Via: the address this side is reached at, and UDP.
	Local    netip.AddrPort
	Protocol string
	// Branch is the branch of the new transaction; it begins with z9hG4bK.
	Branch string
	// CSeq is the number of the new request: one more than the last that this side sent in the call. An ACK takes the INVITE's.
	CSeq uint32
	// Routes and NextURL, as RouteSet gave them, are used if NextURL is not empty; otherwise they are read from the messages.
	Routes, NextURL string
}

// AppendCANCEL appends the CANCEL of a pending INVITE that was sent (RFC 3261 9.1).
func AppendCANCEL(dst []byte, invite *View) []byte { return dst }

// AppendFailureACK appends the ACK for a final response other than 2xx to an INVITE that was sent (RFC 3261 17.1.1.3).
func AppendFailureACK(dst []byte, invite, response *View) []byte { return dst }

// AppendACK appends the ACK for a 2xx to the INVITE (RFC 3261 13.2.2.4): a transaction of its own, along the route set.
func AppendACK(dst []byte, d *Dialog) []byte { return dst }

// AppendBYE appends the BYE that ends the dialog (RFC 3261 15.1.1).
func AppendBYE(dst []byte, d *Dialog) []byte { return dst }
