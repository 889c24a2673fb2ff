package engine

import (
	"bytes"

	"github.com/gossipper/gossipper/internal/sip"
)

// maxSpareBuffer bounds each buffer that is kept to be used again.
const maxSpareBuffer = 4096

// keep copies data into buf if it has room, else into a buffer that another call gave back, or a new one that is no larger than it
// has to be: tens of thousands of calls in progress have several each.
func (l *loop) keep(buf, data []byte) []byte {
	if cap(buf) < len(data) {
		if n := len(l.spareBuffers); n > 0 && cap(l.spareBuffers[n-1]) >= len(data) {
			buf, l.spareBuffers[n-1] = l.spareBuffers[n-1], nil
			l.spareBuffers = l.spareBuffers[:n-1]
		} else {
			buf = make([]byte, 0, len(data))
		}
	}
	return append(buf[:0], data...)
}

// giveBack takes a buffer that a call needs no more.
func (l *loop) giveBack(buf []byte) {
	if cap(buf) > 0 && cap(buf) <= maxSpareBuffer && len(l.spareBuffers) < maxSpare {
		l.spareBuffers = append(l.spareBuffers, buf)
	}
}

// slimInvite drops the INVITE that was sent, once the call is going to last, if the ACK for its 2xx says the same of the dialog: that
// is all that could be needed of it from now on.
func (c *call) slimInvite() {
	if !c.inviteSent || len(c.invite) == 0 || len(c.ack) == 0 || c.pending != nil {
		return
	}
	t := c.lastSent(methodInvite)
	if t == nil || !t.final || t.status >= 300 {
		return
	}
	invite, _ := sip.ParseView(c.invite)
	ack, err := sip.ParseView(c.ack)
	if err != nil || ack.CSeqNumber() != invite.CSeqNumber() || !bytes.Equal(ack.CallID(), invite.CallID()) || !sameHeader(&ack, &invite, "From") ||
		!sameHeader(&ack, &invite, "Authorization") || !sameHeader(&ack, &invite, "Proxy-Authorization") {
		return
	}
	c.loop.giveBack(c.invite)
	c.invite = nil
}

// sameHeader reports whether both messages have the same header, or neither has it.
func sameHeader(a, b *sip.View, name string) bool {
	x, hasX := a.Header(name)
	y, hasY := b.Header(name)
	return hasX == hasY && bytes.Equal(x, y)
}

// inviteView is the last INVITE that was sent, or the ACK that stands for it.
func (c *call) inviteView() sip.View {
	message := c.invite
	if len(message) == 0 {
		message = c.ack
	}
	v, _ := sip.ParseView(message)
	return v
}

// slimAnswer leaves of our 2xx to an INVITE what a BYE of our own needs. Once its ACK has come it is never sent again.
func (c *call) slimAnswer(t *serverTxn) {
	if t.status < 200 || t.status >= 300 || c.pending != nil {
		return
	}
	v, err := sip.ParseView(t.response)
	to, ok := v.Header("To")
	if err != nil || !ok {
		return
	}
	slim := make([]byte, 0, len("SIP/2.0 200\r\nTo: \r\n\r\n")+len(to))
	slim = append(slim, "SIP/2.0 200\r\nTo: "...)
	slim = append(slim, to...)
	slim = append(slim, "\r\n\r\n"...)
	c.loop.giveBack(t.response)
	t.response = slim
}
