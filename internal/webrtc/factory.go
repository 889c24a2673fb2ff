package webrtc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	dtlselliptic "github.com/pion/dtls/v3/pkg/crypto/elliptic"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/transport/v4/stdnet"
	pion "github.com/pion/webrtc/v4"

	"github.com/gossipper/gossipper/internal/media"
)

// Factory holds what the calls of a run share, and makes their bridges.
type Factory struct {
	options     Options
	servers     []Server
	address     netip.Addr
	hosts       int // host candidates that a bridge will gather
	certificate pion.Certificate
	fingerprint string
	net         *stdnet.Net
	setting     pion.SettingEngine
	media       *pion.MediaEngine
	mux         *udpMux // nil: a socket for each call
	pacer       *media.Pacer
	ownPacer    bool

	mu      sync.Mutex
	closed  bool
	bridges map[*Bridge]struct{}
}

// NewFactory checks the options, all at once, and prepares what bridges share. Close it after the run.
func NewFactory(options Options) (*Factory, error) {
	options = options.withDefaults()
	servers, err := options.validate()
	if err != nil {
		return nil, err
	}
	f := &Factory{options: options, servers: servers, pacer: options.Pacer, bridges: map[*Bridge]struct{}{}}
	if f.net, err = stdnet.NewNet(); err != nil {
		return nil, fmt.Errorf("WebRTC: listing the network interfaces: %w", err)
	}
	if f.address, err = mediaAddress(f.net, options.Interface, options.IP); err != nil {
		return nil, err
	}
	if err := f.checkAddress(); err != nil {
		return nil, err
	}
	f.hosts = 1
	certificate, fingerprint, err := newCertificate(time.Now())
	if err != nil {
		return nil, fmt.Errorf("WebRTC: making the DTLS certificate: %w", err)
	}
	f.certificate, f.fingerprint = *certificate, fingerprint
	if f.media, err = mediaEngine(); err != nil {
		return nil, fmt.Errorf("WebRTC: %w", err)
	}
	if options.UDPMuxPort != 0 {
		if f.mux, err = newUDPMux(netip.AddrPortFrom(f.address, options.UDPMuxPort), f.warnOfConflict); err != nil {
			return nil, err
		}
	}
	f.setting = f.settings()
	if f.pacer == nil {
		f.pacer, f.ownPacer = media.NewPacer(media.PacerOptions{}), true
	}
	for _, s := range servers {
		if s.Scheme == "stuns" {
			options.Logger.Warn("STUN over TLS finds no candidates, the server is not used", "server", s.String())
		}
	}
	return f, nil
}

// warnOfConflict tells what calls fail of without a hint: ICE connects, and DTLS or audio reach another call.
func (f *Factory) warnOfConflict(remote netip.AddrPort) {
	f.options.Logger.Warn("two calls at once have the same remote address, so on our shared UDP port their packets are not told apart; "+
		"share a port on one side only", "remote", remote, "udp_mux_port", f.options.UDPMuxPort)
}

// checkAddress refuses addresses with which every call would fail.
func (f *Factory) checkAddress() error {
	a := f.address
	switch {
	case a.Is6() && (a.IsLoopback() || a.IsLinkLocalUnicast()):
		return fmt.Errorf("WebRTC: ICE does not use the address %s (RFC 8445 5.1.1.1); use 127.0.0.1 or a global address", a)
	case a.Is6() && f.options.ICEPolicy == PolicyRelay:
		return fmt.Errorf("WebRTC: TURN servers are reached over IPv4 only; ICE policy relay needs an IPv4 address instead of %s", a)
	default:
		return nil
	}
}

// mediaEngine knows the codecs of the descriptions that Pion gets to see (see sdp.Remote.ForPion).
func mediaEngine() (*pion.MediaEngine, error) {
	m := &pion.MediaEngine{}
	var errs []error
	for _, c := range []struct {
		mime string
		pt   pion.PayloadType
	}{{pion.MimeTypePCMU, 0}, {pion.MimeTypePCMA, 8}} {
		errs = append(errs, m.RegisterCodec(pion.RTPCodecParameters{
			RTPCodecCapability: pion.RTPCodecCapability{MimeType: c.mime, ClockRate: media.SampleRate},
			PayloadType:        c.pt,
		}, pion.RTPCodecTypeAudio))
	}
	return m, errors.Join(errs...)
}

// settings are those for many calls in one process. Together they cost less than half of Pion's defaults in CPU and memory.
func (f *Factory) settings() pion.SettingEngine {
	var se pion.SettingEngine
	// No names in place of addresses: six goroutines and three sockets a call, and SIP peers do not resolve them.
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	network := pion.NetworkTypeUDP4
	if f.address.Is6() {
		network = pion.NetworkTypeUDP6
	}
	se.SetNetworkTypes([]pion.NetworkType{network})
	address := net.IP(f.address.AsSlice())
	se.SetIPFilter(func(ip net.IP) bool { return ip.Equal(address) })
	se.SetIncludeLoopbackCandidate(f.address.IsLoopback())
	se.DisableActiveTCP(true)
	// The best pair is nominated when it is found. Waiting for a better one, up to two seconds by default, would be measured
	// as set-up time.
	se.SetHostAcceptanceMinWait(0)
	se.SetSrflxAcceptanceMinWait(0)
	se.SetPrflxAcceptanceMinWait(0)
	se.SetRelayAcceptanceMinWait(0)
	se.SetICETimeouts(10*time.Second, 20*time.Second, 4*time.Second)
	se.SetDTLSInsecureSkipHelloVerify(true)
	// The default of a second would add a second to the set-up for one lost datagram.
	se.SetDTLSRetransmissionInterval(200 * time.Millisecond)
	timeout := f.options.DTLSTimeout
	se.SetDTLSConnectContextMaker(func() (context.Context, func()) {
		return context.WithTimeout(context.Background(), timeout)
	})
	se.SetDTLSEllipticCurves(dtlselliptic.P256, dtlselliptic.X25519)
	se.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	se.SetReceiveMTU(1500)
	se.SetFireOnTrackBeforeFirstRTP(true)
	if f.mux != nil {
		se.SetICEUDPMux(f.mux)
	}
	// The end of a call is the signalling's to decide.
	se.DisableCloseByDTLS(true)
	return se
}

// newPeer makes the peer of a bridge.
func (f *Factory) newPeer(events peerEvents, config peerConfig) (peer, error) {
	return newPCPeer(f, events, config)
}

// api puts a peer's own log, network and sink beside the shared settings. No interceptors: RTCP is media.Stream's.
func (f *Factory) api(log *pionLog, network *abortNet, events peerEvents, again *offered) *pion.API {
	se := f.setting
	se.LoggerFactory = log
	se.SetNet(network)
	se.BufferFactory = sinkFor(events)
	if again != nil {
		se.SetICECredentials(again.Ufrag, again.Pwd)
	}
	return pion.NewAPI(pion.WithMediaEngine(f.media), pion.WithInterceptorRegistry(&interceptor.Registry{}), pion.WithSettingEngine(se))
}

// NewBridge returns a bridge. It opens no sockets until it makes an offer or an answer.
func (f *Factory) NewBridge(o BridgeOptions) (*Bridge, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, media.ErrClosed
	}
	b := newBridge(f, o)
	f.bridges[b] = struct{}{}
	return b, nil
}

func (f *Factory) forget(b *Bridge) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.bridges, b)
}

// Close closes the bridges that are still open, and what they shared. It can be called again.
func (f *Factory) Close() error {
	f.mu.Lock()
	first := !f.closed
	f.closed = true
	open := make([]*Bridge, 0, len(f.bridges))
	for b := range f.bridges {
		open = append(open, b)
	}
	f.mu.Unlock()
	var errs []error
	for _, b := range open {
		errs = append(errs, b.Close(context.Background()))
	}
	if first && f.ownPacer {
		f.pacer.Close()
	}
	if f.mux != nil {
		errs = append(errs, f.mux.Close())
		if n := f.mux.dropped.Load(); first && n > 0 {
			f.options.Logger.Warn("packets were dropped at the shared UDP port: calls did not keep up", "packets", n)
		}
	}
	return errors.Join(errs...)
}
