package media

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// maxLearned is how many sources are learned for one session: the peer may change its source a few times in a call.
const maxLearned = 8

const (
	// maxParked is how many datagrams of no call are kept for a while: a callee's audio may be faster than its answer.
	maxParked = 256
	parkedAge = 2 * time.Second
)

// demux finds the session of a datagram that came in at a socket which all sessions share: by the address that it came from,
// and, where several calls have the same peer address, by its source (SSRC), announced in the SDP (RFC 5576) or learned.
type demux struct {
	mu        sync.RWMutex
	byAddress map[netip.AddrPort][]*Session
	bySSRC    map[uint32]*Session
	routes    map[*Session]*demuxRoute
	parked    []parkedDatagram // the oldest first

	unroutable atomic.Uint64
}

type demuxRoute struct {
	addresses []netip.AddrPort
	ssrcs     []uint32
}

// parkedDatagram is one that belonged to no call when it came.
type parkedDatagram struct {
	content []byte
	from    netip.AddrPort
	rtcp    bool
	ssrc    uint32
	at      time.Time
}

func newDemux() *demux {
	return &demux{
		byAddress: make(map[netip.AddrPort][]*Session), bySSRC: make(map[uint32]*Session), routes: make(map[*Session]*demuxRoute),
	}
}

// bind routes to the session what comes from its peer; it replaces what was bound before.
func (d *demux) bind(session *Session, remote *AudioSDP) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.remove(session)
	route := &demuxRoute{addresses: slices.Compact([]netip.AddrPort{remote.Address, remote.RTCP})}
	for _, address := range route.addresses {
		d.byAddress[address] = append(d.byAddress[address], session)
	}
	d.routes[session] = route
	if remote.SSRC != 0 {
		d.learn(session, remote.SSRC)
	}
	d.unpark()
}

// unpark gives the sessions what came before they could be found. The lock is held, so that nothing newer overtakes it.
func (d *demux) unpark() {
	oldest := time.Now().Add(-parkedAge)
	d.parked = slices.DeleteFunc(d.parked, func(p parkedDatagram) bool {
		if p.at.Before(oldest) {
			return true
		}
		session := d.lookUp(p.from, p.ssrc)
		if session == nil {
			return false
		}
		d.unroutable.Add(^uint64(0))
		session.handle(p.content, p.from, p.rtcp, p.at)
		return true
	})
}

func (d *demux) unbind(session *Session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.remove(session)
}

func (d *demux) remove(session *Session) {
	route := d.routes[session]
	if route == nil {
		return
	}
	delete(d.routes, session)
	for _, address := range route.addresses {
		rest := slices.DeleteFunc(d.byAddress[address], func(other *Session) bool { return other == session })
		if len(rest) == 0 {
			delete(d.byAddress, address)
		} else {
			d.byAddress[address] = rest
		}
	}
	for _, ssrc := range route.ssrcs {
		delete(d.bySSRC, ssrc)
	}
}

func (d *demux) learn(session *Session, ssrc uint32) {
	route := d.routes[session]
	if route == nil || len(route.ssrcs) >= maxLearned {
		return
	}
	if _, taken := d.bySSRC[ssrc]; taken {
		return
	}
	d.bySSRC[ssrc] = session
	route.ssrcs = append(route.ssrcs, ssrc)
}

func (d *demux) handle(datagram []byte, from netip.AddrPort, rtcp bool, at time.Time) {
	if session := d.find(datagram, from, rtcp, at); session != nil {
		session.handle(datagram, from, rtcp, at)
	}
}

func (d *demux) find(datagram []byte, from netip.AddrPort, rtcp bool, at time.Time) *Session {
	offset := 8
	if rtcp {
		offset = 4
	}
	if len(datagram) < offset+4 {
		d.unroutable.Add(1)
		return nil
	}
	ssrc := binary.BigEndian.Uint32(datagram[offset:])
	d.mu.RLock()
	session := d.bySource(from, ssrc)
	d.mu.RUnlock()
	if session != nil {
		return session
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if session = d.lookUp(from, ssrc); session == nil {
		d.park(parkedDatagram{content: bytes.Clone(datagram), from: from, rtcp: rtcp, ssrc: ssrc, at: at})
	}
	return session
}

func (d *demux) park(p parkedDatagram) {
	d.unroutable.Add(1)
	if len(d.parked) == maxParked {
		d.parked = slices.Delete(d.parked, 0, 1)
	}
	d.parked = append(d.parked, p)
}

// bySource finds the session of a source that is known, unless the address belongs to others.
func (d *demux) bySource(from netip.AddrPort, ssrc uint32) *Session {
	session, known := d.bySSRC[ssrc]
	sessions := d.byAddress[from]
	if known && (len(sessions) == 0 || slices.Contains(sessions, session)) {
		return session
	}
	return nil
}

// lookUp finds the session of any source. It learns new ones: of the only session with that peer address, or else the only one
// there of which no source is known.
func (d *demux) lookUp(from netip.AddrPort, ssrc uint32) *Session {
	if session := d.bySource(from, ssrc); session != nil {
		return session
	}
	sessions := d.byAddress[from]
	if len(sessions) == 1 {
		d.learn(sessions[0], ssrc)
		return sessions[0]
	}
	var found *Session
	for _, session := range sessions {
		if len(d.routes[session].ssrcs) > 0 {
			continue
		}
		if found != nil {
			return nil
		}
		found = session
	}
	if found != nil {
		d.learn(found, ssrc)
	}
	return found
}
