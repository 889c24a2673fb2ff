package sip

import (
	"net/netip"
	"strings"
	"testing"
)

const sentInvite = "INVITE sip:bob@example.com SIP/2.0\r\n" +
	"v: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bKinvite, SIP/2.0/UDP inner;branch=z9hG4bKinner\r\n" +
	"Via: SIP/2.0/UDP older\r\n" +
	"Route: <sip:edge;lr>\r\nRoute: <sip:core;lr>\r\n" +
	"f: <sip:alice@a>;tag=alice\r\nt: <sip:bob@example.com>\r\ni: call-1\r\nCSeq: 7 INVITE\r\n" +
	"Proxy-Authorization: Digest x\r\nContact: <sip:alice@127.0.0.1:5061>\r\nContent-Length: 3\r\n\r\nv=0"

const accepted = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bKinvite\r\n" +
	"Record-Route: <sip:p2;lr>, <sip:p1;lr>\r\nFrom: <sip:alice@a>;tag=alice\r\nTo: <sip:bob@example.com>;tag=bob\r\nCall-ID: call-1\r\n" +
	"CSeq: 7 INVITE\r\nContact: <sip:bob@10.0.0.9;ob>;q=1\r\n\r\n"

func lines(text ...string) string { return strings.Join(text, "\r\n") + "\r\n\r\n" }

func TestRequestsOfTheInviteTransaction(t *testing.T) {
	t.Parallel()
	invite := parse(t, sentInvite)
	busy := parse(t, "SIP/2.0 486 Busy Here\r\nTo: <sip:bob@example.com>;tag=busy\r\nCall-ID: call-1\r\nCSeq: 7 INVITE\r\n\r\n")
	noTo := parse(t, "SIP/2.0 486 Busy Here\r\nCall-ID: call-1\r\n\r\n")
	request := func(method, to, credentials string) string {
		text := []string{
			method + " sip:bob@example.com SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bKinvite",
			"Route: <sip:edge;lr>", "Route: <sip:core;lr>", "From: <sip:alice@a>;tag=alice", "To: " + to,
		}
		if credentials != "" {
			text = append(text, credentials)
		}
		return lines(append(text, "Call-ID: call-1", "CSeq: 7 "+method, "Max-Forwards: 70", "Content-Length: 0")...)
	}
	tests := []struct {
		name string
		got  []byte
		want string
	}{
		{"CANCEL", AppendCANCEL(nil, invite), request("CANCEL", "<sip:bob@example.com>", "")},
		{"ACK for 486", AppendFailureACK(nil, invite, busy), request("ACK", "<sip:bob@example.com>;tag=busy", "Proxy-Authorization: Digest x")},
		{"ACK for 486 without To", AppendFailureACK(nil, invite, noTo), request("ACK", "<sip:bob@example.com>", "Proxy-Authorization: Digest x")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if string(tt.got) != tt.want {
				t.Errorf("got\n%s\nwant\n%s", tt.got, tt.want)
			}
		})
	}
}

func TestRequestsInTheDialog(t *testing.T) {
	t.Parallel()
	caller := Dialog{
		Invite: parse(t, sentInvite), Response: parse(t, accepted),
		Local: netip.MustParseAddrPort("[::1]:5061"), Protocol: "UDP", Branch: "z9hG4bKnew", CSeq: 9,
	}
	callee := caller
	callee.Incoming = true
	callee.Invite = parse(t, strings.Replace(sentInvite, "Route: <sip:edge;lr>\r\nRoute:", "Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\nX:", 1))
	kept := caller
	kept.Routes, kept.NextURL = "Route: <sip:kept;lr>", "sip:next"
	bare := caller
	bare.Response = parse(t, "SIP/2.0 200 OK\r\nTo: <sip:b>;tag=b\r\nCall-ID: call-1\r\n\r\n")
	bareCallee := callee
	bareCallee.Invite = parse(t, "INVITE sip:b SIP/2.0\r\nFrom: \"A\" <sip:alice@a>;tag=1\r\nTo: <sip:b>\r\nCall-ID: call-1\r\nCSeq: 1 INVITE\r\n\r\n")

	const via = "Via: SIP/2.0/UDP [::1]:5061;branch=z9hG4bKnew"
	alice, bob := "<sip:alice@a>;tag=alice", "<sip:bob@example.com>;tag=bob"
	tests := []struct {
		name string
		got  []byte
		want string
	}{
		{"ACK", AppendACK(nil, &caller), lines("ACK sip:bob@10.0.0.9;ob SIP/2.0", via, "Route: <sip:p1;lr>, <sip:p2;lr>", "From: "+alice, "To: "+bob,
			"Proxy-Authorization: Digest x", "Call-ID: call-1", "CSeq: 7 ACK", "Max-Forwards: 70", "Content-Length: 0")},
		{"BYE of the caller", AppendBYE(nil, &caller), lines("BYE sip:bob@10.0.0.9;ob SIP/2.0", via, "Route: <sip:p1;lr>, <sip:p2;lr>", "From: "+alice, "To: "+bob,
			"Call-ID: call-1", "CSeq: 9 BYE", "Max-Forwards: 70", "Content-Length: 0")},
		{"BYE of the callee", AppendBYE(nil, &callee), lines("BYE sip:alice@127.0.0.1:5061 SIP/2.0", via, "Route: <sip:p1;lr>, <sip:p2;lr>", "From: "+bob, "To: "+alice,
			"Call-ID: call-1", "CSeq: 9 BYE", "Max-Forwards: 70", "Content-Length: 0")},
		{"kept routes", AppendBYE(nil, &kept), lines("BYE sip:next SIP/2.0", via, "Route: <sip:kept;lr>", "From: "+alice, "To: "+bob,
			"Call-ID: call-1", "CSeq: 9 BYE", "Max-Forwards: 70", "Content-Length: 0")},
		{"no Contact in the response", AppendBYE(nil, &bare), lines("BYE sip:bob@example.com SIP/2.0", via, "From: "+alice, "To: <sip:b>;tag=b",
			"Call-ID: call-1", "CSeq: 9 BYE", "Max-Forwards: 70", "Content-Length: 0")},
		{"no Contact in the INVITE", AppendBYE(nil, &bareCallee), lines("BYE sip:alice@a SIP/2.0", via, "From: "+bob, "To: \"A\" <sip:alice@a>;tag=1",
			"Call-ID: call-1", "CSeq: 9 BYE", "Max-Forwards: 70", "Content-Length: 0")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if string(tt.got) != tt.want {
				t.Errorf("got\n%s\nwant\n%s", tt.got, tt.want)
			}
		})
	}
}

func TestRouteSet(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, headers string
		uac           bool
		routes, next  string
	}{
		{"no routes", "m: <sip:b@c>\r\n", true, "", "sip:b@c"},
		{"nothing", "", true, "", ""},
		{"caller reverses", "Record-Route: <sip:a;lr>\r\nRecord-Route: <sip:b;lr>,<sip:c;lr=on>\r\nm: <sip:t>\r\n", true, "Route: <sip:c;lr=on>, <sip:b;lr>, <sip:a;lr>", "sip:t"},
		{"callee keeps the order", "Record-Route: <sip:a;lr>\r\nRecord-Route: <sip:b;lr>\r\nm: <sip:t>\r\n", false, "Route: <sip:a;lr>, <sip:b;lr>", "sip:t"},
		{"strict router first", "Record-Route: <sip:a;lr>, <sip:b>\r\nm: <sip:t;x>;q=1\r\n", true, "Route: <sip:a;lr>, <sip:t;x>", "sip:b"},
		{"strict router second", "Record-Route: <sip:a>, <sip:b;lr>\r\nm: <sip:t>\r\n", true, "Route: <sip:b;lr>, <sip:a>", "sip:t"},
		{"lr of the header, not of the URI", "Record-Route: <sip:a>;lr\r\nm: <sip:t>\r\n", true, "Route: <sip:t>", "sip:a"},
		{"strict router only, no Contact", "Record-Route: <sip:a>\r\n", true, "", "sip:a"},
		{"folded", "Record-Route: <sip:a;lr>\r\n ;x=y\r\nm: <sip:t>\r\n", true, "Route: <sip:a;lr> ;x=y", "sip:t"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			routes, next := RouteSet(parse(t, "SIP/2.0 200 OK\r\nCall-ID: x\r\n"+tt.headers+"\r\n"), tt.uac)
			if routes != tt.routes || next != tt.next {
				t.Errorf("got %q, %q", routes, next)
			}
		})
	}
}
