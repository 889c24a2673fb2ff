package media

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
)

// SessionsOptions are what all classic RTP calls of a run have in common. IP and Pacer are required.
type SessionsOptions struct {
	// IP is the local address of the sockets.
	IP netip.Addr
	// Advertise is the address to write into SDP; if it is not valid, IP.
	Advertise netip.Addr
	// PortMin and PortMax bound the ports for RTP and RTCP; 0 and 0: the system chooses.
	PortMin, PortMax uint16
	// Shared lets all calls use one pair of sockets. Calls that have the same peer address are told apart by their SSRC.
	Shared bool
	Pacer  *Pacer
	// PreferPCMA offers PCMA before PCMU, and chooses it if the peer offers both.
	PreferPCMA bool
	// NoIdleSilence stops the silence that is sent while no clip is played.
	NoIdleSilence bool
	// Rand gives SSRCs and the like; nil: math/rand/v2.
	Rand func() uint32
}

// Sessions makes the Session of each call of a run, and owns what they share.
type Sessions struct {
	options SessionsOptions
	ports   *portRange
	shared  *socketPair // nil: each session has its own
	demux   *demux

	mu     sync.Mutex
	closed bool
	open   map[*Session]struct{}
}

// NewSessions checks the options and opens the shared sockets, if the calls are to share them. Close must be called.
func NewSessions(o SessionsOptions) (*Sessions, error) {
	if !o.IP.IsValid() || o.Pacer == nil {
		return nil, errors.New("media sessions need a local IP address and a pacer")
	}
	o.IP = o.IP.Unmap()
	if !o.Advertise.IsValid() {
		o.Advertise = o.IP
	}
	o.Advertise = o.Advertise.Unmap()
	if o.Advertise.IsUnspecified() {
		return nil, fmt.Errorf("%s cannot be written into SDP: name a local address, or the one to advertise", o.Advertise)
	}
	if o.Rand == nil {
		o.Rand = rand.Uint32
	}
	ports, err := newPortRange(o.IP, o.PortMin, o.PortMax)
	if err != nil {
		return nil, err
	}
	s := &Sessions{options: o, ports: ports, open: make(map[*Session]struct{})}
	if !o.Shared {
		return s, nil
	}
	if s.shared, err = ports.open(); err != nil {
		return nil, err
	}
	// The kernel may give less: that costs packets in bursts only.
	_ = s.shared.rtp.SetReadBuffer(sharedReadBuffer)
	s.demux = newDemux()
	s.shared.read(s.demux.handle)
	return s, nil
}

// New opens the session of one call.
func (s *Sessions) New(o PipelineOptions) (*Session, error) {
	session := newSession(s, o)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, ErrClosed
	}
	s.open[session] = struct{}{}
	s.mu.Unlock()
	sockets := s.shared
	if sockets == nil {
		var err error
		if sockets, err = s.ports.open(); err != nil {
			s.forget(session)
			return nil, err
		}
	}
	if !session.attach(sockets) { // closed meanwhile, by Close
		sockets.close()
		return nil, ErrClosed
	}
	return session, nil
}

func (s *Sessions) forget(session *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, session)
}

// Unroutable returns how many datagrams at shared sockets belonged to no call.
func (s *Sessions) Unroutable() uint64 {
	if s.demux == nil {
		return 0
	}
	return s.demux.unroutable.Load()
}

// Close closes the sessions that are still open, then the shared sockets. It can be called again.
func (s *Sessions) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	open := make([]*Session, 0, len(s.open))
	for session := range s.open {
		open = append(open, session)
	}
	s.mu.Unlock()
	var errs []error
	for _, session := range open {
		errs = append(errs, session.Close(ctx))
	}
	if s.shared != nil {
		s.shared.close()
	}
	return errors.Join(errs...)
}
