package webrtc

import (
	"context"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pion/rtp"
	pion "github.com/pion/webrtc/v4"

	"github.com/gossipper/gossipper/internal/media"
)

// The benchmarks compare a call of two bridges with one of two default Pion PeerConnections in the same process, in turn, so that the ratio
// means something whatever the machine does besides. Ours run with GOGC=400, which the command sets; Pion's with Go's default.

const (
	rounds   = 5   // of each, in turn; the median counts
	atOnce   = 50  // calls that are set up at the same time
	setups   = 200 // calls that are set up in a round
	calls    = 100 // that are open at once for packets and memory
	packets  = 150_000
	ahead    = 4 // packets of a call that are on the way
	writers  = 2 // goroutines that write, as the pacer has
	ourGOGC  = 400
	pionGOGC = 100
)

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

	// What packetsThrough knows of it.
	onTheWay atomic.Int32
}

func (p *benchPair) received() {
	if f := p.onReceived.Load(); f != nil {
		(*f)()
	}
}

// compare measures ours and Pion's in turn and reports the medians and their ratio.
func compare(b *testing.B, unit string, measure func(b *testing.B, maker pairMaker) float64) {
	b.Helper()
	f := newTestFactory(b, Options{})
	kinds := []struct {
		gogc   int
		maker  pairMaker
		values []float64
	}{{ourGOGC, func(b *testing.B) *benchPair { return bridgePair(b, f) }, nil}, {pionGOGC, pionPair, nil}}
	for range rounds {
		for i := range kinds {
			k := &kinds[i]
			before := debug.SetGCPercent(k.gogc)
			runtime.GC()
			k.values = append(k.values, measure(b, k.maker))
			debug.SetGCPercent(before)
		}
	}
	for i := range kinds {
		slices.Sort(kinds[i].values)
	}
	ours, pions := kinds[0].values[rounds/2], kinds[1].values[rounds/2]
	b.ReportMetric(0, "ns/op") // says nothing
	b.ReportMetric(ours, unit)
	b.ReportMetric(pions, "pion-"+unit)
	b.ReportMetric(ours/pions, "ratio")
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

// setUp makes n calls, at most atOnce at the same time.
func setUp(b *testing.B, maker pairMaker, n int, use func(i int, p *benchPair)) {
	slots := newSlots(atOnce)
	var wg sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			use(i, maker(b))
			<-slots
		})
	}
	wg.Wait()
}

func newSlots(n int) chan struct{} { return make(chan struct{}, n) }

// BenchmarkSetupAgainstPion sets up and ends calls, both sides.
func BenchmarkSetupAgainstPion(b *testing.B) {
	compare(b, "cpu-µs/call", func(b *testing.B, maker pairMaker) float64 {
		started := cpuTime(b)
		setUp(b, maker, setups, func(_ int, p *benchPair) { p.close() })
		return float64((cpuTime(b) - started).Microseconds()) / setups
	})
}

// BenchmarkPacketAgainstPion sends packets through all calls in turn, as fast as they are received, so that both processors are busy.
func BenchmarkPacketAgainstPion(b *testing.B) {
	compare(b, "cpu-ns/packet", func(b *testing.B, maker pairMaker) float64 {
		pairs := make([]*benchPair, calls)
		setUp(b, maker, calls, func(i int, p *benchPair) { pairs[i] = p })
		packetsThrough(pairs, packets/10) // buffers have grown, and the set-up's garbage is gone
		runtime.GC()
		started := cpuTime(b)
		packetsThrough(pairs, packets)
		used := cpuTime(b) - started
		for _, p := range pairs {
			p.close()
		}
		return float64(used.Nanoseconds()) / packets
	})
}

// packetsThrough has n packets sent and waits until all but the last few have been received.
func packetsThrough(pairs []*benchPair, n int) {
	var wg sync.WaitGroup
	for w := range writers {
		mine := pairs[w*len(pairs)/writers : (w+1)*len(pairs)/writers]
		room := make(chan struct{}, 1)
		for _, p := range mine {
			p.onTheWay.Store(0)
			received := func() {
				if p.onTheWay.Add(-1) == ahead/2 {
					select {
					case room <- struct{}{}:
					default:
					}
				}
			}
			p.onReceived.Store(&received)
		}
		wg.Go(func() {
			for sent := 0; sent < n/writers; {
				before := sent
				for _, p := range mine {
					if p.onTheWay.Load() < ahead {
						p.onTheWay.Add(1)
						p.send()
						sent++
					}
				}
				if sent == before {
					<-room
				}
			}
		})
	}
	wg.Wait()
	for _, p := range pairs {
		for p.onTheWay.Load() > 0 {
			runtime.Gosched()
		}
	}
}

// BenchmarkMemoryAgainstPion says what an idle call costs, both sides, in heap and stacks.
func BenchmarkMemoryAgainstPion(b *testing.B) {
	compare(b, "kB/call", func(b *testing.B, maker pairMaker) float64 {
		inUse := func() float64 {
			runtime.GC()
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return float64(m.HeapAlloc+m.StackInuse) / 1024
		}
		before := inUse()
		pairs := make([]*benchPair, calls)
		setUp(b, maker, calls, func(i int, p *benchPair) { pairs[i] = p })
		took := inUse() - before
		for _, p := range pairs {
			p.close()
		}
		return took / calls
	})
}

// BenchmarkBridgePacket is our part of BenchmarkPacketAgainstPion, for profiles.
func BenchmarkBridgePacket(b *testing.B) {
	f := newTestFactory(b, Options{})
	defer debug.SetGCPercent(debug.SetGCPercent(ourGOGC))
	pairs := make([]*benchPair, calls)
	setUp(b, func(b *testing.B) *benchPair { return bridgePair(b, f) }, calls, func(i int, p *benchPair) { pairs[i] = p })
	b.ReportAllocs()
	b.ResetTimer()
	packetsThrough(pairs, b.N)
	b.StopTimer()
	for _, p := range pairs {
		p.close()
	}
}
