package transport

import (
	"errors"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// udpSocket is one descriptor: the shared one, or one that belongs to a call.
type udpSocket struct {
	set   *udpSet
	fd    int // -1: closed
	addr  netip.AddrPort
	peer  netip.AddrPort // whom a call's own socket was opened for
	drops uint32         // the kernel's count as last seen
}

// newSocket opens and binds a socket and has epoll watch it.
func (t *udpSet) newSocket(local netip.AddrPort) (*udpSocket, error) {
	family := unix.AF_INET
	if local.Addr().Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	if err != nil {
		return nil, err
	}
	s := &udpSocket{set: t, fd: fd}
	if err := s.setUp(local); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	for len(t.byFD) <= fd {
		t.byFD = append(t.byFD, nil)
	}
	t.byFD[fd] = s
	return s, nil
}

func (s *udpSocket) setUp(local netip.AddrPort) error {
	addr := local.Addr()
	if addr.Is6() {
		only := 1
		if addr.IsUnspecified() {
			only = 0
		}
		if err := unix.SetsockoptInt(s.fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only); err != nil {
			return err
		}
	}
	// Timestamps and drop counts are worth having, but a kernel without them is no reason not to run.
	_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1)
	sa, err := toSockaddr(local)
	if err != nil {
		return err
	}
	if err := unix.Bind(s.fd, sa); err != nil {
		return err
	}
	bound, err := unix.Getsockname(s.fd)
	if err != nil {
		return err
	}
	s.addr = netip.AddrPortFrom(addr, portOf(bound))
	return unix.EpollCtl(s.set.epfd, unix.EPOLL_CTL_ADD, s.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(s.fd)})
}

func toSockaddr(a netip.AddrPort) (unix.Sockaddr, error) {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}, nil
	}
	zone, err := zoneIndex(a.Addr().Zone())
	if err != nil {
		return nil, err
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), ZoneId: zone, Addr: a.Addr().As16()}, nil
}

func portOf(sa unix.Sockaddr) uint16 {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return uint16(sa.Port)
	case *unix.SockaddrInet6:
		return uint16(sa.Port)
	}
	return 0
}

// receive hands over at most limit datagrams.
func (s *udpSocket) receive(h Handler, limit int) (n int, err error) {
	t, r := s.set, &s.set.recv
	for n < limit && s.fd >= 0 {
		length, err := r.receive(s.fd)
		if err != nil {
			return n, s.receiveFailed(h, err)
		}
		n++
		info := r.control()
		if info.hasDrops {
			s.noteDrops(info.drops)
		}
		if r.truncated() {
			t.stats.Truncated++
		}
		t.stats.MessagesReceived++
		t.stats.BytesReceived += uint64(length)
		h.Received(Message{Data: r.buf[:length:length], Flow: Flow{s, r.sender()}, Received: info.received})
	}
	return n, nil
}

// receiveFailed tells an empty queue and what concerns a single datagram from a socket that is of no more use. The loop cannot go on
// without the shared socket; a call's own is closed.
func (s *udpSocket) receiveFailed(h Handler, err error) error {
	switch {
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EINTR), errors.Is(err, syscall.ENOMEM), errors.Is(err, syscall.ENOBUFS),
		errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return nil
	}
	err = receiveError(s.addr, err)
	if s == s.set.shared {
		return err
	}
	s.release()
	h.Closed(Flow{s, s.peer}, err)
	return nil
}

// noteDrops takes over the kernel's count, which wraps.
func (s *udpSocket) noteDrops(total uint32) {
	if more := int32(total - s.drops); more > 0 {
		s.set.stats.Dropped += uint64(more)
		s.drops = total
	}
}

// readDrops asks for the count: the one that comes with datagrams is missing when none came after the drop.
func (s *udpSocket) readDrops() {
	if s.fd < 0 {
		return
	}
	if total, ok := socketDrops(s.fd); ok {
		s.noteDrops(total)
	}
}

// send implements endpoint.
func (s *udpSocket) send(b []byte, remote netip.AddrPort) error {
	if s.fd < 0 {
		return errClosed
	}
	err := sendTo(s.fd, s.addr.Addr().Is6(), b, remote)
	for errors.Is(err, syscall.EINTR) {
		err = sendTo(s.fd, s.addr.Addr().Is6(), b, remote)
	}
	switch {
	case err == nil:
		s.set.stats.MessagesSent++
		s.set.stats.BytesSent += uint64(len(b))
		return nil
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.ENOBUFS):
		s.set.stats.Congested++
		return ErrCongested
	}
	return sendError(len(b), remote, err)
}

// local implements endpoint.
func (s *udpSocket) local() netip.AddrPort { return s.addr }

// protocol implements endpoint.
func (s *udpSocket) protocol() Protocol { return UDP }

// release implements endpoint.
func (s *udpSocket) release() {
	if s == s.set.shared || s.fd < 0 {
		return
	}
	s.readDrops()
	s.set.own--
	s.close()
}

// close closes the descriptor, which epoll then forgets.
func (s *udpSocket) close() {
	if s.fd < 0 {
		return
	}
	s.set.byFD[s.fd] = nil
	_ = unix.Close(s.fd)
	s.fd = -1
}

// age puts a kernel timestamp on the scale of now, which carries the monotonic clock, so that a step of the wall clock does not
// spoil response times. A timestamp that is far off is not believed.
func age(now time.Time, stamp unix.Timespec) time.Time {
	const far = 10 * time.Second
	since := now.Sub(time.Unix(stamp.Unix()))
	if since > far || since < -far {
		return now
	}
	return now.Add(-since)
}
