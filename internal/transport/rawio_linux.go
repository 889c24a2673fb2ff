package transport

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system calls of the hot path never block, so they are made without telling Go's scheduler, and with addresses in the
// kernel's own form, so that nothing is allocated.

// receiver is the memory that one recvmsg at a time fills.
type receiver struct {
	buf  []byte
	oob  [128]byte
	name unix.RawSockaddrInet6 // also holds the shorter IPv4 form
	iov  unix.Iovec
	msg  unix.Msghdr
	now  time.Time // when this round of receiving began
}

func (r *receiver) init(size int) {
	r.buf = make([]byte, size)
	r.iov.Base = &r.buf[0]
	r.iov.SetLen(size)
	r.msg.Iov = &r.iov
	r.msg.SetIovlen(1)
	r.msg.Name = (*byte)(unsafe.Pointer(&r.name))
	r.msg.Control = &r.oob[0]
}

// receive takes one datagram into buf and returns its length.
func (r *receiver) receive(fd int) (int, error) {
	r.msg.Namelen = uint32(unsafe.Sizeof(r.name))
	r.msg.SetControllen(len(r.oob))
	r.msg.Flags = 0
	n, _, errno := unix.RawSyscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&r.msg)), unix.MSG_DONTWAIT)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

func (r *receiver) truncated() bool { return r.msg.Flags&unix.MSG_TRUNC != 0 }

// ancillary is what the kernel says besides the datagram.
type ancillary struct {
	received time.Time
	drops    uint32 // datagrams that this socket has lost so far
	hasDrops bool
}

func (r *receiver) control() ancillary {
	a := ancillary{received: r.now}
	rest := r.oob[:min(int(r.msg.Controllen), len(r.oob))]
	for len(rest) >= unix.SizeofCmsghdr {
		h, data, after, err := unix.ParseOneSocketControlMessage(rest)
		if err != nil {
			break
		}
		if h.Level == unix.SOL_SOCKET {
			switch {
			case h.Type == unix.SCM_TIMESTAMPNS && len(data) >= int(unsafe.Sizeof(unix.Timespec{})):
				a.received = age(r.now, *(*unix.Timespec)(unsafe.Pointer(&data[0])))
			case h.Type == unix.SO_RXQ_OVFL && len(data) >= 4:
				a.drops, a.hasDrops = binary.NativeEndian.Uint32(data), true
			}
		}
		rest = after
	}
	return a
}

// sender is where the datagram came from.
func (r *receiver) sender() netip.AddrPort {
	port := binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&r.name.Port))[:])
	if r.name.Family == unix.AF_INET {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(&r.name))
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), port)
	}
	addr := netip.AddrFrom16(r.name.Addr).Unmap()
	if r.name.Scope_id != 0 && addr.Is6() {
		addr = addr.WithZone(strconv.FormatUint(uint64(r.name.Scope_id), 10))
	}
	return netip.AddrPortFrom(addr, port)
}

// sendTo sends one datagram through a socket of the family that wide says, IPv6 or IPv4.
func sendTo(fd int, wide bool, b []byte, to netip.AddrPort) error {
	var name unix.RawSockaddrInet6
	size := uintptr(unix.SizeofSockaddrInet6)
	if wide {
		name.Family = unix.AF_INET6
		name.Addr = to.Addr().As16() // an IPv4 address in its mapped form
		zone, err := zoneIndex(to.Addr().Zone())
		if err != nil {
			return err
		}
		name.Scope_id = zone
	} else {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(&name))
		v4.Family = unix.AF_INET
		v4.Addr = to.Addr().Unmap().As4()
		size = unix.SizeofSockaddrInet4
	}
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&name.Port))[:], to.Port())
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&name)), size)
	if errno != 0 {
		return errno
	}
	return nil
}

// zoneIndex turns the zone of a link-local address, an interface's name or number, into its number.
func zoneIndex(zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n), nil
	}
	i, err := net.InterfaceByName(zone)
	if err != nil {
		return 0, err
	}
	return uint32(i.Index), nil
}

// epollNow asks which descriptors are ready, without waiting.
func epollNow(epfd int, events []unix.EpollEvent) (int, error) {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epfd), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// socketDrops reads how many datagrams a socket has lost so far.
func socketDrops(fd int) (uint32, bool) {
	const field = 8 // SK_MEMINFO_DROPS
	var info [field + 1]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	return info[field], errno == syscall.Errno(0) && size == uint32(unsafe.Sizeof(info))
}
