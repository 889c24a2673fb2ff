package media

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// recordingOf returns the samples of a recording, interleaved.
func recordingOf(t *testing.T, path string, channels int) []int16 {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(content) < wavHeaderSize {
		t.Fatalf("%d bytes", len(content))
	}
	riff, data := binary.LittleEndian.Uint32(content[4:]), binary.LittleEndian.Uint32(content[40:])
	if int(riff) != len(content)-8 || int(data) != len(content)-wavHeaderSize || int(content[22]) != channels {
		t.Fatalf("the header says %d and %d bytes, %d channels; the file has %d bytes", riff, data, content[22], len(content))
	}
	samples := make([]int16, data/2)
	for i := range samples {
		samples[i] = int16(binary.LittleEndian.Uint16(content[wavHeaderSize+2*i:]))
	}
	return samples
}

// arrival is a packet of 20 ms whose samples are all the same.
type arrival struct {
	at        time.Duration // after the first
	timestamp uint32
	level     int // 1 to 9
	sent      bool
}

const levelStep = 1000

// levels returns one digit for every 20 ms of a channel; '?' where a stretch is not uniform.
func levels(samples []int16, channel, channels int) string {
	var b strings.Builder
	for start := 0; start+FrameSamples*channels <= len(samples); start += FrameSamples * channels {
		first := samples[start+channel]
		symbol := byte('0' + (int(first)+levelStep/2)/levelStep)
		for i := start + channel; i < start+FrameSamples*channels; i += channels {
			if samples[i] != first {
				symbol = '?'
			}
		}
		b.WriteByte(symbol)
	}
	return b.String()
}

func record(t *testing.T, o RecordOptions, arrivals []arrival) (*Recorder, error) {
	t.Helper()
	recorder, err := NewRecorder(o)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	for _, a := range arrivals {
		payload := bytes.Repeat([]byte{PCMA.Encode(int16(a.level * levelStep))}, FrameSamples)
		take := recorder.Received
		if a.sent {
			take = recorder.Sent
		}
		take(PCMA, payload, a.timestamp, start.Add(a.at))
	}
	return recorder, recorder.Close()
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func TestRecorderPlacesPackets(t *testing.T) {
	t.Parallel()
	const wrap = 1<<32 - 160
	tests := []struct {
		name     string
		arrivals []arrival
		want     string
	}{
		{"in order", []arrival{{0, 1000, 1, false}, {ms(20), 1160, 2, false}, {ms(40), 1320, 3, false}}, "123"},
		{"over the wrap of the timestamp", []arrival{{0, wrap, 1, false}, {ms(20), 0, 2, false}, {ms(40), 160, 3, false}}, "123"},
		{"a gap is silent", []arrival{{0, 1000, 1, false}, {ms(60), 1480, 4, false}}, "1004"},
		{"out of order", []arrival{{0, 1000, 1, false}, {ms(20), 1320, 3, false}, {ms(41), 1160, 2, false}, {ms(60), 1480, 4, false}}, "1234"},
		{"duplicates", []arrival{{0, 1000, 1, false}, {ms(1), 1000, 1, false}, {ms(20), 1160, 2, false}, {ms(21), 1160, 2, false}}, "12"},
		{"older than the first", []arrival{{0, 1000, 1, false}, {ms(1), 840, 9, false}, {ms(20), 1160, 2, false}}, "12"},
		{"jitter does not move audio", []arrival{{0, 1000, 1, false}, {ms(90), 1160, 2, false}, {ms(91), 1320, 3, false}}, "123"},
		{"a leap of the clock is not filled", []arrival{{0, 1000, 1, false}, {ms(20), 1 << 30, 2, false}, {ms(40), 1<<30 + 160, 3, false}}, "123"},
		{"a leap backwards", []arrival{{0, 1 << 30, 1, false}, {ms(20), 7, 2, false}, {ms(40), 167, 3, false}}, "123"},
		{"what is sent is left out", []arrival{{0, 1000, 1, false}, {ms(5), 99, 9, true}, {ms(20), 1160, 2, false}}, "12"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "r.wav")
			recorder, err := record(t, RecordOptions{Path: path}, test.arrivals)
			if err != nil || recorder.Path() != path {
				t.Fatalf("Close: %v, path %q", err, recorder.Path())
			}
			if got := levels(recordingOf(t, path, 1), 0, 1); got != test.want {
				t.Errorf("recorded %s, want %s", got, test.want)
			}
		})
	}
}

func TestRecorderStereo(t *testing.T) {
	t.Parallel()
	arrivals := []arrival{
		{0, 500, 1, true}, {ms(20), 660, 2, true}, {ms(40), 9000, 5, false}, {ms(40), 820, 3, true}, {ms(60), 9160, 6, false},
	}
	for _, test := range []struct {
		caller      bool
		left, right string
	}{{true, "1230", "0056"}, {false, "0056", "1230"}} {
		t.Run(fmt.Sprintf("caller %v", test.caller), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "r.wav")
			if _, err := record(t, RecordOptions{Path: path, Stereo: true, Caller: test.caller}, arrivals); err != nil {
				t.Fatal(err)
			}
			samples := recordingOf(t, path, 2)
			if left, right := levels(samples, 0, 2), levels(samples, 1, 2); left != test.left || right != test.right {
				t.Errorf("left %s, right %s; want %s, %s", left, right, test.left, test.right)
			}
		})
	}
}

// An hour on hold costs neither memory nor, on most file systems, disk.
func TestRecorderLongPause(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "r.wav")
	const hour = 3600 * SampleRate
	_, err := record(t, RecordOptions{Path: path}, []arrival{{0, 0, 1, false}, {time.Hour, hour, 2, false}, {time.Hour + ms(20), hour + 160, 3, false}})
	if err != nil {
		t.Fatal(err)
	}
	samples := recordingOf(t, path, 1)
	if len(samples) != hour+320 {
		t.Fatalf("%d samples, want %d", len(samples), hour+320)
	}
	if first, last := levels(samples[:320], 0, 1), levels(samples[hour-160:], 0, 1); first != "10" || last != "023" {
		t.Errorf("recorded %s at the start, %s at the end", first, last)
	}
}

func TestRecorderLeavesNoFileWithoutAudio(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "r.wav")
	recorder, err := record(t, RecordOptions{Path: path}, nil)
	if err != nil || recorder.Path() != "" {
		t.Errorf("Close: %v, path %q", err, recorder.Path())
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the file is there: %v", err)
	}
}

func TestRecorderReportsErrors(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	for name, path := range map[string]string{"no path": "", "missing directory": filepath.Join(directory, "missing", "r.wav")} {
		if _, err := NewRecorder(RecordOptions{Path: path}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	recorder, err := record(t, RecordOptions{Path: directory}, []arrival{{0, 0, 1, false}})
	if err == nil || !strings.Contains(err.Error(), directory) || recorder.Path() != "" {
		t.Errorf("recording to a directory: %v, path %q", err, recorder.Path())
	}
	if again := recorder.Close(); again == nil {
		t.Error("the second Close has forgotten the error")
	}
}

// While the recording goes on, the file on the disk is a valid one that is at most some 1.5 s behind.
func TestRecorderFileIsValidAllTheTime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "r.wav")
	synctest.Test(t, func(t *testing.T) {
		recorder, err := NewRecorder(RecordOptions{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		payload := bytes.Repeat([]byte{PCMA.Encode(levelStep)}, FrameSamples)
		for i := range 500 {
			recorder.Received(PCMA, payload, uint32(i*FrameSamples), time.Now())
			<-time.After(20 * time.Millisecond)
			synctest.Wait()
			if behind := (i+1)*FrameSamples - len(recordingOf(t, path, 1)); behind > 3*SampleRate/2+2*FrameSamples {
				t.Fatalf("the file is %d samples behind after packet %d", behind, i)
			}
		}
		if err := recorder.Close(); err != nil {
			t.Fatal(err)
		}
	})
	if got := levels(recordingOf(t, path, 1), 0, 1); got != strings.Repeat("1", 500) {
		t.Errorf("recorded %s", got)
	}
}

func TestRecorderBoundsItsMemory(t *testing.T) {
	t.Parallel()
	// The writer does not run: as with a disk that hangs.
	r := &Recorder{channels: 1, start: make(chan struct{})}
	payload := slices.Repeat([]byte{0xD5}, FrameSamples)
	start := time.Now()
	for i := range 120 * 50 {
		r.Received(PCMA, payload, uint32(i*FrameSamples), start.Add(time.Duration(i)*20*time.Millisecond))
	}
	if held := r.pending + len(r.canvas); held > maxPending+FrameSamples {
		t.Errorf("%d samples are held, want at most %d", held, maxPending)
	}
	if err := r.complaint(); err == nil || !strings.Contains(err.Error(), "too slow") {
		t.Errorf("audio was left out, and the error is %v", err)
	}
}

func BenchmarkRecorder(b *testing.B) {
	r := &Recorder{channels: 1, start: make(chan struct{})}
	payload := slices.Repeat([]byte{0xD5}, FrameSamples)
	start := time.Now()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		r.Received(PCMA, payload, uint32(i*FrameSamples), start.Add(time.Duration(i)*20*time.Millisecond))
		if i++; i%50 == 0 {
			r.seal(len(r.canvas) - recorderLag)
			r.sealed, r.pending = r.sealed[:0], 0
		}
	}
}
