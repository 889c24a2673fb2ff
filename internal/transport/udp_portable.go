package transport

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// inboxSize is how many datagrams the readers may be ahead of the loop. Beyond it they stop reading, and the kernel's buffer fills.
const inboxSize = 1024

// portableUDP is the Transport for UDP on systems other than Linux: a goroutine for each socket reads into an inbox, which Poll
// empties. It costs about three times what udpSet does.
type portableUDP struct {
	opts   Options
	shared *portableSocket
	inbox  chan arrival
	wake   chan struct{}
	done   chan struct{} // closed by Close; readers end
	free   sync.Pool     // of *[]byte, MaxMessage+1 long
	open   map[*portableSocket]struct{}
	wait   sync.WaitGroup // the readers
	stats  Stats
	closed bool
}

// arrival is one datagram, or the error that ended a reader.
type arrival struct {
	socket *portableSocket
	remote netip.AddrPort
	buf    *[]byte
	length int
	at     time.Time
	err    error
}

func newPortable(o Options) (Transport, error) {
	o, err := o.checked()
	if err != nil {
		return nil, err
	}
	t := &portableUDP{
		opts:  o,
		inbox: make(chan arrival, inboxSize),
		wake:  make(chan struct{}, 1),
		done:  make(chan struct{}),
		open:  make(map[*portableSocket]struct{}),
	}
	t.free.New = func() any {
		b := make([]byte, o.MaxMessage+1) // one more, to see what was cut
		return &b
	}
	if t.shared, err = t.newSocket(o.Local); err != nil {
		return nil, listenError(o.Local, err)
	}
	_ = t.shared.conn.SetReadBuffer(o.ReadBuffer)
	_ = t.shared.conn.SetWriteBuffer(o.WriteBuffer)
	return t, nil
}

func (t *portableUDP) newSocket(local netip.AddrPort) (*portableSocket, error) {
	network := "udp4"
	if local.Addr().Is6() {
		network = "udp6"
		if local.Addr().IsUnspecified() {
			network = "udp"
		}
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(local))
	if err != nil {
		return nil, bare(err)
	}
	bound, _ := conn.LocalAddr().(*net.UDPAddr)
	s := &portableSocket{set: t, conn: conn, addr: netip.AddrPortFrom(local.Addr(), bound.AddrPort().Port())}
	t.open[s] = struct{}{}
	t.wait.Go(s.read)
	return s, nil
}

// bare takes the system's error out of what package net says around it, which repeats the address.
func bare(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}

// Open implements Transport.
func (t *portableUDP) Open(remote netip.AddrPort) (Flow, error) {
	if t.closed {
		return Flow{}, errClosed
	}
	local := t.opts.Local.Addr()
	remote, err := usableRemote(local, remote)
	if err != nil {
		return Flow{}, err
	}
	if !t.opts.PerCall {
		return Flow{t.shared, remote}, nil
	}
	s, err := t.newSocket(netip.AddrPortFrom(local, 0))
	if err != nil {
		return Flow{}, openError(local, err)
	}
	s.peer = remote
	return Flow{s, remote}, nil
}

// Poll implements Transport.
func (t *portableUDP) Poll(wait time.Duration, h Handler) error {
	if t.closed {
		return errClosed
	}
	n, err := t.drain(h)
	if n > 0 || err != nil || wait <= 0 {
		return err
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case a := <-t.inbox:
		if err := t.hand(a, h); err != nil {
			return err
		}
	case <-t.wake:
	case <-timer.C:
	}
	_, err = t.drain(h)
	return err
}

// drain hands over what is in the inbox, up to what it can hold.
func (t *portableUDP) drain(h Handler) (n int, err error) {
	for ; n < inboxSize && !t.closed; n++ {
		select {
		case a := <-t.inbox:
			if err := t.hand(a, h); err != nil {
				return n, err
			}
		default:
			return n, nil
		}
	}
	if !t.closed {
		t.stats.Full++
	}
	return n, nil
}

// hand gives one arrival to the handler, unless its socket has been released since.
func (t *portableUDP) hand(a arrival, h Handler) error {
	s := a.socket
	if a.err != nil {
		if s == t.shared {
			return receiveError(s.addr, a.err)
		}
		if !s.closed {
			s.release()
			h.Closed(Flow{s, s.peer}, receiveError(s.addr, a.err))
		}
		return nil
	}
	defer t.free.Put(a.buf)
	if s.closed {
		return nil
	}
	if a.length > t.opts.MaxMessage {
		a.length = t.opts.MaxMessage
		t.stats.Truncated++
	}
	t.stats.MessagesReceived++
	t.stats.BytesReceived += uint64(a.length)
	h.Received(Message{Data: (*a.buf)[:a.length:a.length], Flow: Flow{s, a.remote}, Received: a.at})
	return nil
}

// Wake implements Transport.
func (t *portableUDP) Wake() {
	select {
	case t.wake <- struct{}{}:
	default: // already asked for
	}
}

// Local implements Transport.
func (t *portableUDP) Local() netip.AddrPort { return t.shared.addr }

// Protocol implements Transport.
func (t *portableUDP) Protocol() Protocol { return UDP }

// Stats implements Transport. The kernel's drops are not known here.
func (t *portableUDP) Stats() Stats { return t.stats }

// Close implements Transport. It waits for the readers.
func (t *portableUDP) Close() error {
	if t.closed {
		return nil
	}
	t.closed = true
	close(t.done)
	for s := range t.open {
		s.close()
	}
	t.wait.Wait()
	return nil
}

// portableSocket is one net.UDPConn: the shared one, or one that belongs to a call.
type portableSocket struct {
	set    *portableUDP
	conn   *net.UDPConn
	addr   netip.AddrPort
	peer   netip.AddrPort // whom a call's own socket was opened for
	closed bool
}

// read is the socket's goroutine. It ends when the socket is closed.
func (s *portableSocket) read() {
	t := s.set
	for {
		buf, _ := t.free.Get().(*[]byte)
		n, remote, err := s.conn.ReadFromUDPAddrPort(*buf)
		switch {
		case err == nil, errors.Is(err, syscall.EMSGSIZE): // some systems report what was cut as an error
			err = nil
		case errors.Is(err, net.ErrClosed):
			return
		case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET):
			t.free.Put(buf) // an earlier datagram did not arrive
			continue
		}
		remote = netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port())
		select {
		case t.inbox <- arrival{socket: s, remote: remote, buf: buf, length: n, at: time.Now(), err: err}:
		case <-t.done:
			return
		}
		if err != nil {
			return
		}
	}
}

// send implements endpoint.
func (s *portableSocket) send(b []byte, remote netip.AddrPort) error {
	if s.closed {
		return errClosed
	}
	_, err := s.conn.WriteToUDPAddrPort(b, remote)
	switch {
	case err == nil:
		s.set.stats.MessagesSent++
		s.set.stats.BytesSent += uint64(len(b))
		return nil
	case errors.Is(err, syscall.ENOBUFS), errors.Is(err, syscall.EAGAIN):
		s.set.stats.Congested++
		return ErrCongested
	}
	return sendError(len(b), remote, bare(err))
}

// local implements endpoint.
func (s *portableSocket) local() netip.AddrPort { return s.addr }

// protocol implements endpoint.
func (s *portableSocket) protocol() Protocol { return UDP }

// release implements endpoint.
func (s *portableSocket) release() {
	if s != s.set.shared {
		s.close()
	}
}

func (s *portableSocket) close() {
	if s.closed {
		return
	}
	s.closed = true
	delete(s.set.open, s)
	_ = s.conn.Close()
}
