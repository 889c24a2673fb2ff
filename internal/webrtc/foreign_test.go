package webrtc

import (
	"bytes"
	"context"
	"net"
	"slices"
	"testing"
	"time"

	pion "github.com/pion/webrtc/v4"
	pionmedia "github.com/pion/webrtc/v4/pkg/media"

	"github.com/gossipper/gossipper/internal/media"
)

// foreignPeer is a PeerConnection as an application for browsers would use it: default codecs, a data channel, its SDP unedited.
type foreignPeer struct {
	pc       *pion.PeerConnection
	track    *pion.TrackLocalStaticSample
	received chan []byte
}

func newForeignPeer(t *testing.T, lite bool) *foreignPeer {
	t.Helper()
	var se pion.SettingEngine
	se.SetLite(lite)
	se.SetIncludeLoopbackCandidate(true)
	se.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() && ip.To4() != nil })
	m := &pion.MediaEngine{}
	if err := m.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	pc, err := pion.NewAPI(pion.WithSettingEngine(se), pion.WithMediaEngine(m)).NewPeerConnection(pion.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.GracefulClose() })
	p := &foreignPeer{pc: pc, received: make(chan []byte, 64)}
	if p.track, err = pion.NewTrackLocalStaticSample(pion.RTPCodecCapability{MimeType: pion.MimeTypePCMU}, "audio", "page"); err != nil {
		t.Fatal(err)
	}
	if _, err := pc.AddTrack(p.track); err != nil {
		t.Fatal(err)
	}
	pc.OnTrack(func(track *pion.TrackRemote, _ *pion.RTPReceiver) {
		for {
			packet, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			p.received <- bytes.Clone(packet.Payload)
		}
	})
	return p
}

func (p *foreignPeer) local(t *testing.T, d pion.SessionDescription, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	gathered := pion.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(d); err != nil {
		t.Fatal(err)
	}
	<-gathered
	return []byte(p.pc.LocalDescription().SDP)
}

func (p *foreignPeer) remote(t *testing.T, kind pion.SDPType, sdp []byte) {
	t.Helper()
	if err := p.pc.SetRemoteDescription(pion.SessionDescription{Type: kind, SDP: string(sdp)}); err != nil {
		t.Fatalf("the peer refused: %v\n%s", err, sdp)
	}
}

func TestAgainstAPeerOfAnotherMake(t *testing.T) {
	t.Parallel()
	for _, weOffer := range []bool{false, true} {
		name := map[bool]string{false: "it offers", true: "we offer"}[weOffer]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newTestBridge(t, newTestFactory(t, Options{}))
			heard := listen(t, b)
			p := newForeignPeer(t, false)
			ctx := testContext(t)
			if weOffer {
				offer, err := b.CreateOffer(ctx)
				if err != nil {
					t.Fatal(err)
				}
				p.remote(t, pion.SDPTypeOffer, offer)
				answer, err := p.pc.CreateAnswer(nil)
				if err := b.AcceptAnswer(ctx, p.local(t, answer, err)); err != nil {
					t.Fatal(err)
				}
			} else {
				if _, err := p.pc.CreateDataChannel("chat", nil); err != nil {
					t.Fatal(err)
				}
				offer, err := p.pc.CreateOffer(nil)
				answer, err := b.Answer(ctx, p.local(t, offer, err))
				if err != nil {
					t.Fatal(err)
				}
				p.remote(t, pion.SDPTypeAnswer, answer)
			}
			b.waitFor(t, media.EventConnected)
			exchangeWith(ctx, t, b, p, heard)
		})
	}
}

// exchangeWith sends until something arrived both ways: a PeerConnection drops what is written before it is ready.
func exchangeWith(ctx context.Context, t *testing.T, b *testBridge, p *foreignPeer, heard chan heard) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for sent, received := false, false; !sent || !received; {
		select {
		case <-tick.C:
			if err := b.WritePCMU(frame(1)); err != nil {
				t.Fatal(err)
			}
			_ = p.track.WriteSample(pionmedia.Sample{Data: frame(2), Duration: 20 * time.Millisecond})
		case payload := <-p.received:
			if sent = true; !bytes.Equal(payload, frame(1)) {
				t.Fatalf("the peer got %x", payload)
			}
		case got := <-heard:
			if received = true; got.codec != media.PCMU || !bytes.Equal(got.payload, frame(2)) {
				t.Fatalf("we got %s %x", got.codec, got.payload)
			}
		case <-ctx.Done():
			t.Fatalf("sent %t, received %t", sent, received)
		}
	}
}

// TestLitePeerIsNotKeptWaiting offers to a peer that sends no checks, as SFUs and gateways are. The median is taken: one call may
// be held up by the machine.
func TestLitePeerIsNotKeptWaiting(t *testing.T) {
	t.Parallel()
	f := newTestFactory(t, Options{})
	const calls = 5
	var took []float64
	for range calls {
		b, p := newTestBridge(t, f), newForeignPeer(t, true)
		heard := listen(t, b)
		ctx := testContext(t)
		offer, err := b.CreateOffer(ctx)
		if err != nil {
			t.Fatal(err)
		}
		p.remote(t, pion.SDPTypeOffer, offer)
		answer, err := p.pc.CreateAnswer(nil)
		if err := b.AcceptAnswer(ctx, p.local(t, answer, err)); err != nil {
			t.Fatal(err)
		}
		b.waitFor(t, media.EventConnected)
		exchangeWith(ctx, t, b, p, heard)
		d := b.Diagnostics()
		if d.SelectedPair == nil || d.SelectedPair.Remote.Type != "host" {
			t.Fatalf("the pair is %+v", d.SelectedPair)
		}
		took = append(took, *d.ICEMS)
	}
	slices.Sort(took)
	if took[calls/2] > 100 {
		t.Errorf("ICE took %.0f ms", took)
	}
	t.Logf("ICE took %.1f ms", took)
}
