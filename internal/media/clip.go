package media

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Clip is audio to be played: immutable, and shared by every call that plays it. It is encoded once for each codec, when it
// is first played with that codec.
type Clip struct {
	source string
	pcm    []int16 // 8 kHz, one channel

	encodings [2]struct {
		once sync.Once
		data []byte
	}
}

const (
	toneAmplitude = 16422 // -6 dBFS
	maxTone       = 3999  // Hz, below half the sample rate
)

// LoadClip returns the clip that a scenario or an option names: "silence", "tone:HZ" (HZ a whole number below 4000), or the
// name of a WAV file in fsys, 8 kHz, one channel, 16-bit PCM or G.711.
func LoadClip(fsys fs.FS, source string) (*Clip, error) {
	if source == "silence" {
		return SilenceClip(), nil
	}
	if text, ok := strings.CutPrefix(source, "tone:"); ok {
		hz, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("%q: the frequency of a tone must be a whole number from 1 to %d, as in tone:440", source, maxTone)
		}
		return ToneClip(hz)
	}
	if source == "" {
		return nil, errors.New(`no audio named: give a WAV file, "tone:440" or "silence"`)
	}
	if fsys == nil {
		return nil, fmt.Errorf("%s: there is no directory to read audio files from", source)
	}
	pcm, err := readWAVFile(fsys, source)
	if err != nil {
		return nil, fmt.Errorf("audio file %s: %w", source, err)
	}
	return NewClip(source, pcm), nil
}

// NewClip returns a clip of samples at 8 kHz, which must not be changed afterwards. The source says where they are from.
func NewClip(source string, pcm []int16) *Clip { return &Clip{source: source, pcm: pcm} }

// ToneClip returns one second of a sine wave at -6 dBFS, which can be looped without a seam.
func ToneClip(hz int) (*Clip, error) {
	if hz < 1 || hz > maxTone {
		return nil, fmt.Errorf("tone:%d: the frequency of a tone must be a whole number from 1 to %d", hz, maxTone)
	}
	pcm := make([]int16, SampleRate)
	for i := range pcm {
		turn := float64(i*hz%SampleRate) / SampleRate
		pcm[i] = int16(math.Round(toneAmplitude * math.Sin(2*math.Pi*turn)))
	}
	return NewClip("tone:"+strconv.Itoa(hz), pcm), nil
}

// SilenceClip returns one second of silence.
func SilenceClip() *Clip { return NewClip("silence", make([]int16, SampleRate)) }

// String returns where the clip is from.
func (c *Clip) String() string { return c.source }

// Duration returns how long it takes to play the clip once.
func (c *Clip) Duration() time.Duration {
	return time.Duration(len(c.pcm)) * time.Second / SampleRate
}

// Encoded returns the clip in the codec's form. It is shared and must not be changed.
func (c *Clip) Encoded(codec Codec) []byte {
	encoding := &c.encodings[0]
	if codec == PCMA {
		encoding = &c.encodings[1]
	}
	encoding.once.Do(func() {
		data := make([]byte, len(c.pcm))
		for i, sample := range c.pcm {
			data[i] = codec.Encode(sample)
		}
		encoding.data = data
	})
	return encoding.data
}
