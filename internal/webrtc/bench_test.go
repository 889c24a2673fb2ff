package webrtc

import (
	"context"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pion/rtp"
	pion "github.com/pion/webrtc/v4"

	"github.com/gossipper/gossipper/internal/media"
)

// The benchmarks stand beside the same with two default Pion PeerConnections in the same process, so that a ratio can be
// taken whatever the machine. Ours run with GOGC=400, which the command sets; Pion's run with Go's default.

// atOnce is how many calls are set up at the same time.
const atOnce = 50

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// pairMaker makes a connected call and returns how to use and end it.
type pairMaker func(b *testing.B) *benchPair

type benchPair struct {
	send       func()
	onReceived atomic.Pointer[func()]
	close      func()
}

func (p *benchPair) received() {
	if f := p.onReceived.Load(); f != nil {
		(*f)()
	}
}

func makers(b *testing.B) map[string]pairMaker {
	f := newTestFactory(b, Options{})
	return map[string]pairMaker{
		"bridge": func(b *testing.B) *benchPair { return bridgePair(b, f) },
		"pion":   pionPair,
	}
}

func eachMaker(b *testing.B, run func(b *testing.B, make pairMaker)) {
	for name, m := range makers(b) {
		b.Run(name, func(b *testing.B) {
			if name == "bridge" {
				defer debug.SetGCPercent(debug.SetGCPercent(400))
			}
			run(b, m)
		})
	}
}

func bridgePair(b *testing.B, f *Factory) *benchPair {
	caller, callee := &testBridge{events: make(chan media.Event, 8)}, &testBridge{events: make(chan media.Event, 8)}
	for _, t := range []*testBridge{caller, callee} {
		bridge, err := f.NewBridge(BridgeOptions{OnEvent: func(e media.Event) { t.events <- e }})
		if err != nil {
			b.Fatal(err)
		}
		t.Bridge = bridge
	}
	connect(b, caller, callee)
	p := &benchPair{}
	if err := callee.OnPCMA(func([]byte, media.Codec) { p.received() }); err != nil {
		b.Fatal(err)
	}
	payload := frame(0)
	p.send = func() { _ = caller.WritePCMU(payload) }
	p.close = func() {
		_ = caller.Close(context.Background())
		_ = callee.Close(context.Background())
	}
	return p
}

func pionPair(b *testing.B) *benchPair {
	var pcs [2]*pion.PeerConnection
	var connected sync.WaitGroup
	connected.Add(2)
	p := &benchPair{}
	var tracks [2]*pion.TrackLocalStaticRTP
	for i := range pcs {
		pc, err := pion.NewPeerConnection(pion.Configuration{})
		if err != nil {
			b.Fatal(err)
		}
		pcs[i] = pc
		if tracks[i], err = pion.NewTrackLocalStaticRTP(pion.RTPCodecCapability{MimeType: pion.MimeTypePCMU}, "audio", "call"); err != nil {
			b.Fatal(err)
		}
		sender, err := pc.AddTrack(tracks[i])
		if err != nil {
			b.Fatal(err)
		}
		go func() {
			buf := make([]byte, 1500)
			for {
				if _, _, err := sender.Read(buf); err != nil {
					return
				}
			}
		}()
		var once sync.Once
		pc.OnConnectionStateChange(func(s pion.PeerConnectionState) {
			if s == pion.PeerConnectionStateConnected {
				once.Do(connected.Done)
			}
		})
		pc.OnTrack(func(t *pion.TrackRemote, _ *pion.RTPReceiver) {
			buf := make([]byte, 1500)
			for {
				if _, _, err := t.Read(buf); err != nil {
					return
				}
				p.received()
			}
		})
	}
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	gathered := [2]<-chan struct{}{pion.GatheringCompletePromise(pcs[0]), pion.GatheringCompletePromise(pcs[1])}
	offer, err := pcs[0].CreateOffer(nil)
	must(err)
	must(pcs[0].SetLocalDescription(offer))
	<-gathered[0]
	must(pcs[1].SetRemoteDescription(*pcs[0].LocalDescription()))
	answer, err := pcs[1].CreateAnswer(nil)
	must(err)
	must(pcs[1].SetLocalDescription(answer))
	<-gathered[1]
	must(pcs[0].SetRemoteDescription(*pcs[1].LocalDescription()))
	connected.Wait()
	packet := &rtp.Packet{Header: rtp.Header{Version: 2}, Payload: frame(0)}
	p.send = func() {
		packet.SequenceNumber++
		packet.Timestamp += media.FrameSamples
		_ = tracks[0].WriteRTP(packet)
	}
	p.close = func() {
		_ = pcs[0].Close()
		_ = pcs[1].Close()
	}
	return p
}

// BenchmarkBridgeSetup sets up and ends calls, both sides, 50 at a time.
func BenchmarkBridgeSetup(b *testing.B) {
	eachMaker(b, func(b *testing.B, make pairMaker) {
		b.ReportAllocs()
		slots := newSlots(atOnce)
		var wg sync.WaitGroup
		started := cpuTime(b)
		for b.Loop() {
			slots <- struct{}{}
			wg.Go(func() {
				make(b).close()
				<-slots
			})
		}
		wg.Wait()
		b.ReportMetric(float64((cpuTime(b)-started).Microseconds())/float64(b.N), "cpu-µs/call")
	})
}

func newSlots(n int) chan struct{} { return make(chan struct{}, n) }

// BenchmarkBridgePacket sends packets through 100 calls, every call as fast as its packets are received: 4 are on the way at a time.
func BenchmarkBridgePacket(b *testing.B) {
	eachMaker(b, func(b *testing.B, maker pairMaker) {
		const calls, ahead = 100, 4
		pairs := make([]*benchPair, calls)
		windows := make([]chan struct{}, calls)
		for i := range pairs {
			pairs[i], windows[i] = maker(b), newSlots(ahead)
			received := func() { <-windows[i] }
			pairs[i].onReceived.Store(&received)
		}
		b.ReportAllocs()
		b.ResetTimer()
		started := cpuTime(b)
		var wg sync.WaitGroup
		const senders = 2
		for sender := range senders {
			wg.Go(func() {
				for i := sender; i < b.N; i += senders {
					windows[i%calls] <- struct{}{}
					pairs[i%calls].send()
				}
			})
		}
		wg.Wait()
		used := cpuTime(b) - started
		b.StopTimer()
		for _, p := range pairs {
			p.close()
		}
		b.ReportMetric(float64(used.Nanoseconds())/float64(b.N), "cpu-ns/packet")
	})
}

// BenchmarkBridgeMemory says what an idle call costs, both sides: b.N is the number of calls that are open at once.
func BenchmarkBridgeMemory(b *testing.B) {
	eachMaker(b, func(b *testing.B, maker pairMaker) {
		inUse := func() uint64 {
			runtime.GC()
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.HeapInuse + m.StackInuse
		}
		before, goroutines := inUse(), runtime.NumGoroutine()
		pairs := make([]*benchPair, b.N)
		for i := range pairs {
			pairs[i] = maker(b)
		}
		b.ReportMetric(float64(inUse()-min(before, inUse()))/1024/float64(b.N), "kB/call")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/float64(b.N), "goroutines/call")
		for _, p := range pairs {
			p.close()
		}
	})
}
