package engine

import (
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/stats"
	"github.com/gossipper/gossipper/internal/transport"
)

// BenchmarkCall runs calls between a caller and a callee, both built-in scenarios, over loopback UDP. One op is one call, both sides.
func BenchmarkCall(b *testing.B) {
	uas := config(builtin(b, "uas"), listen(b, transport.Options{}), &results{})
	uas.Load.Calls, uas.OnResult = uint64(b.N), nil
	uas.DeadCallWait = 0
	uac := uas
	uac.Scenario, uac.Transport, uac.Target = builtin(b, "uac"), listen(b, transport.Options{}), uas.Transport.Local()
	uac.Stats = stats.NewRun()
	uac.Load = Load{Rate: 20000, Period: time.Second, Calls: uint64(b.N), Limit: 1000}
	b.ReportAllocs()
	b.ResetTimer()
	_, waitUAS := start(b, uas)
	_, waitUAC := start(b, uac)
	waitUAC()
	b.StopTimer()
	waitUAS()
	if n := uac.Stats.Snapshot(); n.OK() != uint64(b.N) {
		b.Errorf("%d of %d calls succeeded", n.OK(), b.N)
	}
	b.ReportMetric(float64(uac.Stats.Retransmissions.Load()), "retrans")
}

// BenchmarkCallMemory runs the state machines only: no kernel, no clock, one side.
func BenchmarkCallMemory(b *testing.B) {
	t := &echoTransport{}
	c := config(builtin(b, "uac"), t, &results{})
	c.OnResult = nil
	c.DeadCallWait = 0
	c.Load.Calls = 0
	e, err := New(c)
	if err != nil {
		b.Fatal(err)
	}
	l := e.loop
	l.start = time.Now()
	b.ReportAllocs()
	for b.Loop() {
		l.startCall()
		t.deliver(l)
	}
	if n := c.Stats.Snapshot(); n.Failed() != 0 || n.CallsRunning != 0 {
		b.Errorf("%+v", n)
	}
}

// echoTransport answers every request at once.
type echoTransport struct {
	queue [][]byte
	spare [][]byte
	mute  bool // nothing is answered
}

func (t *echoTransport) Send(m []byte, _ netip.AddrPort) error {
	if m[0] == 'A' || t.mute {
		return nil
	}
	var b []byte
	if n := len(t.spare); n > 0 {
		b, t.spare = t.spare[n-1][:0], t.spare[:n-1]
	}
	b = append(b, "SIP/2.0 200 OK\r\n"...)
	end := 0
	for m[end] != '\n' {
		end++
	}
	t.queue = append(t.queue, append(b, m[end+1:]...))
	return nil
}

func (t *echoTransport) deliver(l *loop) {
	for i := 0; i < len(t.queue); i++ {
		l.Received(transport.Message{Data: t.queue[i], Flow: transport.NewFlow(t, netip.MustParseAddrPort(calleeAddr)), Received: l.start})
		t.spare = append(t.spare, t.queue[i])
	}
	t.queue = t.queue[:0]
}

func (t *echoTransport) Poll(time.Duration, transport.Handler) error { return nil }
func (t *echoTransport) Open(a netip.AddrPort) (transport.Flow, error) {
	return transport.NewFlow(t, a), nil
}
func (t *echoTransport) Local() netip.AddrPort        { return netip.MustParseAddrPort(callerAddr) }
func (t *echoTransport) Protocol() transport.Protocol { return transport.UDP }
func (t *echoTransport) Wake()                        {}
func (t *echoTransport) Release()                     {}
func (t *echoTransport) Stats() transport.Stats       { return transport.Stats{} }
func (t *echoTransport) Close() error                 { return nil }

// BenchmarkHeldCall tells how much memory a call takes up that is in progress: one op is one call.
func BenchmarkHeldCall(b *testing.B) {
	const held = 10000
	t := &echoTransport{}
	c := config(builtin(b, "uac"), t, &results{})
	c.Hold = time.Hour
	c.Load.Calls = 0
	for b.Loop() {
		e, err := New(c)
		if err != nil {
			b.Fatal(err)
		}
		l := e.loop
		l.start = time.Now()
		before := heap()
		for range held {
			l.startCall()
			t.deliver(l)
		}
		b.ReportMetric(float64(heap()-before)/held, "bytes/call")
		if l.running != held {
			b.Fatalf("%d calls running, want %d", l.running, held)
		}
	}
}

// heap is the memory that is in use, in bytes.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // far below 2^63
}
