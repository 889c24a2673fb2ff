package transport

import (
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// maxPerPoll is how many datagrams one Poll hands over before the loop's timers get their turn.
const maxPerPoll = 1000

// sharedBatch is how many datagrams the shared socket may hand over before the calls' own sockets get their turn.
const sharedBatch = 64

// quietTicks is how many ticks without a datagram make the transport idle, so that it waits in the kernel.
const quietTicks = 2

// udpSet is the Transport for UDP on Linux: plain descriptors, drained on a tick. It has no goroutine.
type udpSet struct {
	opts   Options
	nap    time.Duration // the sleep that, with the kernel's timer granularity, makes a tick; 0: none
	shared *udpSocket
	byFD   []*udpSocket // the sockets that epoll watches; nil where there is none
	own    int          // how many of them belong to calls
	epfd   int
	events [256]unix.EpollEvent

	recv    receiver
	hot     int  // ticks left before the transport is idle
	backlog bool // the last Poll stopped at its cap
	stats   Stats
	closed  bool

	wakefd  int
	woken   atomic.Bool
	blocked atomic.Bool
	wakeMu  sync.Mutex // guards wakefd against being closed while Wake writes to it
}

// NewUDP opens the shared socket. The error names the address and what to do, and wraps the system's.
func NewUDP(o Options) (Transport, error) {
	o, err := o.checked()
	if err != nil {
		return nil, err
	}
	t := &udpSet{opts: o, nap: napFor(o.Tick), epfd: -1, wakefd: -1}
	t.recv.init(o.MaxMessage)
	if err := t.open(); err != nil {
		_ = t.Close()
		return nil, listenError(o.Local, err)
	}
	return t, nil
}

// napFor returns what to sleep for one tick. A sleep ends about half a millisecond late, since the runtime's timers wait in whole
// milliseconds.
func napFor(tick time.Duration) time.Duration {
	const late = 500 * time.Microsecond
	switch {
	case tick < 0:
		return 0
	case tick < 2*late:
		return tick / 2
	default:
		return tick - late
	}
}

func (t *udpSet) open() (err error) {
	if t.epfd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	if t.wakefd, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return err
	}
	if t.shared, err = t.newSocket(t.opts.Local); err != nil {
		return err
	}
	setBuffer(t.shared.fd, unix.SO_RCVBUFFORCE, unix.SO_RCVBUF, t.opts.ReadBuffer)
	setBuffer(t.shared.fd, unix.SO_SNDBUFFORCE, unix.SO_SNDBUF, t.opts.WriteBuffer)
	return nil
}

// setBuffer asks for a buffer beyond the system's limit, which only root gets, then for what the limit allows.
func setBuffer(fd, force, ordinary, size int) {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, size) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, ordinary, size)
	}
}

// Open implements Transport.
func (t *udpSet) Open(remote netip.AddrPort) (Flow, error) {
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
	t.own++
	return Flow{s, remote}, nil
}

// Poll implements Transport.
func (t *udpSet) Poll(wait time.Duration, h Handler) error {
	if t.closed {
		return errClosed
	}
	start := time.Now()
	for left := wait; ; left = wait - time.Since(start) {
		if t.backlog || left <= 0 || t.woken.Load() {
			t.woken.Store(false)
			_, err := t.drain(h)
			return err
		}
		if t.hot > 0 {
			t.hot--
			time.Sleep(min(t.nap, left)) //nolint:forbidigo // the tick of the loop: datagrams are collected for so long on purpose
		} else if ready, err := t.block(left); err != nil || !ready {
			return err
		}
		n, err := t.drain(h)
		if err != nil || n > 0 || t.closed || t.woken.Swap(false) {
			return err
		}
	}
}

// block waits in the kernel for a datagram, Wake, or the end of wait. It reports whether there is anything to look at.
func (t *udpSet) block(wait time.Duration) (ready bool, err error) {
	t.blocked.Store(true)
	defer t.blocked.Store(false)
	if t.woken.Load() {
		return true, nil
	}
	fds := [2]unix.PollFd{
		{Fd: int32(t.shared.fd), Events: unix.POLLIN},
		{Fd: int32(t.wakefd), Events: unix.POLLIN},
	}
	if t.own > 0 {
		fds[0].Fd = int32(t.epfd)
	}
	timeout := unix.NsecToTimespec(int64(wait))
	n, err := unix.Ppoll(fds[:], &timeout, nil)
	if err != nil && !errors.Is(err, unix.EINTR) {
		return false, err
	}
	if fds[1].Revents != 0 {
		var count [8]byte
		_, _ = unix.Read(t.wakefd, count[:])
	}
	return n != 0, nil
}

// drain hands over what has arrived, up to maxPerPoll datagrams, without waiting.
func (t *udpSet) drain(h Handler) (n int, err error) {
	t.recv.now = time.Now()
	if t.own == 0 {
		n, err = t.shared.receive(h, maxPerPoll)
	} else {
		n, err = t.drainReady(h)
	}
	if t.backlog = n >= maxPerPoll; t.backlog {
		t.stats.Full++
	}
	if n > 0 && t.nap > 0 {
		t.hot = quietTicks
	}
	return n, err
}

// drainReady hands over what has arrived on all sockets. A call's socket gives one datagram a turn: reading on until it is empty
// would cost one more system call for each.
func (t *udpSet) drainReady(h Handler) (n int, err error) {
	for n < maxPerPoll && !t.closed {
		before := n
		for _, e := range t.events[:t.ready()] {
			s := t.byFD[e.Fd]
			if s == nil {
				continue // released by the handler a moment ago
			}
			batch := 1
			if s == t.shared {
				batch = sharedBatch
			}
			got, err := s.receive(h, batch)
			n += got
			if err != nil || t.closed {
				return n, err
			}
		}
		if n == before {
			break
		}
	}
	return n, nil
}

// ready asks epoll which sockets can be read.
func (t *udpSet) ready() int {
	n, err := epollNow(t.epfd, t.events[:])
	if err != nil {
		return 0 // interrupted: the next Poll looks again
	}
	return n
}

// Wake implements Transport.
func (t *udpSet) Wake() {
	t.woken.Store(true)
	if !t.blocked.CompareAndSwap(true, false) {
		return // not in the kernel: Poll looks at woken before it goes there
	}
	t.wakeMu.Lock()
	defer t.wakeMu.Unlock()
	if t.wakefd >= 0 {
		one := [8]byte{1, 1} // any number but 0, in either byte order
		_, _ = unix.Write(t.wakefd, one[:])
	}
}

// Local implements Transport.
func (t *udpSet) Local() netip.AddrPort { return t.shared.addr }

// Protocol implements Transport.
func (t *udpSet) Protocol() Protocol { return UDP }

// Stats implements Transport.
func (t *udpSet) Stats() Stats {
	if !t.closed {
		t.shared.readDrops()
	}
	return t.stats
}

// Close implements Transport.
func (t *udpSet) Close() error {
	if t.closed {
		return nil
	}
	if t.shared != nil {
		t.shared.readDrops()
	}
	t.closed = true
	for _, s := range t.byFD {
		if s != nil {
			s.close()
		}
	}
	if t.epfd >= 0 {
		_ = unix.Close(t.epfd)
	}
	t.wakeMu.Lock()
	defer t.wakeMu.Unlock()
	if t.wakefd >= 0 {
		_ = unix.Close(t.wakefd)
		t.wakefd = -1
	}
	return nil
}
