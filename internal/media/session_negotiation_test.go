package media_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/media/mediatest"
	"github.com/gossipper/gossipper/internal/outcome"
)

const patience = 20 * time.Second

// peer is a phone made by hand: two sockets.
type peer struct {
	t         *testing.T
	rtp, rtcp *net.UDPConn
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	p := &peer{t: t}
	for _, conn := range []**net.UDPConn{&p.rtp, &p.rtcp} {
		opened, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = opened.Close() })
		*conn = opened
	}
	return p
}

func portOf(conn *net.UDPConn) uint16 { return conn.LocalAddr().(*net.UDPAddr).AddrPort().Port() }

func (p *peer) sdp(more ...string) []byte {
	return fmt.Appendf(nil, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 8 0\r\na=rtcp:%d\r\n%s",
		portOf(p.rtp), portOf(p.rtcp), strings.Join(append(more, ""), "\r\n"))
}

func (p *peer) receive(conn *net.UDPConn) []byte {
	p.t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		p.t.Fatal(err)
	}
	buffer := make([]byte, 2000)
	n, err := conn.Read(buffer)
	if err != nil {
		p.t.Fatal(err)
	}
	return buffer[:n]
}

func (p *peer) receiveRTP() rtp.Packet {
	p.t.Helper()
	var packet rtp.Packet
	if err := packet.Unmarshal(p.receive(p.rtp)); err != nil {
		p.t.Fatal(err)
	}
	return packet
}

func (p *peer) send(conn *net.UDPConn, to netip.AddrPort, packet []byte) {
	p.t.Helper()
	if _, err := conn.WriteToUDPAddrPort(packet, to); err != nil {
		p.t.Fatal(err)
	}
}

func audio(t *testing.T, ssrc uint32, seq uint16) []byte {
	t.Helper()
	packet := rtp.Packet{
		Header:  rtp.Header{Version: 2, PayloadType: 8, SSRC: ssrc, SequenceNumber: seq, Timestamp: uint32(seq) * 160},
		Payload: bytes.Repeat([]byte{0xD5}, 160),
	}
	raw, err := packet.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func waitUntil(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for !condition() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func TestSessionAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		preferPCMA bool
		offer      string // after c= and t=
		codec      string
		contains   []string
		code       string
	}{
		{name: "the offerer's first codec", offer: "m=audio 4000 RTP/AVP 8 0", codec: "PCMA", contains: []string{"RTP/AVP 8\r\n", "a=sendrecv"}},
		{name: "PCMA is preferred", preferPCMA: true, offer: "m=audio 4000 RTP/AVP 0 8", codec: "PCMA", contains: []string{"RTP/AVP 8\r\n"}},
		{name: "PCMA is preferred and not on offer", preferPCMA: true, offer: "m=audio 4000 RTP/AVP 0", codec: "PCMU", contains: []string{"RTP/AVP 0\r\n"}},
		{name: "a dynamic type keeps its number", offer: "m=audio 4000 RTP/AVP 97\r\na=rtpmap:97 PCMA/8000", codec: "PCMA", contains: []string{"RTP/AVP 97\r\na=rtpmap:97 PCMA/8000"}},
		{name: "the profile of the offer", offer: "m=audio 4000 RTP/AVPF 0", codec: "PCMU", contains: []string{"RTP/AVPF 0"}},
		{name: "hold", offer: "m=audio 4000 RTP/AVP 0\r\na=sendonly", codec: "PCMU", contains: []string{"a=recvonly"}},
		{name: "WebRTC", offer: "m=audio 9 UDP/TLS/RTP/SAVPF 0", code: "profile_mismatch"},
		{name: "another codec", offer: "m=audio 4000 RTP/AVP 18", code: "no_common_codec"},
		{name: "IPv6", offer: "m=audio 4000 RTP/AVP 0\r\nc=IN IP6 ::1", code: "address_family"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			session := newSession(t, newSessions(t, media.SessionsOptions{PreferPCMA: test.preferPCMA}), media.PipelineOptions{})
			answer, err := session.Answer(t.Context(), []byte("v=0\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"+test.offer+"\r\n"))
			var failure *outcome.Failure
			if errors.As(err, &failure); err != nil && (failure == nil || failure.Code != test.code) || err == nil && test.code != "" {
				t.Fatalf("got %v, want code %q", err, test.code)
			}
			if got := session.Stats(); got.Codec != test.codec || got.Kind != media.KindRTP || got.ConnectedAt.IsZero() != (test.code != "") {
				t.Errorf("codec %q, kind %v, connected at %v", got.Codec, got.Kind, got.ConnectedAt)
			}
			for _, want := range test.contains {
				if !bytes.Contains(answer, []byte(want)) {
					t.Errorf("no %q in the answer\n%s", want, answer)
				}
			}
		})
	}
}

func TestSessionTalksToAPhone(t *testing.T) {
	t.Parallel()
	phone := newPeer(t)
	var mu sync.Mutex
	var events []media.EventType
	session := newSession(t, newSessions(t, media.SessionsOptions{}), media.PipelineOptions{CallID: "x", OnEvent: func(e media.Event) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, e.Type)
	}})
	local, err := session.LocalEndpoint()
	if err != nil || local.Port()%2 != 0 {
		t.Fatalf("local endpoint %v, %v: want an even port", local, err)
	}
	for range 2 { // the second time, nothing happens
		if err := session.SetRemote(phone.sdp("a=rtpmap:8 PCMA/8000")); err != nil {
			t.Fatal(err)
		}
	}
	first, second := phone.receiveRTP(), phone.receiveRTP()
	if first.PayloadType != 8 || !first.Marker || second.Marker || second.SequenceNumber != first.SequenceNumber+1 ||
		!bytes.Equal(first.Payload, bytes.Repeat([]byte{0xD5}, 160)) {
		t.Errorf("got %v, %v", first, second)
	}
	stranger := newPeer(t)
	phone.send(phone.rtp, local, audio(t, 1, 1))
	waitUntil(t, "the first packet was there", func() bool { return session.Stats().PacketsReceived == 1 })
	stranger.send(stranger.rtp, local, audio(t, 2, 500)) // a call that had the port before
	phone.send(phone.rtp, local, audio(t, 1, 2))
	report, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 1, Reports: []rtcp.ReceptionReport{{SSRC: first.SSRC, FractionLost: 64}}}})
	if err != nil {
		t.Fatal(err)
	}
	phone.send(phone.rtcp, netip.AddrPortFrom(local.Addr(), local.Port()+1), report)
	phone.send(phone.rtp, local, report) // on one port (RFC 5761): understood, too
	waitUntil(t, "packet and report were there", func() bool {
		stats := session.Stats()
		return stats.PacketsReceived == 2 && stats.RemoteFractionLost != nil
	})
	if err := session.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	packets, err := rtcp.Unmarshal(phone.receive(phone.rtcp))
	if err != nil || len(packets) != 3 {
		t.Fatalf("%v, %v", packets, err)
	}
	sender, ok := packets[0].(*rtcp.SenderReport)
	if !ok || uint64(sender.PacketCount) != session.Stats().PacketsSent || len(sender.Reports) != 1 || sender.Reports[0].SSRC != 1 {
		t.Errorf("the last report is %+v", packets[0])
	}
	if bye, ok := packets[2].(*rtcp.Goodbye); !ok || bye.Sources[0] != first.SSRC {
		t.Errorf("no BYE at the end: %+v", packets[2])
	}
	stats := session.Stats()
	if stats.PacketsReceived != 2 || *stats.RemoteFractionLost != 0.25 || stats.RTTMS != nil || *stats.FractionLost != 0 {
		t.Errorf("%+v", stats)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(events) != 2 || events[0] != media.EventConnected || events[1] != media.EventFirstPacket {
		t.Errorf("events %v", events)
	}
}

func TestSessionFollowsANewAnswer(t *testing.T) {
	t.Parallel()
	early, final := newPeer(t), newPeer(t)
	session := newSession(t, newSessions(t, media.SessionsOptions{}), media.PipelineOptions{})
	offer, err := session.CreateOffer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again, err := session.CreateOffer(t.Context())
	if err != nil || !bytes.Equal(again, offer) {
		t.Errorf("the second offer differs: %v\n%s", err, again)
	}
	for _, phone := range []*peer{early, final} {
		if err := session.AcceptAnswer(t.Context(), phone.sdp()); err != nil {
			t.Fatal(err)
		}
		phone.receiveRTP()
	}
	next, err := session.CreateOffer(t.Context())
	if err != nil || bytes.Equal(next, offer) {
		t.Errorf("the offer after an answer has no new version: %v\n%s", err, next)
	}
	if err := session.AcceptAnswer(t.Context(), []byte("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 0 RTP/AVP 0\r\n")); err == nil {
		t.Error("a refusal was accepted")
	}
}

func TestSharedSocketsTellCallsApart(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"both sides share", "the callee has sockets per call"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			callers := newSessions(t, media.SessionsOptions{Shared: true})
			callees := newSessions(t, media.SessionsOptions{Shared: name == "both sides share"})
			const calls = 5
			var sessions [calls][2]*media.Session
			directory := t.TempDir()
			for i := range calls {
				caller, callee := newSession(t, callers, media.PipelineOptions{}), newSession(t, callees, media.PipelineOptions{})
				sessions[i] = [2]*media.Session{caller, callee}
				for side, session := range sessions[i] {
					path := filepath.Join(directory, fmt.Sprintf("%d-%d.wav", i, side))
					clip := mediatest.ToneOf(float64(400+100*i+1000*side), 200*time.Millisecond)
					if err := errors.Join(session.StartRecording(media.RecordOptions{Path: path}), session.Play(clip, 1)); err != nil {
						t.Fatal(err)
					}
				}
				offer, err := caller.CreateOffer(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				answer, err := callee.Answer(t.Context(), offer)
				if err = errors.Join(err, caller.AcceptAnswer(t.Context(), answer)); err != nil {
					t.Fatal(err)
				}
			}
			for i := range calls {
				for side, session := range sessions[i] {
					waitUntil(t, "the tone was there", func() bool { return session.Stats().PacketsReceived >= 12 })
					if err := session.StopRecording(); err != nil {
						t.Fatal(err)
					}
					mediatest.Tones(t, filepath.Join(directory, fmt.Sprintf("%d-%d.wav", i, side)), float64(400+100*i+1000*(1-side)))
				}
			}
			if n := callers.Unroutable() + callees.Unroutable(); n != 0 {
				t.Errorf("%d datagrams belonged to no call", n)
			}
		})
	}
}

func TestSharedSocketsCountStrangers(t *testing.T) {
	t.Parallel()
	sessions := newSessions(t, media.SessionsOptions{Shared: true})
	session := newSession(t, sessions, media.PipelineOptions{})
	local, err := session.LocalEndpoint()
	if err != nil {
		t.Fatal(err)
	}
	phone, stranger := newPeer(t), newPeer(t)
	if err := session.SetRemote(phone.sdp("a=ssrc:77 cname:x")); err != nil {
		t.Fatal(err)
	}
	stranger.send(stranger.rtp, local, audio(t, 78, 1))
	stranger.send(stranger.rtp, local, []byte{1, 2})
	waitUntil(t, "both were counted", func() bool { return sessions.Unroutable() == 2 })
	stranger.send(stranger.rtp, local, audio(t, 77, 1)) // the phone, from another port than it said
	waitUntil(t, "the phone was recognised by its source", func() bool { return session.Stats().PacketsReceived == 1 })
	if err := session.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	phone.send(phone.rtp, local, audio(t, 77, 2))
	waitUntil(t, "what came after the end was counted", func() bool { return sessions.Unroutable() == 3 })
}

func TestSharedSocketsKeepWhatOvertakesTheAnswer(t *testing.T) {
	t.Parallel()
	sessions := newSessions(t, media.SessionsOptions{Shared: true})
	session := newSession(t, sessions, media.PipelineOptions{})
	local, err := session.LocalEndpoint()
	if err != nil {
		t.Fatal(err)
	}
	phone, stranger := newPeer(t), newPeer(t)
	for seq := range uint16(3) {
		phone.send(phone.rtp, local, audio(t, 77, seq))
	}
	for seq := range uint16(300) {
		stranger.send(stranger.rtp, local, audio(t, 78, seq))
		if seq == 100 {
			phone.send(phone.rtp, local, audio(t, 77, 3)) // the first three will be gone by then
		}
	}
	waitUntil(t, "all were counted", func() bool { return sessions.Unroutable() == 304 })
	if err := session.SetRemote(phone.sdp()); err != nil {
		t.Fatal(err)
	}
	if stats := session.Stats(); stats.PacketsReceived != 1 || sessions.Unroutable() != 303 {
		t.Errorf("%d packets were kept, %d belonged to no call; want 1 and 303", stats.PacketsReceived, sessions.Unroutable())
	}
}

func TestPortRange(t *testing.T) {
	t.Parallel()
	// An address that no other test uses, where the ports that the system gives out stay free.
	options := media.SessionsOptions{IP: netip.MustParseAddr("127.0.0.77")}
	probe, err := newSessions(t, options).New(media.PipelineOptions{})
	if err != nil {
		t.Skipf("this system has one loopback address only: %v", err)
	}
	free, err := probe.LocalEndpoint()
	if err = errors.Join(err, probe.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	options.PortMin, options.PortMax = free.Port()-1, free.Port()+1
	sessions := newSessions(t, options)
	for range 3 { // a port that was freed can be used again
		session := newSession(t, sessions, media.PipelineOptions{})
		if local, err := session.LocalEndpoint(); err != nil || local != free {
			t.Errorf("got %v, %v; want %v", local, err, free)
		}
		_, err := sessions.New(media.PipelineOptions{})
		if err == nil || !strings.Contains(err.Error(), "widen the range") {
			t.Errorf("no port is left, and the error is %v", err)
		}
		if err := session.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNewSessionsChecksItsOptions(t *testing.T) {
	t.Parallel()
	pacer := newPacer(t)
	for name, o := range map[string]media.SessionsOptions{
		"no address":               {Pacer: pacer},
		"no pacer":                 {IP: loopback},
		"nothing to put into SDP":  {IP: netip.IPv4Unspecified(), Pacer: pacer},
		"one port":                 {IP: loopback, Pacer: pacer, PortMin: 4000, PortMax: 4000},
		"an odd port and the next": {IP: loopback, Pacer: pacer, PortMin: 4001, PortMax: 4002},
		"reversed":                 {IP: loopback, Pacer: pacer, PortMin: 5000, PortMax: 4000},
		"not a local address":      {IP: netip.MustParseAddr("192.0.2.1"), Pacer: pacer, Shared: true},
	} {
		if sessions, err := media.NewSessions(o); err == nil {
			t.Errorf("%s: no error", name)
			_ = sessions.Close(t.Context())
		}
	}
	advertised := newSessions(t, media.SessionsOptions{IP: netip.IPv4Unspecified(), Advertise: netip.MustParseAddr("192.0.2.1")})
	offer, err := newSession(t, advertised, media.PipelineOptions{}).CreateOffer(t.Context())
	if err != nil || !bytes.Contains(offer, []byte("c=IN IP4 192.0.2.1\r\n")) {
		t.Errorf("%v\n%s", err, offer)
	}
}

func TestSessionsCloseWhatIsOpen(t *testing.T) {
	t.Parallel()
	sessions := newSessions(t, media.SessionsOptions{})
	session := newSession(t, sessions, media.PipelineOptions{})
	for range 2 {
		if err := sessions.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := session.Play(media.SilenceClip(), 1); !errors.Is(err, media.ErrClosed) {
		t.Errorf("the session is still open: %v", err)
	}
	if _, err := sessions.New(media.PipelineOptions{}); !errors.Is(err, media.ErrClosed) {
		t.Errorf("New after Close: %v", err)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := session.Close(ended); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Close of a closed session: %v", err)
	}
}
