package webrtc

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	pion "github.com/pion/webrtc/v4"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/webrtc/sdp"
)

// pcPeer is a peer made of a Pion PeerConnection.
type pcPeer struct {
	pc     *pion.PeerConnection
	net    *abortNet
	track  *rawTrack
	events peerEvents
	nudger nudger

	// remote is what the certificate of the other side is checked against when the handshake fails.
	mu     sync.Mutex
	remote *sdp.Remote
}

var _ peer = (*pcPeer)(nil)

func newPCPeer(f *Factory, events peerEvents, config peerConfig) (*pcPeer, error) {
	p := &pcPeer{net: newAbortNet(f.net, config.again), track: &rawTrack{}, events: events}
	configuration := pion.Configuration{Certificates: []pion.Certificate{f.certificate}}
	if config.policy == PolicyRelay {
		configuration.ICETransportPolicy = pion.ICETransportPolicyRelay
	}
	for _, s := range config.servers {
		if s.Scheme == "stuns" {
			continue
		}
		server := pion.ICEServer{URLs: []string{s.String()}}
		if s.IsTURN() {
			server.Username, server.Credential = s.credential.Username, s.credential.Password
		}
		configuration.ICEServers = append(configuration.ICEServers, server)
	}
	log := &pionLog{onServerError: events.onServerError, onStartError: p.onStartError}
	pc, err := f.api(log, p.net, events, config.again).NewPeerConnection(configuration)
	if err != nil {
		return nil, err
	}
	p.pc = pc
	p.nudger.add = p.addCandidate
	pc.OnICECandidate(p.onCandidate)
	pc.OnICEConnectionStateChange(func(s pion.ICEConnectionState) {
		if s != pion.ICEConnectionStateChecking {
			p.nudger.stop()
		}
		events.onICEState(s.String())
	})
	// Pion runs each call of this in a goroutine of its own: the state is read, lest an older one comes last.
	pc.OnConnectionStateChange(func(pion.PeerConnectionState) { events.onConnectionState(pc.ConnectionState().String()) })
	if _, err := pc.AddTrack(p.track); err != nil {
		_ = pc.Close()
		return nil, err
	}
	return p, nil
}

func (p *pcPeer) onCandidate(c *pion.ICECandidate) {
	if c == nil {
		p.events.onGathered()
		return
	}
	// Pion lists every candidate for RTP and RTCP; with rtcp-mux there is one component.
	if parsed, err := sdp.ParseCandidate(c.ToJSON().Candidate); err == nil && parsed.Component == 1 {
		p.events.onCandidate(parsed)
	}
}

// onStartError hears why Pion gave up connecting. Only what comes from the handshake is of interest: ICE reports its
// failures as states, and closing interrupts both.
func (p *pcPeer) onStartError(err error) {
	if p.pc == nil || p.dtls().State() != pion.DTLSTransportStateFailed {
		return
	}
	p.events.onHandshakeError(err, p.mismatch())
}

// mismatch tells whether the certificate that the other side showed is not the announced one.
func (p *pcPeer) mismatch() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	der := p.dtls().GetRemoteCertificate()
	return len(der) > 0 && p.remote != nil && !p.remote.Matches(der)
}

func (p *pcPeer) dtls() *pion.DTLSTransport { return p.pc.SCTP().Transport() }

func (p *pcPeer) setRemote(r *sdp.Remote) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remote = r
}

func (p *pcPeer) offer() (sdp.LocalParams, error) {
	offer, err := p.pc.CreateOffer(nil)
	if err != nil {
		return sdp.LocalParams{}, err
	}
	return sdp.ReadPion(offer.SDP), p.pc.SetLocalDescription(offer)
}

func (p *pcPeer) answer(remote *sdp.Remote) (sdp.LocalParams, error) {
	p.setRemote(remote)
	if err := p.pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeOffer, SDP: remote.ForPion()}); err != nil {
		return sdp.LocalParams{}, err
	}
	answer, err := p.pc.CreateAnswer(nil)
	if err != nil {
		return sdp.LocalParams{}, err
	}
	return sdp.ReadPion(answer.SDP), p.pc.SetLocalDescription(answer)
}

func (p *pcPeer) accept(remote *sdp.Remote) error {
	p.setRemote(remote)
	if err := p.pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeAnswer, SDP: remote.ForPion()}); err != nil {
		return err
	}
	p.nudger.start(remote)
	return nil
}

func (p *pcPeer) addCandidate(c sdp.Candidate) error {
	return p.pc.AddICECandidate(pion.ICECandidateInit{Candidate: c.String()})
}

func (p *pcPeer) writeRTP(header *rtp.Header, payload []byte) (int, error) {
	stream := p.track.stream.Load()
	if stream == nil {
		return 0, media.ErrNotReady
	}
	return (*stream).WriteRTP(header, payload)
}

func (p *pcPeer) writeRTCP(packet []byte) (int, error) {
	raw := rtcp.RawPacket(packet)
	return p.dtls().WriteRTCP([]rtcp.Packet{&raw})
}

func (p *pcPeer) selectedPair() (*media.CandidatePair, time.Duration) {
	transport := p.dtls().ICETransport()
	pair, err := transport.GetSelectedCandidatePair()
	if err != nil || pair == nil {
		return nil, 0
	}
	out := &media.CandidatePair{Local: statsCandidate(pair.Local), Remote: statsCandidate(pair.Remote)}
	var rtt time.Duration
	if stats, ok := transport.GetSelectedCandidatePairStats(); ok {
		out.Local.ID, out.Remote.ID = stats.LocalCandidateID, stats.RemoteCandidateID
		rtt = time.Duration(stats.CurrentRoundTripTime * float64(time.Second))
	}
	return out, rtt
}

func statsCandidate(c *pion.ICECandidate) media.Candidate {
	address := sdp.Candidate{Host: c.Address, Port: c.Port}.AddrPort()
	return media.Candidate{ID: c.Foundation, Type: c.Typ.String(), Protocol: c.Protocol.String(), Address: address}
}

// close ends TURN allocations that are under way first, see abortNet. The sockets of allocations that succeeded are left to Pion, which
// tells the server that they are no longer needed.
func (p *pcPeer) close() error {
	p.nudger.stop()
	if p.pc.ICEGatheringState() != pion.ICEGatheringStateComplete {
		p.net.abort()
	}
	err := p.pc.GracefulClose()
	p.net.abort()
	if errors.Is(err, context.Canceled) || err != nil && strings.Contains(err.Error(), "closed") {
		return nil
	}
	return err
}

// rawTrack is the outbound track. Pion's own would overwrite payload type and SSRC of every packet, so that digits
// (RFC 4733) could not be sent, and would insist on one codec before the answer is known.
type rawTrack struct {
	stream atomic.Pointer[pion.TrackLocalWriter]
}

// Bind takes the first codec: descriptions for Pion always have the same two, the negotiated one is the bridge's matter.
func (t *rawTrack) Bind(c pion.TrackLocalContext) (pion.RTPCodecParameters, error) {
	codecs := c.CodecParameters()
	if len(codecs) == 0 {
		return pion.RTPCodecParameters{}, errors.New("no codec was negotiated")
	}
	stream := c.WriteStream()
	t.stream.Store(&stream)
	return codecs[0], nil
}

// Unbind stops writing.
func (t *rawTrack) Unbind(pion.TrackLocalContext) error {
	t.stream.Store(nil)
	return nil
}

// ID implements pion.TrackLocal.
func (*rawTrack) ID() string { return "audio" }

// RID implements pion.TrackLocal.
func (*rawTrack) RID() string { return "" }

// StreamID implements pion.TrackLocal.
func (*rawTrack) StreamID() string { return "call" }

// Kind implements pion.TrackLocal.
func (*rawTrack) Kind() pion.RTPCodecType { return pion.RTPCodecTypeAudio }
