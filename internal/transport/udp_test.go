package transport

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inbox keeps what Poll hands over.
type inbox struct {
	messages []Message
	closed   []error
	each     func(Message)
}

func (i *inbox) Received(m Message) {
	m.Data = append([]byte(nil), m.Data...)
	i.messages = append(i.messages, m)
	if i.each != nil {
		i.each(m)
	}
}

func (i *inbox) Closed(_ Flow, err error) { i.closed = append(i.closed, err) }

// await polls until n messages have come.
func (i *inbox) await(t testing.TB, tr Transport, n int) []Message {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for len(i.messages) < n {
		if time.Now().After(deadline) {
			t.Fatalf("%d messages came, want %d", len(i.messages), n)
		}
		if err := tr.Poll(100*time.Millisecond, i); err != nil {
			t.Fatal(err)
		}
	}
	got := i.messages[:n]
	i.messages = append([]Message(nil), i.messages[n:]...)
	return got
}

var implementations = []struct {
	name string
	open func(Options) (Transport, error)
}{
	{"native", NewUDP},
	{"portable", newPortable},
}

// eachImplementation runs a test with both implementations.
func eachImplementation(t *testing.T, test func(t *testing.T, open func(Options) Transport)) {
	for _, impl := range implementations {
		t.Run(impl.name, func(t *testing.T) {
			t.Parallel()
			test(t, func(o Options) Transport {
				t.Helper()
				if !o.Local.IsValid() {
					o.Local = netip.MustParseAddrPort("127.0.0.1:0")
				}
				tr, err := impl.open(o)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = tr.Close() })
				return tr
			})
		})
	}
}

func mustOpen(t testing.TB, tr Transport, remote netip.AddrPort) Flow {
	t.Helper()
	f, err := tr.Open(remote)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func mustSend(t testing.TB, f Flow, text string) {
	t.Helper()
	if err := f.Send([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

func TestBothWays(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		opts Options
	}{
		{"shared", Options{}},
		{"per call", Options{PerCall: true}},
		{"woken for each arrival", Options{Tick: -1}},
		{"per call, woken for each arrival", Options{PerCall: true, Tick: -1}},
		{"long tick", Options{Tick: 4 * time.Millisecond}},
		{"IPv6", Options{Local: netip.MustParseAddrPort("[::1]:0")}},
		{"IPv6 per call", Options{Local: netip.MustParseAddrPort("[::1]:0"), PerCall: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			eachImplementation(t, func(t *testing.T, open func(Options) Transport) {
				uac, uas := open(tt.opts), open(Options{Local: tt.opts.Local})
				var atUAC, atUAS inbox
				first, second := mustOpen(t, uac, uas.Local()), mustOpen(t, uac, uas.Local())
				mustSend(t, first, "one")
				mustSend(t, second, "two")
				for n, m := range atUAS.await(t, uas, 2) {
					flow, text := first, "one"
					if n == 1 {
						flow, text = second, "two"
					}
					if string(m.Data) != text || m.Flow.Remote() != flow.Local() || m.Flow.Local() != uas.Local() || m.Flow.Protocol() != UDP {
						t.Errorf("message %d: %q from %s, want %q from %s", n, m.Data, m.Flow.Remote(), text, flow.Local())
					}
					mustSend(t, m.Flow, "re: "+text)
					answer := atUAC.await(t, uac, 1)[0]
					if string(answer.Data) != "re: "+text || answer.Flow != flow {
						t.Errorf("answer %q on %v, want it on %v", answer.Data, answer.Flow.Local(), flow.Local())
					}
				}
				if own := first.Local() != uac.Local(); own != tt.opts.PerCall {
					t.Errorf("a socket for each call: %v, want %v", own, tt.opts.PerCall)
				}
				want := Stats{MessagesSent: 2, MessagesReceived: 2, BytesSent: 6, BytesReceived: 14}
				if got := uac.Stats(); got != want {
					t.Errorf("stats %+v, want %+v", got, want)
				}
			})
		})
	}
}

func TestPerCallTakesMessagesOnTheSharedSocketToo(t *testing.T) {
	t.Parallel()
	eachImplementation(t, func(t *testing.T, open func(Options) Transport) {
		uas, peer := open(Options{PerCall: true}), open(Options{})
		mustOpen(t, uas, peer.Local())
		mustSend(t, mustOpen(t, peer, uas.Local()), "hello")
		var in inbox
		m := in.await(t, uas, 1)[0]
		if m.Flow.Local() != uas.Local() || m.Flow.Remote() != peer.Local() {
			t.Errorf("came in at %s from %s", m.Flow.Local(), m.Flow.Remote())
		}
	})
}

func TestAnotherSenderIsTheRemote(t *testing.T) {
	t.Parallel()
	eachImplementation(t, func(t *testing.T, open func(Options) Transport) {
		uac, one, other := open(Options{PerCall: true}), open(Options{}), open(Options{})
		flow := mustOpen(t, uac, one.Local())
		mustSend(t, mustOpen(t, other, flow.Local()), "from elsewhere")
		var in inbox
		if m := in.await(t, uac, 1)[0]; m.Flow.Remote() != other.Local() || m.Flow.Local() != flow.Local() {
			t.Errorf("came in at %s from %s", m.Flow.Local(), m.Flow.Remote())
		}
	})
}

func TestUnspecifiedIPv6TakesIPv4(t *testing.T) {
	t.Parallel()
	eachImplementation(t, func(t *testing.T, open func(Options) Transport) {
		dual, four := open(Options{Local: netip.MustParseAddrPort("[::]:0")}), open(Options{})
		flow := mustOpen(t, dual, four.Local())
		mustSend(t, flow, "hello")
		var atFour, atDual inbox
		m := atFour.await(t, four, 1)[0]
		mustSend(t, m.Flow, "back")
		if back := atDual.await(t, dual, 1)[0]; back.Flow != flow {
			t.Errorf("answer came from %s, want %s", back.Flow.Remote(), flow.Remote())
		}
	})
}

func TestPollWaits(t *testing.T) {
	t.Parallel()
	eachImplementation(t, func(t *testing.T, open func(Options) Transport) {
		tr := open(Options{})
		for _, wait := range []time.Duration{-1, 0, 300 * time.Microsecond, 5 * time.Millisecond, 30 * time.Millisecond} {
			start := time.Now()
			if err := tr.Poll(wait, &inbox{}); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took < wait || took > wait+time.Second {
				t.Errorf("Poll(%s) took %s", wait, took)
			}
		}
	})
}

func TestWake(t *testing.T) {
	t.Parallel()
	eachImplementation(t, func(t *testing.T, open func(Options) Transport) {
		tr := open(Options{})
		tr.Wake() // before
		start := time.Now()
		if err := tr.Poll(time.Minute, &inbox{}); err != nil {
			t.Fatal(err)
		}
		for range 100 { // while it waits, and in between
			done := make(chan struct{})
			go func() {
				defer close(done)
				tr.Wake()
			}()
			if err := tr.Poll(time.Minute, &inbox{}); err != nil {
				t.Fatal(err)
			}
			<-done
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestReceivedIsTheTimeOfArrival(t *testing.T) {
	t.Parallel()
	uac, err := NewUDP(Options{Local: netip.MustParseAddrPort("127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	defer uac.Close()
	flow := mustOpen(t, uac, uac.Local())
	var in inbox
	mustSend(t, flow, "the kernel may not stamp the very first")
	in.await(t, uac, 1)
	before := time.Now()
	mustSend(t, flow, "stamped")
	after := time.Now()
	other, err := NewUDP(Options{Local: netip.MustParseAddrPort("127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.Poll(20*time.Millisecond, &in); err != nil { // meanwhile it lies there unread
		t.Fatal(err)
	}
	got := in.await(t, uac, 1)[0].Received
	if got.Before(before.Add(-time.Millisecond)) || got.After(after.Add(5*time.Millisecond)) {
		t.Errorf("received %s after sending began, which took %s", got.Sub(before), after.Sub(before))
	}
}

func TestReleasedAndClosed(t *testing.T) {
	t.Parallel()
	eachImplementation(t, func(t *testing.T, open func(Options) Transport) {
		shared, own := open(Options{}), open(Options{PerCall: true})
		flow := mustOpen(t, shared, own.Local())
		flow.Release()
		mustSend(t, flow, "the shared socket stays")

		flow = mustOpen(t, own, shared.Local())
		port := flow.Local()
		mustSend(t, mustOpen(t, shared, port), "waiting when the flow is released")
		flow.Release()
		flow.Release()
		Flow{}.Release()
		if err := flow.Send([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("send on a released flow: %v", err)
		}
		var in inbox
		if m := in.await(t, own, 1)[0]; string(m.Data) != "the shared socket stays" {
			t.Errorf("got %q", m.Data)
		}
		again, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(port))
		if err != nil {
			t.Fatalf("the port of a released flow is still taken: %v", err)
		}
		_ = again.Close()

		left := mustOpen(t, own, shared.Local())
		for range 2 {
			if err := own.Close(); err != nil {
				t.Fatal(err)
			}
		}
		own.Wake()
		left.Release()
		if err := left.Send([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("send after Close: %v", err)
		}
		if err := own.Poll(time.Minute, &in); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Poll after Close: %v", err)
		}
		if _, err := own.Open(shared.Local()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Open after Close: %v", err)
		}
	})
}

func TestTheHandlerMayReleaseAndClose(t *testing.T) {
	t.Parallel()
	eachImplementation(t, func(t *testing.T, open func(Options) Transport) {
		own, peer := open(Options{PerCall: true}), open(Options{})
		flow := mustOpen(t, own, peer.Local())
		toFlow := mustOpen(t, peer, flow.Local())
		mustSend(t, toFlow, "first")
		mustSend(t, toFlow, "second")
		var in inbox
		in.each = func(m Message) { m.Flow.Release() }
		in.await(t, own, 1)
		if err := own.Poll(0, &in); err != nil || len(in.messages) != 0 {
			t.Errorf("after release: %v, %d messages", err, len(in.messages))
		}
		for range 10 {
			mustSend(t, mustOpen(t, peer, own.Local()), "last")
		}
		in.each = func(Message) { _ = own.Close() }
		in.await(t, own, 1)
		if len(in.messages) != 0 {
			t.Errorf("%d more messages after Close", len(in.messages))
		}
	})
}

func TestSizes(t *testing.T) {
	t.Parallel()
	eachImplementation(t, func(t *testing.T, open func(Options) Transport) {
		whole, short := open(Options{}), open(Options{MaxMessage: 100})
		big := strings.Repeat("x", 65507) // the most that UDP over IPv4 carries
		var in, cut inbox
		mustSend(t, mustOpen(t, short, whole.Local()), big)
		if m := in.await(t, whole, 1)[0]; string(m.Data) != big {
			t.Errorf("got %d bytes, want %d", len(m.Data), len(big))
		}
		for _, n := range []int{0, 100, 101} {
			mustSend(t, mustOpen(t, whole, short.Local()), big[:n])
			if m := cut.await(t, short, 1)[0]; len(m.Data) != min(n, 100) {
				t.Errorf("got %d bytes of %d", len(m.Data), n)
			}
		}
		if n := short.Stats().Truncated; n != 1 {
			t.Errorf("%d truncated, want 1", n)
		}
		if n := whole.Stats().Truncated; n != 0 {
			t.Errorf("%d truncated, want 0", n)
		}
		err := mustOpen(t, whole, short.Local()).Send([]byte(big + "x"))
		if !errors.Is(err, syscall.EMSGSIZE) || !strings.Contains(err.Error(), "65508 bytes") {
			t.Errorf("too long: %v", err)
		}
	})
}

func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	for _, impl := range implementations {
		t.Run(impl.name, func(t *testing.T) {
			t.Parallel()
			first, err := impl.open(Options{Local: netip.MustParseAddrPort("127.0.0.1:0")})
			if err != nil {
				t.Fatal(err)
			}
			defer first.Close()
			_, err = impl.open(Options{Local: first.Local()})
			want := "cannot listen on udp " + first.Local().String() + ": address already in use: choose another port with --local"
			if !errors.Is(err, syscall.EADDRINUSE) || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			_, err = impl.open(Options{Local: netip.MustParseAddrPort("192.0.2.1:0")})
			if !errors.Is(err, syscall.EADDRNOTAVAIL) {
				t.Errorf("foreign address: %v", err)
			}
			if _, err = impl.open(Options{}); err == nil {
				t.Error("no address is accepted")
			}
			for _, remote := range []string{"[::1]:5060", "127.0.0.1:0"} {
				if _, err := first.Open(netip.MustParseAddrPort(remote)); err == nil || !strings.Contains(err.Error(), "cannot send") {
					t.Errorf("Open(%s): %v", remote, err)
				}
			}
		})
	}
}
