package sip

import (
	"net/netip"
	"strconv"
)

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

// AppendCANCEL appends the CANCEL of a pending INVITE that was sent (RFC 3261 9.1): the INVITE's Request-URI, topmost Via, From, To,
// Call-ID, CSeq number and Route.
func AppendCANCEL(dst []byte, invite *View) []byte {
	dst = appendRequestLine(dst, "CANCEL", invite.RequestURI())
	dst = appendTopVia(dst, invite)
	dst = invite.appendAll(dst, "Route")
	dst = invite.appendCopy(dst, "From")
	dst = invite.appendCopy(dst, "To")
	return appendEnd(dst, invite, invite.CSeqNumber(), "CANCEL")
}

// AppendFailureACK appends the ACK for a final response other than 2xx to an INVITE that was sent (RFC 3261 17.1.1.3): as a CANCEL,
// but with the To of the response, and the INVITE's credentials (RFC 3261 22.1).
func AppendFailureACK(dst []byte, invite, response *View) []byte {
	dst = appendRequestLine(dst, "ACK", invite.RequestURI())
	dst = appendTopVia(dst, invite)
	dst = invite.appendAll(dst, "Route")
	dst = invite.appendCopy(dst, "From")
	to := response
	if !response.HasTo() {
		to = invite
	}
	dst = to.appendCopy(dst, "To")
	dst = appendCredentials(dst, invite)
	return appendEnd(dst, invite, invite.CSeqNumber(), "ACK")
}

// AppendACK appends the ACK for a 2xx to an INVITE that was sent (RFC 3261 13.2.2.4): a transaction of its own, to the remote target
// along the route set, with the INVITE's CSeq number and credentials.
func AppendACK(dst []byte, d *Dialog) []byte {
	dst = d.appendHead(dst, "ACK")
	dst = appendCredentials(dst, d.Invite)
	return appendEnd(dst, d.Invite, d.Invite.CSeqNumber(), "ACK")
}

// AppendBYE appends the BYE that ends the dialog (RFC 3261 12.2.1.1, 15.1.1), from either side.
func AppendBYE(dst []byte, d *Dialog) []byte {
	dst = d.appendHead(dst, "BYE")
	return appendEnd(dst, d.Invite, d.CSeq, "BYE")
}

// appendHead appends the request line and the headers that name the way and the two sides.
func (d *Dialog) appendHead(dst []byte, method string) []byte {
	routes, target := d.route()
	dst = appendRequestLine(dst, method, []byte(target))
	dst = append(dst, "Via: SIP/2.0/"...)
	dst = append(dst, d.Protocol...)
	dst = append(dst, ' ')
	dst = netip.AddrPortFrom(d.Local.Addr().WithZone(""), d.Local.Port()).AppendTo(dst)
	dst = append(dst, ";branch="...)
	dst = append(dst, d.Branch...)
	dst = append(dst, "\r\n"...)
	if routes != "" {
		dst = append(dst, routes...)
		dst = append(dst, "\r\n"...)
	}
	// The caller's side is in From of both messages; the callee's, with its tag, in To of the response.
	caller, callee := d.Invite.at(d.Invite.from), d.Response.at(d.Response.to)
	if !d.Response.HasTo() {
		callee = d.Invite.at(d.Invite.to)
	}
	if d.Incoming {
		caller, callee = callee, caller
	}
	dst = appendLine(dst, "From", caller)
	return appendLine(dst, "To", callee)
}

// route returns the Route line and the Request-URI. A peer that gave no Contact is sent to where the INVITE went, or at the URI that it
// came from.
func (d *Dialog) route() (routes, target string) {
	if d.NextURL != "" {
		return d.Routes, d.NextURL
	}
	if d.Incoming {
		routes, target = RouteSet(d.Invite, false)
	} else {
		routes, target = RouteSet(d.Response, true)
	}
	if target != "" {
		return routes, target
	}
	if d.Incoming {
		return routes, string(addressURI(d.Invite.at(d.Invite.from)))
	}
	return routes, string(d.Invite.RequestURI())
}

func appendRequestLine(dst []byte, method string, uri []byte) []byte {
	dst = append(dst, method...)
	dst = append(dst, ' ')
	dst = appendUnfolded(dst, uri)
	return append(dst, " SIP/2.0\r\n"...)
}

// appendTopVia appends the first Via value of a message, which may stand in a list.
func appendTopVia(dst []byte, v *View) []byte {
	return appendLine(dst, "Via", firstOf(v.at(v.via)))
}

func appendCredentials(dst []byte, v *View) []byte {
	dst = v.appendAll(dst, "Authorization")
	return v.appendAll(dst, "Proxy-Authorization")
}

// appendEnd appends what all requests end with.
func appendEnd(dst []byte, invite *View, cseq uint32, method string) []byte {
	dst = invite.appendCopy(dst, "Call-ID")
	dst = append(dst, "CSeq: "...)
	dst = strconv.AppendUint(dst, uint64(cseq), 10)
	dst = append(dst, ' ')
	dst = append(dst, method...)
	return append(dst, "\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"...)
}
