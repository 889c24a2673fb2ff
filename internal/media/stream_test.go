package media

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"github.com/gossipper/gossipper/internal/media/g711"
)

// sentLog is a PacketWriter that keeps what is sent and may pass it on.
type sentLog struct {
	packets []rtp.Packet
	reports [][]byte
	times   []time.Time // of reports
	onRTP   func(packet []byte)
	onRTCP  func(packet []byte)
}

func (w *sentLog) WriteRTP(header *rtp.Header, payload []byte) error {
	packet := rtp.Packet{Header: header.Clone(), Payload: bytes.Clone(payload)}
	w.packets = append(w.packets, packet)
	if w.onRTP != nil {
		raw, err := packet.Marshal()
		if err != nil {
			return err
		}
		w.onRTP(raw)
	}
	return nil
}

func (w *sentLog) WriteRTCP(packet []byte) error {
	w.reports = append(w.reports, bytes.Clone(packet))
	w.times = append(w.times, time.Now())
	if w.onRTCP != nil {
		w.onRTCP(bytes.Clone(packet))
	}
	return nil
}

// pass lets time pass in a bubble of synctest, until everything that was due then is done.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// counter is a source of numbers that are known.
func counter() func() uint32 {
	n := uint32(0)
	return func() uint32 { n++; return n * 1000 }
}

// startStream returns a stream that is ready, in a bubble of synctest.
func startStream(t *testing.T, pacer *Pacer, writer PacketWriter, change func(*StreamOptions)) *Stream {
	t.Helper()
	options := StreamOptions{Pacer: pacer, Writer: writer, Rand: counter()}
	if change != nil {
		change(&options)
	}
	stream := NewStream(options)
	if err := errors.Join(stream.SetCodec(PCMU, 0), stream.Ready()); err != nil {
		t.Fatal(err)
	}
	return stream
}

func TestStreamSendsSilenceWhileIdle(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		codec   Codec
		silence byte
	}{{PCMU, 0xFF}, {PCMA, 0xD5}} {
		t.Run(test.codec.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				pacer, log := NewPacer(PacerOptions{}), &sentLog{}
				defer pacer.Close()
				stream := NewStream(StreamOptions{Pacer: pacer, Writer: log, SSRC: 77})
				if err := stream.Ready(); err == nil {
					t.Error("ready without a codec")
				}
				if err := errors.Join(stream.SetCodec(test.codec, test.codec.PayloadType()), stream.Ready(), stream.Ready()); err != nil {
					t.Fatal(err)
				}
				pass(time.Second)
				if err := stream.Close(); err != nil {
					t.Fatal(err)
				}
				if n := len(log.packets); n < 49 || n > 51 {
					t.Fatalf("%d packets in a second, want 50", n)
				}
				for i, packet := range log.packets {
					first := log.packets[0]
					if packet.SSRC != 77 || packet.PayloadType != test.codec.PayloadType() || packet.Marker != (i == 0) ||
						packet.SequenceNumber != first.SequenceNumber+uint16(i) || packet.Timestamp != first.Timestamp+uint32(160*i) {
						t.Fatalf("packet %d: %+v after %+v", i, packet.Header, first.Header)
					}
					if !bytes.Equal(packet.Payload, bytes.Repeat([]byte{test.silence}, 160)) {
						t.Fatalf("packet %d is not silent: % x", i, packet.Payload)
					}
				}
			})
		})
	}
}

func TestStreamWithoutIdleSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pacer, log := NewPacer(PacerOptions{}), &sentLog{}
		defer pacer.Close()
		stream := startStream(t, pacer, log, func(o *StreamOptions) { o.NoIdleSilence = true })
		pass(200 * time.Millisecond)
		if len(log.packets) != 0 {
			t.Errorf("%d packets were sent while idle", len(log.packets))
		}
		play := func() { // 50 ms: two packets, and half a packet filled up with silence
			if err := stream.Play(NewClip("test", slices.Repeat([]int16{8000}, 400)), 1); err != nil {
				t.Fatal(err)
			}
			pass(200 * time.Millisecond)
		}
		play()
		play()
		if err := stream.Close(); err != nil {
			t.Fatal(err)
		}
		if len(log.packets) != 6 {
			t.Fatalf("%d packets, want 6", len(log.packets))
		}
		code := g711.EncodeUlawFrame(8000)
		last := append(bytes.Repeat([]byte{code}, 80), bytes.Repeat([]byte{0xFF}, 80)...)
		for i, packet := range log.packets {
			want := bytes.Repeat([]byte{code}, 160)
			if i%3 == 2 {
				want = last
			}
			if !bytes.Equal(packet.Payload, want) || packet.Marker != (i%3 == 0) {
				t.Errorf("packet %d: marker %v, % x", i, packet.Marker, packet.Payload)
			}
		}
		if elapsed := log.packets[3].Timestamp - log.packets[0].Timestamp; elapsed != 1600 {
			t.Errorf("the second clip starts %d after the first, want 1600: timestamps follow the clock", elapsed)
		}
	})
}

func TestStreamOnHold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pacer, log := NewPacer(PacerOptions{}), &sentLog{}
		defer pacer.Close()
		stream := startStream(t, pacer, log, nil)
		pass(100 * time.Millisecond)
		stream.SetSending(false)
		sent := len(log.packets)
		pass(6 * time.Second)
		if len(log.packets) != sent {
			t.Errorf("%d packets were sent on hold", len(log.packets)-sent)
		}
		if len(log.reports) < 2 {
			t.Errorf("%d reports, want them to go on", len(log.reports))
		}
		stream.SetSending(true)
		pass(100 * time.Millisecond)
		if err := stream.Close(); err != nil {
			t.Fatal(err)
		}
		if len(log.packets) <= sent || !log.packets[sent].Marker || log.packets[sent].SequenceNumber != log.packets[sent-1].SequenceNumber+1 {
			t.Error("the first packet after the hold has no marker, or a gap before it")
		}
	})
}

func TestStreamWriteFrame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pacer, log := NewPacer(PacerOptions{}), &sentLog{}
		defer pacer.Close()
		stream := NewStream(StreamOptions{Pacer: pacer, Writer: log, Rand: counter()})
		frame := bytes.Repeat([]byte{0x12, 0x34}, 80)
		if err := stream.WriteFrame(PCMA, frame); !errors.Is(err, ErrNotReady) {
			t.Errorf("before the path is up: %v", err)
		}
		if err := errors.Join(stream.SetCodec(PCMU, 0), stream.Ready()); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := errors.Join(stream.WriteFrame(PCMA, frame), stream.WriteFrame(PCMU, frame)); err != nil {
				t.Fatal(err)
			}
			pass(40 * time.Millisecond) // no silence in between
		}
		for name, wrong := range map[string][]byte{"empty": nil, "long": make([]byte, maxFrame+1)} {
			if err := stream.WriteFrame(PCMU, wrong); err == nil {
				t.Errorf("a frame that is %s was sent", name)
			}
		}
		if err := stream.WriteFrame(CodecNone, frame); err == nil {
			t.Error("a frame of no codec was sent")
		}
		if len(log.packets) != 6 {
			t.Fatalf("%d packets, want 6", len(log.packets))
		}
		for i, packet := range log.packets {
			want := frame
			if i%2 == 0 {
				want = g711.Alaw2Ulaw(frame)
			}
			if packet.PayloadType != 0 || !bytes.Equal(packet.Payload, want) {
				t.Errorf("packet %d: type %d, % x", i, packet.PayloadType, packet.Payload)
			}
			if packet.Timestamp != log.packets[0].Timestamp+uint32(160*i) {
				t.Errorf("packet %d: timestamp %d after %d", i, packet.Timestamp, log.packets[0].Timestamp)
			}
		}
		if err := stream.Play(SilenceClip(), -1); err != nil {
			t.Fatal(err)
		}
		if err := stream.WriteFrame(PCMU, frame); !errors.Is(err, ErrPlaying) {
			t.Errorf("while playing: %v", err)
		}
		pass(50 * time.Millisecond)
		if len(log.packets) < 8 {
			t.Errorf("%d packets: the clip is not sent after frames of the caller's own", len(log.packets))
		}
		if err := stream.Close(); err != nil {
			t.Fatal(err)
		}
		if err := stream.WriteFrame(PCMU, frame); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

// Two streams over a network that loses one packet in twenty and takes 15 ms each way for reports.
func TestStreamReports(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pacer := NewPacer(PacerOptions{})
		defer pacer.Close()
		logs := [2]*sentLog{{}, {}}
		var streams [2]*Stream
		for i, log := range logs {
			n := 0
			log.onRTP = func(packet []byte) {
				if n++; n%20 != 0 {
					streams[1-i].HandleRTP(packet, time.Now())
				}
			}
			log.onRTCP = func(packet []byte) {
				time.AfterFunc(15*time.Millisecond, func() { streams[1-i].HandleRTCP(packet, time.Now()) })
			}
		}
		for i, log := range logs {
			streams[i] = NewStream(StreamOptions{Pacer: pacer, Writer: log})
			if err := streams[i].SetCodec(PCMA, 8); err != nil {
				t.Fatal(err)
			}
		}
		start := time.Now()
		if err := errors.Join(streams[0].Ready(), streams[1].Ready()); err != nil {
			t.Fatal(err)
		}
		if stats := streams[0].Stats(); stats.RTTMS != nil || stats.RemoteFractionLost != nil || stats.RemoteJitterMS != nil {
			t.Errorf("figures before the first report: %+v", stats)
		}
		pass(30 * time.Second)
		for i, stream := range streams {
			if err := stream.Close(); err != nil {
				t.Fatal(err)
			}
			checkReportTimes(t, start, logs[i].times)
			checkReportedLoss(t, stream.Stats())
			last := logs[i].reports[len(logs[i].reports)-1]
			if last[len(last)-7] != rtcpBYE {
				t.Errorf("the last report has no BYE: % x", last)
			}
		}
		pass(time.Second) // for reports under way
	})
}

func checkReportTimes(t *testing.T, start time.Time, times []time.Time) {
	t.Helper()
	if len(times) < 7 {
		t.Fatalf("%d reports in 30 s", len(times))
	}
	if first := times[0].Sub(start); first < time.Second || first > 2520*time.Millisecond {
		t.Errorf("the first report came after %s, want 1 to 2.5 s", first)
	}
	for k := 1; k < len(times); k++ {
		if gap := times[k].Sub(times[k-1]); gap > 5*time.Second {
			t.Errorf("%s between two reports, want at most 5 s", gap)
		}
	}
}

func checkReportedLoss(t *testing.T, stats Stats) {
	t.Helper()
	within := func(what string, value *float64, least, most float64) {
		if value == nil || *value < least || *value > most {
			t.Errorf("%s is %v, want %g to %g", what, value, least, most)
		}
	}
	within("loss", stats.FractionLost, 0.04, 0.06)
	within("remote loss", stats.RemoteFractionLost, 0.03, 0.07)
	within("jitter", stats.JitterMS, 0, 0.2)
	within("remote jitter", stats.RemoteJitterMS, 0, 0.2)
	within("round trip", stats.RTTMS, 29.9, 30.1)
	if stats.PacketsLost < 65 || stats.PacketsLost > 80 {
		t.Errorf("%d packets lost of 1500, want 75", stats.PacketsLost)
	}
}

func TestStreamSaysNoGoodbyeIfItNeverSpoke(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pacer, log := NewPacer(PacerOptions{}), &sentLog{}
		defer pacer.Close()
		stream := startStream(t, pacer, log, nil)
		if err := stream.Close(); err != nil {
			t.Fatal(err)
		}
		if len(log.packets)+len(log.reports) != 0 {
			t.Errorf("%d packets, %d reports", len(log.packets), len(log.reports))
		}
	})
}

func TestStreamIgnoresForeignReports(t *testing.T) {
	t.Parallel()
	pacer := NewPacer(PacerOptions{})
	defer pacer.Close()
	stream := NewStream(StreamOptions{Pacer: pacer, Writer: &sentLog{}, SSRC: 5})
	foreign := reportBlock{ssrc: 6, fraction: 100, lastSR: 1}
	unsent := reportBlock{ssrc: 5, fraction: 128, jitter: 80, lastSR: 1234}
	for _, block := range []reportBlock{foreign, unsent} {
		packet := block.append(append(appendRTCPHeader(nil, rtcpRR, 1, 8+reportBlockSize), 0, 0, 0, 9))
		stream.HandleRTCP(packet, time.Now())
	}
	stats := stream.Stats()
	if stats.RemoteFractionLost == nil || *stats.RemoteFractionLost != 0.5 || stats.RemoteJitterMS == nil || *stats.RemoteJitterMS != 10 {
		t.Errorf("remote loss %v, jitter %v", stats.RemoteFractionLost, stats.RemoteJitterMS)
	}
	if stats.RTTMS != nil {
		t.Errorf("a round trip of %v ms from a report that was never sent", *stats.RTTMS)
	}
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
}

// rtpPacket returns a packet of 20 ms.
func rtpPacket(payloadType uint8, ssrc uint32, seq uint16, payload []byte) []byte {
	packet := rtp.Packet{Header: rtp.Header{
		Version: 2, PayloadType: payloadType, SSRC: ssrc, SequenceNumber: seq, Timestamp: uint32(seq) * FrameSamples,
	}, Payload: payload}
	raw, _ := packet.Marshal() // a header without extensions cannot fail
	return raw
}

func TestStreamReceives(t *testing.T) {
	t.Parallel()
	pacer := NewPacer(PacerOptions{})
	defer pacer.Close()
	var firsts []time.Time
	stream := NewStream(StreamOptions{Pacer: pacer, Writer: &sentLog{}, OnFirstPacket: func(at time.Time) { firsts = append(firsts, at) }})
	if err := stream.SetCodec(PCMU, 100); err != nil {
		t.Fatal(err)
	}
	type heard struct {
		codec Codec
		first byte
	}
	var got []heard
	remove, err := stream.Tap(func(codec Codec, payload []byte) { got = append(got, heard{codec, payload[0]}) })
	if err != nil {
		t.Fatal(err)
	}
	start := time.Unix(1700000000, 0)
	frame := func(first byte) []byte { return append([]byte{first}, make([]byte, 159)...) }
	for i, packet := range [][]byte{
		nil,
		{0x80},
		[]byte("INVITE sip:x SIP/2.0\r\n"),
		{0x8F, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, // not RTP: 4
		rtpPacket(100, 1, 10, frame(1)), rtpPacket(8, 1, 11, frame(2)), rtpPacket(0, 1, 12, frame(3)),
		rtpPacket(101, 1, 13, []byte{1, 2, 3, 4}), rtpPacket(13, 1, 14, []byte{9}), // events and comfort noise: no audio, and no loss
		rtpPacket(100, 1, 16, frame(5)), rtpPacket(100, 1, 15, frame(4)), rtpPacket(100, 1, 15, frame(4)),
		rtpPacket(100, 2, 900, frame(6)), // another source
	} {
		stream.HandleRTP(packet, start.Add(time.Duration(i)*20*time.Millisecond))
	}
	remove()
	stream.HandleRTP(rtpPacket(100, 2, 901, frame(7)), start.Add(time.Second))
	stats := stream.Stats()
	if stats.PacketsReceived != 10 || stats.BytesReceived != 8*160+5 || stats.Ignored != 2 || stats.Reordered != 1 || stats.Duplicated != 1 ||
		stats.PacketsLost != -1 || *stats.FractionLost != 0 {
		t.Errorf("%+v, loss %v", stats, *stats.FractionLost)
	}
	want := []heard{{PCMU, 1}, {PCMA, 2}, {PCMU, 3}, {PCMU, 4}, {PCMU, 5}, {PCMU, 6}}
	if !slices.Equal(got, want) {
		t.Errorf("heard %v, want %v", got, want)
	}
	if len(firsts) != 1 || !firsts[0].Equal(start.Add(80*time.Millisecond)) || !stats.FirstRTPAt.Equal(firsts[0]) {
		t.Errorf("first packets at %v, stats say %v", firsts, stats.FirstRTPAt)
	}
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Tap(func(Codec, []byte) {}); !errors.Is(err, ErrClosed) {
		t.Errorf("Tap after Close: %v", err)
	}
	stream.HandleRTP(rtpPacket(100, 2, 902, frame(7)), start.Add(2*time.Second))
	if after := stream.Stats(); after.PacketsReceived != stats.PacketsReceived {
		t.Error("a packet was counted after Close")
	}
}

func TestTapGoesOnAfterALoss(t *testing.T) {
	t.Parallel()
	pacer := NewPacer(PacerOptions{})
	defer pacer.Close()
	stream := NewStream(StreamOptions{Pacer: pacer, Writer: &sentLog{}})
	var got []byte
	if _, err := stream.Tap(func(_ Codec, payload []byte) { got = append(got, payload[0]) }); err != nil {
		t.Fatal(err)
	}
	for _, n := range []byte{1, 2, 4, 5, 6, 7, 8, 9, 10, 3, 12} { // 3 comes too late, 11 never
		stream.HandleRTP(rtpPacket(0, 1, math.MaxUint16-5+uint16(n), []byte{n}), time.Now())
	}
	if want := []byte{1, 2, 4, 5, 6, 7, 8, 9, 10}; !bytes.Equal(got, want) {
		t.Errorf("heard %v, want %v", got, want)
	}
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
	if last := got[len(got)-1]; last != 12 {
		t.Errorf("the packet that waited at the end was not passed on: %v", got)
	}
}

func FuzzHandleRTP(f *testing.F) {
	f.Add(rtpPacket(0, 1, 1, make([]byte, 160)), rtpPacket(8, 1, 2, nil))
	f.Add([]byte{0xB0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xBE, 0xDE, 0, 1, 0x10, 1, 0, 0, 3}, []byte{0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200})
	pacer := NewPacer(PacerOptions{})
	f.Cleanup(pacer.Close)
	f.Fuzz(func(t *testing.T, first, second []byte) {
		stream := NewStream(StreamOptions{Pacer: pacer, Writer: &sentLog{}})
		accepted := uint64(0)
		for _, packet := range [][]byte{first, second} {
			var oracle rtp.Packet
			if oracle.Unmarshal(packet) == nil && oracle.Version == 2 {
				accepted++
			}
			stream.HandleRTP(packet, time.Now())
			stream.HandleRTCP(packet, time.Now())
		}
		if got := stream.Stats().PacketsReceived; got > accepted {
			t.Errorf("%d packets counted, pion reads %d", got, accepted)
		}
	})
}

// nullWriter drops what is sent.
type nullWriter struct{}

func (nullWriter) WriteRTP(*rtp.Header, []byte) error { return nil }
func (nullWriter) WriteRTCP([]byte) error             { return nil }

func busyStream(tb testing.TB) *Stream {
	tb.Helper()
	pacer := NewPacer(PacerOptions{})
	tb.Cleanup(pacer.Close)
	stream := NewStream(StreamOptions{Pacer: pacer, Writer: nullWriter{}})
	tone, err := ToneClip(440)
	if err != nil {
		tb.Fatal(err)
	}
	if err := errors.Join(stream.SetCodec(PCMU, 0), stream.Play(tone, -1)); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = stream.Close() })
	return stream
}

func TestHotPathsAllocateNothing(t *testing.T) {
	stream := busyStream(t)
	if _, err := stream.Tap(func(Codec, []byte) {}); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	if n := testing.AllocsPerRun(200, func() { stream.Tick(now, 1) }); n != 0 {
		t.Errorf("sending a packet allocates %v times", n)
	}
	packet, seq := rtpPacket(0, 1, 0, make([]byte, 160)), uint16(0)
	if n := testing.AllocsPerRun(200, func() {
		seq++
		packet[2], packet[3] = byte(seq>>8), byte(seq)
		stream.HandleRTP(packet, now)
	}); n != 0 {
		t.Errorf("receiving a packet allocates %v times", n)
	}
}

func BenchmarkStreamSend(b *testing.B) {
	stream := busyStream(b)
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		stream.Tick(now, 1)
	}
}

func BenchmarkStreamReceive(b *testing.B) {
	stream := busyStream(b)
	packet, seq := rtpPacket(0, 1, 0, make([]byte, 160)), uint16(0)
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		seq++
		packet[2], packet[3] = byte(seq>>8), byte(seq)
		stream.HandleRTP(packet, now)
	}
}
