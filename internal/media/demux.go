package media

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// maxLearned is how many sources are learned for one session: the peer may change its source a few times in a call.
const maxLearned = 8

// demux finds the session of a datagram that came in at a socket which all sessions share: by the address that it came from,
// and, where several calls have the same peer address, by its source (SSRC), announced in the SDP (RFC 5576) or learned.
type demux struct {
	mu        sync.RWMutex
	byAddress map[netip.AddrPort][]*Session
	bySSRC    map[uint32]*Session
	routes    map[*Session]*demuxRoute

	unroutable atomic.Uint64
}

type demuxRoute struct {
	addresses []netip.AddrPort
	ssrcs     []uint32
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
	if session := d.find(datagram, from, rtcp); session != nil {
		session.handle(datagram, from, rtcp, at)
		return
	}
	d.unroutable.Add(1)
}

func (d *demux) find(datagram []byte, from netip.AddrPort, rtcp bool) *Session {
	offset := 8
	if rtcp {
		offset = 4
	}
	if len(datagram) < offset+4 {
		return nil
	}
	ssrc := binary.BigEndian.Uint32(datagram[offset:])
	d.mu.RLock()
	session, known := d.bySSRC[ssrc]
	sessions := d.byAddress[from]
	if known && (len(sessions) == 0 || slices.Contains(sessions, session)) {
		d.mu.RUnlock()
		return session
	}
	d.mu.RUnlock()
	return d.findByAddress(from, ssrc)
}

// findByAddress finds the session of a new source, and learns it: the only one with that peer address, or else the only one
// there of which no source is known.
func (d *demux) findByAddress(from netip.AddrPort, ssrc uint32) *Session {
	d.mu.Lock()
	defer d.mu.Unlock()
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
