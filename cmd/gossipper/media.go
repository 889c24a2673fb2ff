package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/profile"
	"github.com/gossipper/gossipper/internal/webrtc"
)

// mediaClose bounds the closing of what the calls shared.
const mediaClose = 5 * time.Second

// webrtcOptions carries every setting of the profile's webrtc row to the bridges.
func webrtcOptions(row profile.WebRTCRow, ip netip.Addr, pacer *media.Pacer, log *slog.Logger) webrtc.Options {
	servers := make([]string, len(row.ICEServers))
	for i, s := range row.ICEServers {
		servers[i] = s.Reveal()
	}
	return webrtc.Options{
		ICEServers:           servers,
		ICEUsername:          row.ICEUsername,
		ICECredential:        row.ICECredential.Reveal(),
		ICEAuthSecret:        row.ICEAuthSecret.Reveal(),
		ICEAuthTTL:           row.ICEAuthTTL(),
		ICEPolicy:            webrtc.Policy(row.ICEPolicy),
		ICETrickleFullGather: row.Trickle == profile.TrickleFull,
		ICEGatherTimeout:     time.Duration(row.GatherTimeout),
		HostGrace:            time.Duration(row.HostGrace),
		TURNRefresh:          webrtc.TURNRefresh(row.TURNRefresh),
		PreferPCMA:           row.PreferPCMA,
		UDPMuxPort:           uint16(row.UDPMuxPort), //nolint:gosec // the profile is validated
		IP:                   ip,
		Pacer:                pacer,
		Logger:               log,
	}
}

// callMedia makes the media of all calls of a run and owns what they share.
type callMedia struct {
	new   func(media.PipelineOptions) (media.MediaPipeline, error)
	ip    netip.Addr // for [media_ip] in calls without a pipeline
	close []func() error
}

// newCallMedia prepares the run's kind of media.
func newCallMedia(p *prepared, local netip.AddrPort, log *slog.Logger) (*callMedia, error) {
	bind := local.Addr().Unmap()
	m := &callMedia{ip: bind}
	if p.row.AdvertiseAddr().IsValid() {
		m.ip = p.row.AdvertiseAddr()
	} else if bind.IsUnspecified() {
		m.ip = reachableAddress(p.target, bind)
	}
	if p.kind == media.KindNone {
		return m, nil
	}
	pacer := media.NewPacer(media.PacerOptions{})
	m.close = append(m.close, func() error { pacer.Close(); return nil })
	var err error
	if p.kind == media.KindWebRTC {
		err = m.webrtc(p, bind, pacer, log)
	} else {
		err = m.rtp(p, bind, pacer)
	}
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

func (m *callMedia) webrtc(p *prepared, bind netip.Addr, pacer *media.Pacer, log *slog.Logger) error {
	if bind.IsUnspecified() {
		bind = netip.Addr{} // the factory chooses
	}
	factory, err := webrtc.NewFactory(webrtcOptions(p.webrtc, bind, pacer, log))
	if err != nil {
		return exit(ExitUsage, err)
	}
	m.new = factory.NewPipeline
	m.close = append(m.close, factory.Close)
	return nil
}

func (m *callMedia) rtp(p *prepared, bind netip.Addr, pacer *media.Pacer) error {
	settings := p.profile.Media
	sessions, err := media.NewSessions(media.SessionsOptions{
		IP: bind, Advertise: m.ip, PortMin: uint16(settings.PortMin), PortMax: uint16(settings.PortMax),
		Shared: settings.Sockets == profile.Shared, Pacer: pacer, PreferPCMA: p.webrtc.PreferPCMA,
	})
	if err != nil {
		return exit(ExitBind, fmt.Errorf("RTP: %w", err))
	}
	m.new = func(o media.PipelineOptions) (media.MediaPipeline, error) {
		session, err := sessions.New(o)
		if err != nil {
			return nil, err // not a nil *Session in an interface
		}
		return session, nil
	}
	m.close = append(m.close, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), mediaClose)
		defer cancel()
		return sessions.Close(ctx)
	})
	return nil
}

// Close frees what the calls shared, the last first. It can be called again.
func (m *callMedia) Close() error {
	var errs []error
	for i := len(m.close) - 1; i >= 0; i-- {
		errs = append(errs, m.close[i]())
	}
	m.close = nil
	return errors.Join(errs...)
}

// reachableAddress is the address to write into SDP when the sockets are bound to every address: that towards the target, or, of
// a UAS, that towards the rest of the world.
func reachableAddress(target netip.AddrPort, bind netip.Addr) netip.Addr {
	if target.IsValid() {
		return routeTo(target)
	}
	// Addresses for documentation (RFC 5737, RFC 3849): no packet is sent, only the routing table is asked.
	v4 := routeTo(netip.MustParseAddrPort("192.0.2.1:9"))
	if bind.Is4() || !v4.IsLoopback() {
		return v4
	}
	if v6 := routeTo(netip.MustParseAddrPort("[2001:db8::1]:9")); !v6.IsLoopback() {
		return v6
	}
	return v4
}
