package media

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"
)

// wavOf returns a WAV file with the given format and data.
func wavOf(tag, channels, bits uint16, rate uint32, data []byte, before ...[]byte) []byte {
	body := bytes.Join(before, nil)
	body = append(body, "fmt "...)
	body = binary.LittleEndian.AppendUint32(body, 16)
	body = binary.LittleEndian.AppendUint16(body, tag)
	body = binary.LittleEndian.AppendUint16(body, channels)
	body = binary.LittleEndian.AppendUint32(body, rate)
	body = binary.LittleEndian.AppendUint32(body, rate*uint32(channels*bits/8))
	body = binary.LittleEndian.AppendUint16(body, channels*bits/8)
	body = binary.LittleEndian.AppendUint16(body, bits)
	body = append(body, "data"...)
	body = binary.LittleEndian.AppendUint32(body, uint32(len(data)))
	body = append(body, data...)
	file := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body)+4))
	return append(append(file, "WAVE"...), body...)
}

func chunk(id string, size uint32, data string) []byte {
	return append(binary.LittleEndian.AppendUint32([]byte(id), size), data...)
}

func TestLoadClipFromWAV(t *testing.T) {
	t.Parallel()
	linear := []byte{1, 0, 0xFF, 0xFF, 0xFF, 0x7F, 0, 0x80}
	good := wavOf(1, 1, 16, 8000, linear)
	cutOff := wavOf(1, 1, 16, 8000, linear)
	binary.LittleEndian.PutUint32(cutOff[40:], 0xFFFFFFF0)
	tests := []struct {
		name    string
		content []byte
		want    []int16
		wrong   string // part of the error
	}{
		{name: "16-bit PCM", content: good, want: []int16{1, -1, 32767, -32768}},
		{name: "A-law, odd number of bytes", content: wavOf(6, 1, 8, 8000, []byte{0xD5, 0xAA, 0x2A}), want: []int16{8, 32256, -32256}},
		{name: "mu-law", content: wavOf(7, 1, 8, 8000, []byte{0xFF, 0x80}), want: []int16{0, 32124}},
		{name: "other chunks before", content: wavOf(1, 1, 16, 8000, linear, chunk("LIST", 3, "abc\x00"), chunk("junk", 0, "")), want: []int16{1, -1, 32767, -32768}},
		{name: "cut off in the data", content: cutOff, want: []int16{1, -1, 32767, -32768}},
		{name: "half a sample at the end", content: wavOf(1, 1, 16, 8000, linear[:3]), want: []int16{1}},
		{name: "empty file", wrong: "not a WAV file; convert it with: sox"},
		{name: "an MP3", content: []byte("ID3\x03 and so on and on"), wrong: "not a WAV file; convert it with: sox"},
		{name: "16 kHz", content: wavOf(1, 1, 16, 16000, linear), wrong: "sampled at 16000 Hz, not at 8000; convert it with: sox"},
		{name: "stereo", content: wavOf(1, 2, 16, 8000, linear), wrong: "2 channels"},
		{name: "no channel", content: wavOf(1, 0, 16, 8000, linear), wrong: "0 channels"},
		{name: "8-bit PCM", content: wavOf(1, 1, 8, 8000, linear), wrong: "neither 16-bit PCM nor G.711"},
		{name: "float", content: wavOf(3, 1, 32, 8000, linear), wrong: "neither 16-bit PCM nor G.711"},
		{name: "no audio", content: wavOf(1, 1, 16, 8000, nil), wrong: "no audio"},
		{name: "no data chunk", content: good[:36], wrong: "no data chunk"},
		{name: "data before fmt", content: append([]byte("RIFF\x00\x00\x00\x00WAVE"), chunk("data", 4, "abcd")...), wrong: "no fmt chunk"},
		{name: "short fmt", content: append([]byte("RIFF\x00\x00\x00\x00WAVE"), chunk("fmt ", 4, "abcd")...), wrong: "too short"},
		{name: "huge chunk", content: append([]byte("RIFF\x00\x00\x00\x00WAVE"), chunk("LIST", math.MaxUint32, "INFO")...), wrong: "no data chunk"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			clip, err := LoadClip(fstest.MapFS{"x.wav": {Data: test.content}}, "x.wav")
			if test.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), test.wrong) || !strings.Contains(err.Error(), "x.wav") {
					t.Errorf("error %v, want one that names the file and says %q", err, test.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(clip.pcm, test.want) {
				t.Errorf("samples %v, want %v", clip.pcm, test.want)
			}
		})
	}
}

func TestLoadClipFromSox(t *testing.T) {
	t.Parallel()
	sox, err := exec.LookPath("sox")
	if err != nil {
		t.Skip("sox is not installed (Debian package sox)")
	}
	directory := t.TempDir()
	for name, encoding := range map[string][]string{
		"pcm.wav": {"-e", "signed-integer", "-b", "16"}, "alaw.wav": {"-e", "a-law"}, "ulaw.wav": {"-e", "mu-law"},
	} {
		args := append(append([]string{"-n", "-r", "8000", "-c", "1"}, encoding...), filepath.Join(directory, name), "synth", "0.5", "sine", "440", "vol", "0.5")
		if text, err := exec.Command(sox, args...).CombinedOutput(); err != nil {
			t.Fatalf("sox: %v\n%s", err, text)
		}
		clip, err := LoadClip(os.DirFS(directory), name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if clip.Duration() != 500*time.Millisecond {
			t.Errorf("%s lasts %s", name, clip.Duration())
		}
		for i, sample := range clip.pcm {
			want := 16384 * math.Sin(2*math.Pi*440*float64(i)/SampleRate)
			if math.Abs(float64(sample)-want) > 600 {
				t.Fatalf("%s: sample %d is %d, want about %.0f", name, i, sample, want)
			}
		}
	}
}

func TestLoadClipByName(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"", "tone:", "tone:x", "tone:0", "tone:4000", "tone:-3", "tone:440.5", "missing.wav", "../x.wav"} {
		if _, err := LoadClip(fstest.MapFS{}, source); err == nil {
			t.Errorf("%q: no error", source)
		}
	}
	if _, err := LoadClip(nil, "x.wav"); err == nil {
		t.Error("no file system: no error")
	}
	silence, err := LoadClip(nil, "silence")
	if err != nil || silence.String() != "silence" || silence.Duration() != time.Second {
		t.Errorf("silence: %v, %v", silence, err)
	}
	for codec, code := range map[Codec]byte{PCMU: 0xFF, PCMA: 0xD5} {
		if encoded := silence.Encoded(codec); !bytes.Equal(encoded, bytes.Repeat([]byte{code}, SampleRate)) {
			t.Errorf("silence in %s is not %#x", codec, code)
		}
	}
}

func TestToneIsAnExactSine(t *testing.T) {
	t.Parallel()
	for _, hz := range []int{1, 440, 1004, 3999} {
		clip, err := ToneClip(hz)
		if err != nil {
			t.Fatal(err)
		}
		var energy float64
		for i, sample := range clip.pcm {
			want := toneAmplitude * math.Sin(2*math.Pi*float64(hz)*float64(i)/SampleRate)
			if math.Abs(float64(sample)-want) > 0.6 {
				t.Fatalf("%d Hz: sample %d is %d, want %.2f", hz, i, sample, want)
			}
			energy += float64(sample) * float64(sample)
		}
		// A sine of full scale has an effective value of 32767/√2.
		if level := 10 * math.Log10(2*energy/float64(len(clip.pcm))/(32767*32767)); math.Abs(level+6) > 0.01 {
			t.Errorf("%d Hz: %.3f dBFS, want -6", hz, level)
		}
	}
}

func TestClipIsEncodedOnce(t *testing.T) {
	t.Parallel()
	clip, err := ToneClip(440)
	if err != nil {
		t.Fatal(err)
	}
	var workers sync.WaitGroup
	first := make([]*byte, 8)
	for i := range first {
		workers.Go(func() { first[i] = &clip.Encoded(PCMA)[0] })
	}
	workers.Wait()
	for _, at := range first {
		if at != first[0] {
			t.Error("two calls have different copies")
		}
	}
	if &clip.Encoded(PCMU)[0] == first[0] || clip.Encoded(PCMU)[5] != PCMU.Encode(clip.pcm[5]) {
		t.Error("the encodings of the two codecs are mixed up")
	}
}

func FuzzLoadClip(f *testing.F) {
	f.Add(wavOf(1, 1, 16, 8000, []byte{1, 2, 3, 4}))
	f.Add(wavOf(7, 1, 8, 8000, []byte{1, 2, 3}, chunk("LIST", 5, "INFOx\x00")))
	f.Add(wavOf(wavExtensible, 1, 16, 8000, []byte{1, 2}))
	f.Fuzz(func(t *testing.T, content []byte) {
		pcm, err := decodeWAV(content)
		if err != nil {
			return
		}
		if len(pcm) == 0 || len(pcm) > len(content) {
			t.Fatalf("%d samples from %d bytes", len(pcm), len(content))
		}
		raw := make([]byte, 0, 2*len(pcm))
		for _, sample := range pcm {
			raw = binary.LittleEndian.AppendUint16(raw, uint16(sample))
		}
		again, err := decodeWAV(wavOf(1, 1, 16, 8000, raw))
		if err != nil || !slices.Equal(again, pcm) {
			t.Fatalf("written and read again it differs: %v", err)
		}
	})
}
