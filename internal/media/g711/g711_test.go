package g711_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/gossipper/gossipper/internal/media/g711"
)

// law is one of the two codecs, so that both pass the same tests.
type law struct {
	name           string
	encode, decode func([]byte) []byte
	encodeOne      func(int16) uint8
	decodeOne      func(uint8) int16
	toOther        func([]byte) []byte
	toOtherOne     func(uint8) uint8
	otherDecode    func(uint8) int16
	negativeZero   int // the code that decodes to the same sample as another, -1: none
	soxName        string
	known          map[uint8]int16
	silence        uint8
	largest        int
}

func laws() []law {
	return []law{
		{
			name: "ulaw", encode: g711.EncodeUlaw, decode: g711.DecodeUlaw, encodeOne: g711.EncodeUlawFrame, decodeOne: g711.DecodeUlawFrame,
			toOther: g711.Ulaw2Alaw, toOtherOne: g711.Ulaw2AlawFrame, otherDecode: g711.DecodeAlawFrame, negativeZero: 0x7F, soxName: "mu-law",
			// ITU-T G.711 tables 2a and 2b, decoder output values y times 4.
			known:   map[uint8]int16{0x80: 32124, 0x00: -32124, 0xFF: 0, 0x7F: 0, 0xFE: 8, 0x7E: -8, 0x8F: 4 * 4191, 0xEF: 4 * 33, 0xF0: 4 * 30},
			silence: 0xFF, largest: 32124,
		},
		{
			name: "alaw", encode: g711.EncodeAlaw, decode: g711.DecodeAlaw, encodeOne: g711.EncodeAlawFrame, decodeOne: g711.DecodeAlawFrame,
			toOther: g711.Alaw2Ulaw, toOtherOne: g711.Alaw2UlawFrame, otherDecode: g711.DecodeUlawFrame, negativeZero: -1, soxName: "a-law",
			// ITU-T G.711 tables 1a and 1b, decoder output values y times 16 (13 bits, of which half steps are used).
			known:   map[uint8]int16{0xAA: 32256, 0x2A: -32256, 0xD5: 8, 0x55: -8, 0xC5: 264, 0xD4: 24},
			silence: 0xD5, largest: 32256,
		},
	}
}

func allSamples() []byte {
	pcm := make([]byte, 0, 2<<16)
	for sample := -1 << 15; sample < 1<<15; sample++ {
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(sample)))
	}
	return pcm
}

func allCodes() []byte {
	codes := make([]byte, 256)
	for i := range codes {
		codes[i] = byte(i)
	}
	return codes
}

func TestKnownAnswers(t *testing.T) {
	t.Parallel()
	for _, law := range laws() {
		t.Run(law.name, func(t *testing.T) {
			t.Parallel()
			for code, want := range law.known {
				if got := law.decodeOne(code); got != want {
					t.Errorf("code %#02x decodes to %d, want %d", code, got, want)
				}
			}
			if got := law.encodeOne(0); got != law.silence {
				t.Errorf("silence is %#02x, want %#02x", got, law.silence)
			}
		})
	}
}

func TestEveryCodeSurvivesDecodingAndEncoding(t *testing.T) {
	t.Parallel()
	for _, law := range laws() {
		t.Run(law.name, func(t *testing.T) {
			t.Parallel()
			for code := range 256 {
				if got := law.encodeOne(law.decodeOne(uint8(code))); int(got) != code && code != law.negativeZero {
					t.Errorf("code %#02x comes back as %#02x", code, got)
				}
			}
		})
	}
}

// The codec is logarithmic: the error is at most half a step, which is 1/32 of the sample, or a little more for rounding and for the bias of µ-law.
func TestErrorOfEverySampleIsBounded(t *testing.T) {
	t.Parallel()
	for _, law := range laws() {
		t.Run(law.name, func(t *testing.T) {
			t.Parallel()
			for sample := -1 << 15; sample < 1<<15; sample++ {
				decoded := int(law.decodeOne(law.encodeOne(int16(sample))))
				magnitude := max(sample, -sample)
				bound := max(12, magnitude/32+8)
				if magnitude > law.largest {
					bound = magnitude - law.largest + 2
				}
				if diff := max(decoded-sample, sample-decoded); diff > bound {
					t.Fatalf("%d comes back as %d: off by %d, allowed %d", sample, decoded, diff, bound)
				}
			}
		})
	}
}

func TestConversionIsThatOfTheDecodedSample(t *testing.T) {
	t.Parallel()
	for _, law := range laws() {
		t.Run(law.name, func(t *testing.T) {
			t.Parallel()
			for code := range 256 {
				sample := int(law.decodeOne(uint8(code)))
				converted := int(law.otherDecode(law.toOtherOne(uint8(code))))
				magnitude := max(sample, -sample)
				if diff := max(converted-sample, sample-converted); diff > max(12, magnitude/32+8) {
					t.Errorf("code %#02x (%d) becomes %d", code, sample, converted)
				}
			}
		})
	}
}

func TestBytesEqualFrames(t *testing.T) {
	t.Parallel()
	pcm, codes := allSamples(), allCodes()
	for _, law := range laws() {
		t.Run(law.name, func(t *testing.T) {
			t.Parallel()
			encoded := law.encode(append(bytes.Clone(pcm), 1)) // the odd byte is left out
			if len(encoded) != 1<<16 {
				t.Fatalf("%d codes, want %d", len(encoded), 1<<16)
			}
			for i, code := range encoded {
				if want := law.encodeOne(int16(binary.LittleEndian.Uint16(pcm[2*i:]))); code != want {
					t.Fatalf("sample %d: %#02x, want %#02x", i, code, want)
				}
			}
			decoded, converted := law.decode(codes), law.toOther(codes)
			for i, code := range codes {
				if got := int16(binary.LittleEndian.Uint16(decoded[2*i:])); got != law.decodeOne(code) {
					t.Errorf("code %#02x: %d, want %d", code, got, law.decodeOne(code))
				}
				if converted[i] != law.toOtherOne(code) {
					t.Errorf("code %#02x: %#02x, want %#02x", code, converted[i], law.toOtherOne(code))
				}
			}
		})
	}
}

func TestSoxAgrees(t *testing.T) {
	t.Parallel()
	sox, err := exec.LookPath("sox")
	if err != nil {
		t.Skip("sox is not installed (Debian package sox)")
	}
	for _, law := range laws() {
		t.Run(law.name, func(t *testing.T) {
			t.Parallel()
			linear := []string{"-t", "raw", "-r", "8000", "-c", "1", "-e", "signed", "-b", "16", "-L"}
			coded := []string{"-t", "raw", "-r", "8000", "-c", "1", "-e", law.soxName, "-b", "8"}
			if got, want := law.encode(allSamples()), convertWithSox(t, sox, allSamples(), linear, coded); !bytes.Equal(got, want) {
				reportDifference(t, "encoding", got, want)
			}
			if got, want := law.decode(allCodes()), convertWithSox(t, sox, allCodes(), coded, linear); !bytes.Equal(got, want) {
				reportDifference(t, "decoding", got, want)
			}
		})
	}
}

func convertWithSox(t *testing.T, sox string, input []byte, from, to []string) []byte {
	t.Helper()
	in, out := filepath.Join(t.TempDir(), "in"), filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(in, input, 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-D"}, from...) // -D: no dither
	args = append(append(append(args, in), to...), out)
	if text, err := exec.Command(sox, args...).CombinedOutput(); err != nil {
		t.Fatalf("sox: %v\n%s", err, text)
	}
	output, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return output
}

func reportDifference(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d bytes, sox has %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%s: byte %d is %#02x, sox has %#02x", what, i, got[i], want[i])
			return
		}
	}
}

func BenchmarkEncodeUlaw(b *testing.B) {
	pcm := allSamples()[:320]
	b.ReportAllocs()
	for b.Loop() {
		for i := 0; i < len(pcm); i += 2 {
			_ = g711.EncodeUlawFrame(int16(binary.LittleEndian.Uint16(pcm[i:])))
		}
	}
}
