package sip

import "errors"

// What ParseView says of data that no call can be found for. Anything else, however malformed, is a message.
var (
	// ErrKeepAlive is an empty datagram, nothing but line ends (RFC 5626 3.5.1), or four zero bytes: to be ignored silently.
	ErrKeepAlive = errors.New("keep-alive, not a message")
	// ErrNotSIP says that the first line is neither a SIP/2.0 request line nor a status line.
	ErrNotSIP = errors.New("not a SIP message: the first line does not name SIP/2.0")
	// ErrNoCallID says that the message has no Call-ID, or an empty one.
	ErrNoCallID = errors.New("SIP message without Call-ID")
)
