package transport

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func newLoopback(t testing.TB, o Options) Transport {
	t.Helper()
	o.Local = netip.MustParseAddrPort("127.0.0.1:0")
	tr, err := NewUDP(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tr.Close() })
	return tr
}

// descriptors counts the sockets and other descriptors this process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc here")
	}
	return len(entries)
}

// It does not run beside others, whose descriptors it would count.
func TestThousandsOfSockets(t *testing.T) {
	const calls = 2000
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < calls+200 {
		t.Skipf("the limit of open files is %d: raise it with ulimit -n", limit.Cur)
	}
	before, goroutines := descriptors(t), runtime.NumGoroutine()
	uac := newLoopback(t, Options{PerCall: true})
	uas := newLoopback(t, Options{})
	base := descriptors(t)

	flows := make(map[Flow]bool, calls)
	for range calls {
		flow := mustOpen(t, uac, uas.Local())
		flows[flow] = false
		mustSend(t, flow, "hello")
		if len(flows)%100 == 0 { // no more than a receive buffer holds
			var atUAS inbox
			for _, m := range atUAS.await(t, uas, 100) {
				mustSend(t, m.Flow, "hello")
			}
		}
	}
	if n := descriptors(t); n != base+calls {
		t.Errorf("%d descriptors for %d calls", n-base, calls)
	}
	if n := runtime.NumGoroutine(); n != goroutines {
		t.Errorf("%d goroutines, want %d", n, goroutines)
	}
	var atUAC inbox
	for _, m := range atUAC.await(t, uac, calls) {
		if answered, known := flows[m.Flow]; !known || answered {
			t.Fatalf("an answer on the wrong flow %s", m.Flow.Local())
		}
		flows[m.Flow] = true
		m.Flow.Release()
	}
	if n := descriptors(t); n != base {
		t.Errorf("%d descriptors are left after release", n-base)
	}
	for range 50 {
		mustOpen(t, uac, uas.Local())
	}
	_, _ = uac.Close(), uas.Close()
	if n := descriptors(t); n != before {
		t.Errorf("%d descriptors are left after Close", n-before)
	}
}

func TestDropsAreCounted(t *testing.T) {
	t.Parallel()
	const sent = 5000
	for _, perCall := range []bool{false, true} {
		small, peer := newLoopback(t, Options{ReadBuffer: 2048, PerCall: perCall}), newLoopback(t, Options{})
		to := small.Local()
		if perCall {
			to = mustOpen(t, small, peer.Local()).Local()
		}
		flow := mustOpen(t, peer, to)
		text := strings.Repeat("x", 500)
		for range sent {
			mustSend(t, flow, text)
		}
		var in inbox
		for more := true; more; {
			n := len(in.messages)
			if err := small.Poll(0, &in); err != nil {
				t.Fatal(err)
			}
			more = len(in.messages) > n
		}
		mustSend(t, flow, "the next datagram brings a call's count")
		received := len(in.messages)
		in.messages = nil
		in.await(t, small, 1)
		if dropped := small.Stats().Dropped; received+int(dropped) != sent || dropped == 0 {
			t.Errorf("per call %v: %d received and %d dropped of %d", perCall, received, dropped, sent)
		}
	}
}

func TestOnePollIsBounded(t *testing.T) {
	t.Parallel()
	for _, perCall := range []bool{false, true} {
		in, tr, peer := inbox{}, newLoopback(t, Options{PerCall: perCall}), newLoopback(t, Options{})
		mustOpen(t, tr, peer.Local())
		flow := mustOpen(t, peer, tr.Local())
		const sent = maxPerPoll + 300
		for range sent {
			mustSend(t, flow, "x")
		}
		if err := tr.Poll(0, &in); err != nil {
			t.Fatal(err)
		}
		if n := len(in.messages); n < maxPerPoll || n > maxPerPoll+sharedBatch {
			t.Errorf("per call %v: one Poll handed over %d", perCall, n)
		}
		if full := tr.Stats().Full; full != 1 {
			t.Errorf("per call %v: %d Polls counted as full, want 1", perCall, full)
		}
		start := time.Now()
		if err := tr.Poll(time.Minute, &in); err != nil {
			t.Fatal(err)
		}
		if n := len(in.messages); n != sent || time.Since(start) > 30*time.Second {
			t.Errorf("per call %v: %d after the second Poll, want %d", perCall, n, sent)
		}
		if full := tr.Stats().Full; full != 1 {
			t.Errorf("per call %v: %d Polls counted as full in the end, want 1", perCall, full)
		}
	}
}

func TestNoAllocationsPerMessage(t *testing.T) {
	a, b := newLoopback(t, Options{Tick: -1}), newLoopback(t, Options{Tick: -1})
	echo := &echoer{t: t}
	flow := mustOpen(t, a, b.Local())
	text := []byte("hello")
	count := &counter{}
	allocs := testing.AllocsPerRun(200, func() {
		if err := flow.Send(text); err != nil {
			t.Error(err)
		}
		_ = b.Poll(time.Second, echo)
		_ = a.Poll(time.Second, count)
	})
	if allocs != 0 || count.n < 200 {
		t.Errorf("%v allocations per round trip, %d came", allocs, count.n)
	}
}

// native opens a transport and gives access to what is inside.
func native(t *testing.T, o Options) *udpSet {
	t.Helper()
	tr, ok := newLoopback(t, o).(*udpSet)
	if !ok {
		t.Fatal("not the native transport")
	}
	return tr
}

// putInPlace makes descriptor fd stand for something else.
func putInPlace(t *testing.T, other, fd int) {
	t.Helper()
	if err := unix.Dup3(other, fd, unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
}

func TestCongestionIsCounted(t *testing.T) {
	t.Parallel()
	tr := native(t, Options{})
	// A TCP connection in place of the datagram socket: its buffer fills, which loopback UDP never does.
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	to, err := toSockaddr(netip.MustParseAddrPort(listener.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Connect(fd, to); err != nil {
		t.Fatal(err)
	}
	putInPlace(t, fd, tr.shared.fd)

	flow := mustOpen(t, tr, netip.MustParseAddrPort("127.0.0.1:5060"))
	chunk := make([]byte, 64<<10)
	for n := 0; err == nil && n < 10000; n++ {
		err = flow.Send(chunk)
	}
	if !errors.Is(err, ErrCongested) || tr.Stats().Congested != 1 {
		t.Errorf("got %v, %d counted", err, tr.Stats().Congested)
	}
}

func TestSocketsThatFail(t *testing.T) {
	t.Parallel()
	tr := native(t, Options{PerCall: true})
	flow := mustOpen(t, tr, netip.MustParseAddrPort("127.0.0.1:5060"))
	own, ok := flow.endpoint.(*udpSocket)
	if !ok {
		t.Fatal("not a native socket")
	}
	closed := &closings{}
	putInPlace(t, tr.wakefd, own.fd)
	if _, err := own.receive(closed, 1); err != nil {
		t.Errorf("a call's socket failed the whole loop: %v", err)
	}
	if len(closed.flows) != 1 || closed.flows[0] != flow || !errors.Is(closed.err, syscall.ENOTSOCK) {
		t.Errorf("told of %d flows, %v", len(closed.flows), closed.err)
	}
	if err := flow.Send([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("send on a failed flow: %v", err)
	}
	putInPlace(t, tr.wakefd, tr.shared.fd)
	if err := tr.Poll(0, closed); !errors.Is(err, syscall.ENOTSOCK) || !strings.Contains(err.Error(), "cannot receive on udp 127.0.0.1:") {
		t.Errorf("the shared socket failed: %v", err)
	}
}

type closings struct {
	counter
	flows []Flow
	err   error
}

func (c *closings) Closed(f Flow, err error) { c.flows, c.err = append(c.flows, f), err }

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"descriptors", syscall.EMFILE, "ulimit -n"},
		{"ports", syscall.EADDRINUSE, "ip_local_port_range"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := openError(netip.MustParseAddr("127.0.0.1"), tt.err)
			if !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAge(t *testing.T) {
	t.Parallel()
	now := time.Now()
	tests := []struct {
		name        string
		stamp, want time.Duration
	}{
		{"before", -300 * time.Microsecond, -300 * time.Microsecond},
		{"after the round began", 20 * time.Microsecond, 20 * time.Microsecond},
		{"the clock was set back", time.Hour, 0},
		{"the clock was set forward", -time.Hour, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stamp := unix.NsecToTimespec(now.Add(tt.stamp).UnixNano())
			if got := age(now, stamp).Sub(now); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// echoer sends everything back.
type echoer struct {
	t testing.TB
	n int
}

func (e *echoer) Received(m Message) {
	e.n++
	if err := m.Flow.Send(m.Data); err != nil {
		e.t.Error(err)
	}
}

func (e *echoer) Closed(_ Flow, err error) { e.t.Error(err) }

type counter struct{ n int }

func (c *counter) Received(Message)   { c.n++ }
func (c *counter) Closed(Flow, error) {}

// BenchmarkEcho sends messages of 500 bytes to and fro between two transports, 200 to a round. One operation is one message there and
// back: two sends and two receives. cpu-ns/op is what the process took for it.
func BenchmarkEcho(b *testing.B) {
	benchmarks := []struct {
		name string
		opts Options
	}{
		{"shared", Options{}},
		{"per call", Options{PerCall: true}},
		{"woken for each arrival", Options{Tick: -1}},
	}
	for _, bb := range benchmarks {
		b.Run(bb.name, func(b *testing.B) {
			const inFlight = 200
			uac, uas := newLoopback(b, bb.opts), newLoopback(b, Options{Tick: bb.opts.Tick})
			flows := make([]Flow, inFlight)
			for i := range flows {
				flows[i] = mustOpen(b, uac, uas.Local())
			}
			text := make([]byte, 500)
			echo, count := &echoer{t: b}, &counter{}
			start := cpuTime(b)
			b.ReportAllocs()
			b.ResetTimer()
			for sent := 0; sent < b.N; {
				for _, flow := range flows[:min(inFlight, b.N-sent)] {
					if err := flow.Send(text); err != nil {
						b.Fatal(err)
					}
					sent++
				}
				for echo.n < sent {
					_ = uas.Poll(time.Second, echo)
				}
				for count.n < sent {
					_ = uac.Poll(time.Second, count)
				}
			}
			b.ReportMetric(float64(cpuTime(b)-start)/float64(b.N), "cpu-ns/op")
		})
	}
}

func cpuTime(b *testing.B) int64 {
	b.Helper()
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}
