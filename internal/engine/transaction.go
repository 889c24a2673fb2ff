package engine

import (
	"hash/maphash"

	"github.com/gossipper/gossipper/internal/sip"
	"github.com/gossipper/gossipper/internal/transport"
)

// maxTransactions bounds the transactions that a call remembers in each direction; the oldest is forgotten first.
const maxTransactions = 32

// clientTxn is a request that this side sent. An ACK is none.
type clientTxn struct {
	method string
	cseq   uint32
	// anySeq: the author's message has no CSeq that could be read, so every response is taken for its own.
	anySeq bool
	// provisional and final tell which responses the scenario took; status is the final one.
	provisional, final bool
	status             int
}

// serverTxn is a request that came in. An ACK is none.
type serverTxn struct {
	method string
	cseq   uint32
	branch uint64 // hash of the topmost Via's branch
	flow   transport.Flow
	// response is what was last sent for it, status its code; 0: nothing yet.
	response []byte
	status   int
	// acked: the ACK for the final response to this INVITE has come.
	acked bool
}

// noteSent remembers a request that was sent; v is what went on the wire.
func (c *call) noteSent(v *sip.View, method string) *clientTxn {
	t := clientTxn{method: method, cseq: v.CSeqNumber(), anySeq: !v.HasCSeq()}
	if v.HasCSeq() && string(v.CSeqMethod()) != method {
		t.method = methodName(v.CSeqMethod())
	}
	if len(c.sent) == maxTransactions {
		oldest := 0
		if &c.sent[0] == c.lastSent(methodInvite) {
			oldest = 1 // the end of the call depends on it
		}
		copy(c.sent[oldest:], c.sent[oldest+1:])
		c.sent = c.sent[:maxTransactions-1]
	}
	c.sent = append(c.sent, t)
	return &c.sent[len(c.sent)-1]
}

// request returns the transaction that a response belongs to, the latest first; nil if there is none (RFC 3261 17.1.3, by CSeq
// within the call).
func (c *call) sentFor(v *sip.View) *clientTxn {
	for i := len(c.sent) - 1; i >= 0; i-- {
		t := &c.sent[i]
		if t.anySeq || t.cseq == v.CSeqNumber() && t.method == string(v.CSeqMethod()) {
			return t
		}
	}
	return nil
}

// lastSent returns the latest transaction with the method; nil if there is none.
func (c *call) lastSent(method string) *clientTxn {
	for i := len(c.sent) - 1; i >= 0; i-- {
		if c.sent[i].method == method {
			return &c.sent[i]
		}
	}
	return nil
}

// noteReceived remembers a request that came in.
func (c *call) noteReceived(in *incoming) *serverTxn {
	v := in.view
	if len(c.got) == maxTransactions {
		c.dropOldestReceived()
	}
	n := len(c.got)
	if n < cap(c.got) {
		c.got = c.got[:n+1]
	} else {
		c.got = append(c.got, serverTxn{})
	}
	t := &c.got[n]
	*t = serverTxn{
		method: methodName(v.Method()), cseq: v.CSeqNumber(), branch: c.branchHash(v), flow: in.flow,
		response: t.response[:0],
	}
	return t
}

// dropOldestReceived makes room for one transaction.
func (c *call) dropOldestReceived() {
	oldest := 0
	if &c.got[0] == c.gotInvite(0, true) {
		oldest = 1 // the end of the call depends on it
	}
	memory := c.got[oldest].response
	if c.pending != nil && !c.pending.request {
		memory = nil // it may be what is being repeated
	}
	copy(c.got[oldest:], c.got[oldest+1:])
	c.got[maxTransactions-1].response = memory // that of the others moved with them
	c.got = c.got[:maxTransactions-1]
}

// gotBefore returns the transaction of which the request is a repetition (RFC 3261 17.2.3); nil if it is new.
func (c *call) gotBefore(v *sip.View) *serverTxn {
	for i := len(c.got) - 1; i >= 0; i-- {
		t := &c.got[i]
		if t.cseq == v.CSeqNumber() && t.method == string(v.Method()) && t.branch == c.branchHash(v) {
			return t
		}
	}
	return nil
}

// gotFor returns the transaction that a response, about to be sent, answers: by its CSeq, else the latest.
func (c *call) gotFor(v *sip.View) *serverTxn {
	for i := len(c.got) - 1; i >= 0; i-- {
		if t := &c.got[i]; t.cseq == v.CSeqNumber() && t.method == string(v.CSeqMethod()) {
			return t
		}
	}
	if n := len(c.got); n > 0 && !v.HasCSeq() {
		return &c.got[n-1]
	}
	return nil
}

// gotInvite returns the INVITE with the CSeq number, or the latest if any is true; nil if there is none.
func (c *call) gotInvite(cseq uint32, any bool) *serverTxn {
	for i := len(c.got) - 1; i >= 0; i-- {
		if t := &c.got[i]; t.method == methodInvite && (any || t.cseq == cseq) {
			return t
		}
	}
	return nil
}

// branchHash stands for the branch of the topmost Via. A message of an old client without one (RFC 2543) is known by its whole text.
func (c *call) branchHash(v *sip.View) uint64 {
	if branch := v.Branch(); len(branch) > 0 {
		return maphash.Bytes(c.loop.dead.seed, branch)
	}
	return maphash.Bytes(c.loop.dead.seed, v.Bytes())
}

const (
	methodInvite = "INVITE"
	methodAck    = "ACK"
	methodBye    = "BYE"
	methodCancel = "CANCEL"
	methodInfo   = "INFO"
)

// methodName is the method as a string, without allocating for the usual ones.
func methodName(b []byte) string {
	switch string(b) {
	case methodInvite:
		return methodInvite
	case methodAck:
		return methodAck
	case methodBye:
		return methodBye
	case methodCancel:
		return methodCancel
	case methodInfo:
		return methodInfo
	case "OPTIONS":
		return "OPTIONS"
	case "REGISTER":
		return "REGISTER"
	case "PRACK":
		return "PRACK"
	case "UPDATE":
		return "UPDATE"
	case "MESSAGE":
		return "MESSAGE"
	default:
		return string(b)
	}
}
