package webrtc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"github.com/gossipper/gossipper/internal/media"
)

// freeMuxPort returns a port that was free just now.
func freeMuxPort(t testing.TB) uint16 {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

// firstRTP makes a call and returns how long the first packet took, counted from the answer.
func firstRTP(t *testing.T, caller, callee *testBridge) time.Duration {
	heard := listen(t, callee)
	negotiate(t, caller, callee)
	agreed := time.Now()
	caller.waitFor(t, media.EventConnected)
	callee.waitFor(t, media.EventConnected)
	if err := caller.WritePCMU(frame(1)); err != nil {
		t.Error(err)
	}
	select {
	case <-heard:
	case <-time.After(testWait):
		t.Error("nothing arrived")
	}
	return time.Since(agreed)
}

// manyCalls sets up calls in batches, each of which ends while the next begins, and returns how long the slowest took.
func manyCalls(t *testing.T, callers, callees *Factory, calls, atOnce int) time.Duration {
	t.Helper()
	var mu sync.Mutex
	var slowest time.Duration
	var wg sync.WaitGroup
	slots := newSlots(atOnce)
	for range calls {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			caller, callee := newTestBridge(t, callers), newTestBridge(t, callees)
			took := firstRTP(t, caller, callee)
			mu.Lock()
			slowest = max(slowest, took)
			mu.Unlock()
			caller.mustClose(t)
			callee.mustClose(t)
		})
	}
	wg.Wait()
	return slowest
}

func TestManyCallsOnOnePort(t *testing.T) {
	calls, atOnce := 1000, 50
	if testing.Short() {
		calls, atOnce = 100, 25
	}
	port := freeMuxPort(t)
	one, each := newTestFactory(t, Options{UDPMuxPort: port}), newTestFactory(t, Options{})
	for _, tc := range []struct {
		name             string
		callers, callees *Factory
	}{{"callers share it", one, each}, {"callees share it", each, one}} {
		t.Run(tc.name, func(t *testing.T) {
			// What else the machine does may hold up a call. What the port did, it would do again.
			const attempts = 3
			for i := 1; ; i++ {
				slowest, usual := manyCalls(t, tc.callers, tc.callees, calls/2, atOnce), manyCalls(t, each, each, calls/8, atOnce)
				t.Logf("the slowest of %d calls had audio after %s, without sharing %s", calls/2, slowest, usual)
				if slowest <= 2*usual+500*time.Millisecond {
					return
				}
				if i == attempts {
					t.Fatalf("in each of %d attempts a call had audio much later than without sharing", attempts)
				}
			}
		})
	}
	if m := one.mux; len(m.byUfrag) != 0 || len(m.bySource) != 0 {
		t.Errorf("%d users and %d sources are left", len(m.byUfrag), len(m.bySource))
	}
	if _, err := NewFactory(Options{IP: loopback, UDPMuxPort: port}); err == nil {
		t.Error("a port that is in use was taken")
	}
}

// TestOnePortIsOffered also shows that a call goes on when others on the port have ended.
func TestOnePortIsOffered(t *testing.T) {
	t.Parallel()
	f, others := newTestFactory(t, Options{}), newTestFactory(t, Options{})
	// A test that runs beside this one could take a port that is free now.
	mux, err := newUDPMux(netip.AddrPortFrom(loopback, 0), f.warnOfConflict)
	if err != nil {
		t.Fatal(err)
	}
	f.mux = mux
	f.setting.SetICEUDPMux(mux)
	port := mux.address.AddrPort().Port()
	long, far := newTestBridge(t, f), newTestBridge(t, others)
	connect(t, long, far)
	for range 5 {
		caller, callee := newTestBridge(t, f), newTestBridge(t, others)
		connect(t, caller, callee)
		for _, b := range []*testBridge{caller, long} {
			if d := b.Diagnostics(); d.SelectedPair == nil || d.SelectedPair.Local.Address != netip.AddrPortFrom(loopback, port) {
				t.Fatalf("the pair is %+v", d.SelectedPair)
			}
		}
		talk(t, caller, callee)
		caller.mustClose(t)
		talk(t, long, far)
	}
}

// TestEarlyPacketsFindTheirCall sends a check, and DTLS before the check is answered, as some peers do; and to a call that does not read.
func TestEarlyPacketsFindTheirCall(t *testing.T) {
	t.Parallel()
	m, err := newUDPMux(netip.AddrPortFrom(loopback, 0), nil)
	if err != nil {
		t.Fatal(err)
	}
	call, err := m.GetConn("north", m.address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.GetConn("north", m.address); err == nil {
		t.Error("a user name was given twice")
	}
	peer, err := net.DialUDP("udp4", nil, m.address)
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	send := func(p []byte) {
		if _, err := peer.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	check, dtls := stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername("north:south")).Raw, []byte{22, 254, 253}
	send([]byte{22, 0, 0}) // of nobody
	send(check)
	send(dtls)
	buf := make([]byte, maxDatagram)
	for _, want := range [][]byte{check, dtls} {
		if n, from, err := call.ReadFrom(buf); err != nil || !bytes.Equal(buf[:n], want) || from.String() != peer.LocalAddr().String() {
			t.Fatalf("got %x from %v, %v", buf[:n], from, err)
		}
	}
	if n, err := call.WriteTo([]byte("hello"), peer.LocalAddr()); err != nil || n != 5 {
		t.Errorf("writing: %d, %v", n, err)
	}
	deadline := time.After(testWait)
	for m.dropped.Load() == 0 {
		select {
		case <-deadline:
			t.Fatal("nothing was dropped")
		default:
			send(dtls)
		}
	}
	for range 2 {
		if err := call.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := call.WriteTo([]byte("hello"), peer.LocalAddr()); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("writing after Close: %v", err)
	}
	if len(m.bySource) != 0 || m.Close() != nil {
		t.Errorf("%d sources are left", len(m.bySource))
	}
	if _, err := m.GetConn("north", m.address); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a closed mux gave %v", err)
	}
}

// TestTwoSharedPortsAreWarnedOf has the one arrangement that cannot work, and one call of it, which does.
func TestTwoSharedPortsAreWarnedOf(t *testing.T) {
	t.Parallel()
	conflicts := make(chan netip.AddrPort, 2)
	var factories [2]*Factory
	for i := range factories {
		f := newTestFactory(t, Options{})
		mux, err := newUDPMux(netip.AddrPortFrom(loopback, 0), func(remote netip.AddrPort) { conflicts <- remote })
		if err != nil {
			t.Fatal(err)
		}
		f.mux = mux
		f.setting.SetICEUDPMux(mux)
		factories[i] = f
	}
	connect(t, newTestBridge(t, factories[0]), newTestBridge(t, factories[1]))
	if len(conflicts) != 0 {
		t.Errorf("a warning for one call: %v", <-conflicts)
	}
	negotiate(t, newTestBridge(t, factories[0]), newTestBridge(t, factories[1]))
	select {
	case remote := <-conflicts:
		if remote != factories[0].mux.address.AddrPort() && remote != factories[1].mux.address.AddrPort() {
			t.Errorf("the warning names %v", remote)
		}
	case <-time.After(testWait):
		t.Error("no warning for two calls")
	}
}

// FuzzCheckedUfrag compares with Pion's reading of the same packets.
func FuzzCheckedUfrag(f *testing.F) {
	for _, attributes := range [][]stun.Setter{
		{stun.BindingRequest},
		{stun.BindingRequest, stun.NewUsername("north:south")},
		{stun.BindingSuccess, stun.NewUsername("nocolon")},
		{stun.BindingRequest, stun.NewSoftware("abc"), stun.NewUsername("a:b")},
		{stun.BindingRequest, stun.NewUsername(":")},
	} {
		f.Add(stun.MustBuild(append(attributes, stun.TransactionID)...).Raw)
	}
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0}, 40))
	f.Fuzz(func(t *testing.T, p []byte) {
		got, ok := checkedUfrag(p)
		m := &stun.Message{Raw: bytes.Clone(p)}
		if m.Decode() != nil || len(p) != stunHeader+int(m.Length) || p[0]&0xc0 != 0 { // Pion does not look at these bits (RFC 8489 5)
			return
		}
		name, err := m.Get(stun.AttrUsername)
		want, _, found := bytes.Cut(name, []byte(":"))
		if found = found && err == nil; ok != found || ok && !bytes.Equal(got, want) {
			t.Errorf("%x: got %q, %t, want %q, %t", p, got, ok, want, found)
		}
	})
}

func TestCheckedUfrag(t *testing.T) {
	t.Parallel()
	long := stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername("north:south")).Raw
	for i := range len(long) - 1 { // the last byte is padding
		if _, ok := checkedUfrag(long[:i]); ok {
			t.Error(fmt.Sprint("the first ", i, " bytes have a user name"))
		}
	}
	if ufrag, ok := checkedUfrag(long); !ok || string(ufrag) != "north" {
		t.Errorf("got %q, %t", ufrag, ok)
	}
}
