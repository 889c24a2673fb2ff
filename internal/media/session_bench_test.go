package media

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"
)

// BenchmarkSessionSend is the cost of sending a packet through a socket, to one that nobody reads.
func BenchmarkSessionSend(b *testing.B) {
	pacer := NewPacer(PacerOptions{})
	defer pacer.Close()
	loopback := netip.MustParseAddr("127.0.0.1")
	sessions, err := NewSessions(SessionsOptions{IP: loopback, Pacer: pacer})
	if err != nil {
		b.Fatal(err)
	}
	sink, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		b.Fatal(err)
	}
	session, err := sessions.New(PipelineOptions{})
	if err != nil {
		b.Fatal(err)
	}
	err = session.SetRemote(BuildSDP(SDPOptions{Address: sink.LocalAddr().(*net.UDPAddr).AddrPort(), Formats: []AudioFormat{{PCMU, 0}}}))
	if err != nil {
		b.Fatal(err)
	}
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		session.stream.Tick(now, 1)
	}
	if err := errors.Join(sessions.Close(b.Context()), sink.Close()); err != nil {
		b.Fatal(err)
	}
}
