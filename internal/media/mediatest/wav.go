// Package mediatest holds what the tests of media have in common: finding tones in recordings, and the conformance suite that every
// MediaPipeline passes. It is used by tests only.
package mediatest

import (
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"github.com/go-audio/audio"
	"github.com/go-audio/wav"

	"github.com/gossipper/gossipper/internal/media"
)

const (
	// loud is the magnitude above which a sample is not silence.
	loud = 1000
	// window is the resolution at which sound is told from silence, in samples: 5 ms.
	window = media.SampleRate / 200
)

// ReadWAV returns the samples of a recording, channel by channel. It fails the test if the file is not 8 kHz, 16-bit PCM.
func ReadWAV(t testing.TB, path string) [][]int16 {
	t.Helper()
	channels, err := readWAV(path)
	if err != nil {
		t.Fatalf("recording %s: %v", path, err)
	}
	return channels
}

func readWAV(path string) ([][]int16, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	decoder := wav.NewDecoder(file)
	if !decoder.IsValidFile() {
		return nil, fmt.Errorf("not a valid WAV file: %w", decoder.Err())
	}
	if decoder.SampleRate != media.SampleRate || decoder.BitDepth != 16 || decoder.WavAudioFormat != 1 {
		return nil, fmt.Errorf("%d Hz, %d bits, format %d", decoder.SampleRate, decoder.BitDepth, decoder.WavAudioFormat)
	}
	channels := make([][]int16, decoder.NumChans)
	block := &audio.IntBuffer{Data: make([]int, media.SampleRate*len(channels))}
	for {
		n, err := decoder.PCMBuffer(block)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return channels, nil
		}
		for i, value := range block.Data[:n] {
			channels[i%len(channels)] = append(channels[i%len(channels)], int16(value))
		}
	}
}

// Length returns how long the samples last.
func Length(pcm []int16) time.Duration {
	return time.Duration(len(pcm)) * time.Second / media.SampleRate
}

// Sound is a stretch that is not silent.
type Sound struct {
	Start, End int // in samples
}

// Length returns how long it lasts.
func (s Sound) Length() time.Duration {
	return time.Duration(s.End-s.Start) * time.Second / media.SampleRate
}

// Sounds returns the stretches that are not silent, to 5 ms.
func Sounds(pcm []int16) []Sound {
	var sounds []Sound
	within := false
	for start := 0; start < len(pcm); start += window {
		end := min(start+window, len(pcm))
		switch isLoud := peak(pcm[start:end]) > loud; {
		case isLoud && !within:
			sounds = append(sounds, Sound{Start: start, End: end})
			within = true
		case isLoud:
			sounds[len(sounds)-1].End = end
		default:
			within = false
		}
	}
	return sounds
}

func peak(pcm []int16) int {
	highest := 0
	for _, sample := range pcm {
		highest = max(highest, int(sample), -int(sample))
	}
	return highest
}

// Power returns the part of the samples' energy that is at the frequency, from 0 to 1 (Goertzel's algorithm).
func Power(pcm []int16, hz float64) float64 {
	coefficient := 2 * math.Cos(2*math.Pi*hz/media.SampleRate)
	var s1, s2, energy float64
	for _, sample := range pcm {
		x := float64(sample)
		s1, s2 = x+coefficient*s1-s2, s1
		energy += x * x
	}
	if energy == 0 {
		return 0
	}
	return (s1*s1 + s2*s2 - coefficient*s1*s2) * 2 / (energy * float64(len(pcm)))
}

// DominantFrequency returns the frequency with the most energy, in Hz, and its part of the whole, from 0 to 1. It looks at up to half a
// second of the longest stretch of sound; without sound it returns 0.
func DominantFrequency(pcm []int16) (hz, part float64) {
	var longest Sound
	for _, sound := range Sounds(pcm) {
		if sound.End-sound.Start > longest.End-longest.Start {
			longest = sound
		}
	}
	pcm = pcm[longest.Start:min(longest.End, longest.Start+media.SampleRate/2)]
	if len(pcm) == 0 {
		return 0, 0
	}
	step := float64(media.SampleRate) / float64(len(pcm)) / 2
	for at := 50.0; at < media.SampleRate/2-50; at += step {
		if power := Power(pcm, at); power > part {
			hz, part = at, power
		}
	}
	for step > 0.1 {
		step /= 2
		for _, at := range []float64{hz - step, hz + step} {
			if power := Power(pcm, at); power > part {
				hz, part = at, power
			}
		}
	}
	return hz, part
}

// Tones checks that the channels of a recording carry these tones, one each, to 1 %. A frequency of 0 stands for silence.
func Tones(t testing.TB, path string, hz ...float64) {
	t.Helper()
	channels := ReadWAV(t, path)
	if len(channels) != len(hz) {
		t.Fatalf("recording %s has %d channels, want %d", path, len(channels), len(hz))
	}
	for i, want := range hz {
		if got, part := DominantFrequency(channels[i]); math.Abs(got-want) > want/100 || (want > 0 && part < 0.8) {
			t.Errorf("recording %s, channel %d: %.1f Hz with %.0f %% of the energy, want %.1f Hz", path, i, got, part*100, want)
		}
	}
}

// ToneOf returns a clip of a tone that is as long as asked for.
func ToneOf(hz float64, length time.Duration) *media.Clip {
	pcm := make([]int16, int(length*media.SampleRate/time.Second))
	for i := range pcm {
		pcm[i] = int16(math.Round(16000 * math.Sin(2*math.Pi*hz*float64(i)/media.SampleRate)))
	}
	return media.NewClip(fmt.Sprintf("%g Hz for %s", hz, length), pcm)
}
