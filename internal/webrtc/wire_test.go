package webrtc

import (
	"bytes"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/pion/rtp"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/webrtc/sdp"
)

// tap stands on the path between two bridges and keeps every datagram that crosses it.
type tap struct {
	// toward has the sockets that stand in for caller and callee.
	toward [2]*net.UDPConn

	mu   sync.Mutex
	real [2]netip.AddrPort
	seen [2][][]byte // by sender
	// pass decides whether a packet of a sender goes on; nil: every one does.
	pass func(from int, packet []byte) bool
}

func newTap(t *testing.T, pass func(from int, packet []byte) bool) *tap {
	t.Helper()
	w := &tap{pass: pass}
	var readers sync.WaitGroup
	for i := range w.toward {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		w.toward[i] = conn
	}
	for i := range w.toward {
		readers.Go(func() { w.forward(i) })
	}
	t.Cleanup(func() {
		for _, conn := range w.toward {
			_ = conn.Close()
		}
		readers.Wait()
	})
	return w
}

// forward passes on what arrives for one side, from the socket that stands in for the other.
func (w *tap) forward(to int) {
	buf := make([]byte, 2048)
	for {
		n, _, err := w.toward[to].ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		w.mu.Lock()
		w.seen[1-to] = append(w.seen[1-to], bytes.Clone(buf[:n]))
		address := w.real[to]
		w.mu.Unlock()
		if w.pass == nil || w.pass(1-to, buf[:n]) {
			_, _ = w.toward[1-to].WriteToUDPAddrPort(buf[:n], address)
		}
	}
}

// standIn puts the tap's address into a description in place of the bridge's.
func (w *tap) standIn(t *testing.T, side int, description []byte) []byte {
	t.Helper()
	c, err := sdp.ParseCandidate(sdpLine(description, "a=candidate"))
	if err != nil {
		t.Fatalf("%v in\n%s", err, description)
	}
	w.mu.Lock()
	w.real[side] = c.AddrPort()
	w.mu.Unlock()
	port := strconv.Itoa(w.toward[side].LocalAddr().(*net.UDPAddr).Port)
	return []byte(strings.ReplaceAll(string(description), " "+strconv.Itoa(int(c.Port))+" ", " "+port+" "))
}

// readable tells whether somebody on the way could read a secret in a packet: any 8 bytes of it.
func readable(packet []byte, secrets ...[]byte) bool {
	for _, s := range secrets {
		for i := 0; i+8 <= len(s); i++ {
			if bytes.Contains(packet, s[i:i+8]) {
				return true
			}
		}
	}
	return false
}

func TestNothingCrossesTheWireUnencrypted(t *testing.T) {
	t.Parallel()
	f := newTestFactory(t, Options{PreferPCMA: true})
	caller, callee := newTestBridge(t, f), newTestBridge(t, f)
	w := newTap(t, nil)
	ctx := testContext(t)
	offer, err := caller.CreateOffer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := callee.Answer(ctx, w.standIn(t, 0, offer))
	if err != nil {
		t.Fatal(err)
	}
	if err := caller.AcceptAnswer(ctx, w.standIn(t, 1, answer)); err != nil {
		t.Fatal(err)
	}
	caller.waitFor(t, media.EventConnected)
	callee.waitFor(t, media.EventConnected)
	secrets := [][]byte{[]byte(caller.stream.CNAME()), []byte(callee.stream.CNAME())}
	const n = 20
	for i, b := range []*testBridge{caller, callee} {
		heard := listen(t, []*testBridge{callee, caller}[i])
		for j := range n {
			payload := frame(40*i + j)
			secrets = append(secrets, payload)
			if err := b.WritePCMA(payload); err != nil {
				t.Fatal(err)
			}
			if got := <-heard; !bytes.Equal(got.payload, payload) {
				t.Fatalf("packet %d: got %x", j, got.payload)
			}
		}
	}
	plain, err := (&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 8}, Payload: frame(3)}).Marshal()
	if err != nil || !readable(plain, secrets...) {
		t.Fatalf("the test would not see plain RTP: %v", err)
	}
	caller.mustClose(t) // sends RTCP
	callee.mustClose(t)
	w.mu.Lock()
	defer w.mu.Unlock()
	for side, packets := range w.seen {
		var stun, dtls, rtps, rtcps int
		for i, p := range packets {
			switch first := p[0]; { // RFC 7983 7
			case first < 4:
				stun++
			case first >= 20 && first < 64:
				dtls++
			case first >= 128 && first < 192 && p[1]&0x7f >= 64 && p[1]&0x7f < 96: // RFC 5761 4
				rtcps++
			case first >= 128 && first < 192:
				rtps++
			default:
				t.Errorf("side %d, packet %d is of no known protocol: %x", side, i, p)
			}
			if readable(p, secrets...) {
				t.Errorf("side %d, packet %d can be read: %x", side, i, p)
			}
		}
		if stun == 0 || dtls < 2 || rtps != n {
			t.Errorf("side %d sent %d STUN, %d DTLS, %d SRTP and %d SRTCP packets", side, stun, dtls, rtps, rtcps)
		}
	}
	if d := caller.Diagnostics(); d.SelectedPair == nil || d.SelectedPair.Remote.Address.Port() != uint16(w.toward[1].LocalAddr().(*net.UDPAddr).Port) {
		t.Errorf("the call did not cross the wire that was tapped: %+v", d.SelectedPair)
	}
}
