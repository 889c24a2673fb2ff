package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/gossipper/gossipper/internal/media"
)

const (
	// minCorrelation is how alike recording and original must be: 1 is identical. G.711 alone costs less than 0.001; 2 % of
	// lost packets cost about 0.01.
	minCorrelation = 0.9
	// surelyFound is the correlation at which the search ends.
	surelyFound = 0.98
	// probeLength is how much of the original is searched for in a recording, in samples.
	probeLength = media.SampleRate / 4
	// maxDelay is how late the original may begin in a recording, maxMissing how much of its beginning may be missing, in samples:
	// the first packets can arrive before the peer has the keys to read them.
	maxDelay   = 3 * media.SampleRate / 2
	maxMissing = media.SampleRate / 5
)

// similarity is how a recording compares with what was sent.
type similarity struct {
	correlation float64       // 1: the same
	delay       time.Duration // of the original's beginning in the recording; negative: so much of it is missing
	length      time.Duration // of what was compared
}

// compareRecording compares a recording with the original, which was sent again and again from its beginning.
func compareRecording(path string, original []int16) (similarity, error) {
	recorded, err := readSamples(path)
	if err != nil {
		return similarity{}, err
	}
	return compare(recorded, original), nil
}

// readSamples returns the samples of a recording of one channel.
func readSamples(path string) ([]int16, error) {
	clip, err := media.LoadClip(os.DirFS(filepath.Dir(path)), filepath.Base(path))
	if err != nil {
		return nil, err
	}
	return samplesOf(clip), nil
}

// samplesOf returns what is heard of a clip when it went through G.711.
func samplesOf(clip *media.Clip) []int16 {
	encoded := clip.Encoded(media.PCMU)
	samples := make([]int16, len(encoded))
	for i, code := range encoded {
		samples[i] = media.PCMU.Decode(code)
	}
	return samples
}

// compare searches for the loudest part of the original's beginning, and compares everything from there on.
func compare(recorded, original []int16) similarity {
	// The part must be in the recording whether that begins too early or too late.
	end := min(len(original), len(recorded)-maxMissing, media.SampleRate)
	if end < maxMissing+probeLength {
		return similarity{}
	}
	at := maxMissing + loudest(original[maxMissing:end])
	probe := original[at : at+probeLength]
	best, delay := -1.0, 0
	for d := -maxMissing; d <= maxDelay && d+at+probeLength <= len(recorded); d++ {
		if c := correlation(recorded[d+at:d+at+probeLength], probe); c > best {
			best, delay = c, d
		}
		if best >= surelyFound {
			break
		}
	}
	heard := recorded[max(delay, 0):]
	expected := make([]int16, len(heard))
	for i := range expected {
		expected[i] = original[(i+max(-delay, 0))%len(original)]
	}
	return similarity{
		correlation: correlation(heard, expected),
		delay:       time.Duration(delay) * time.Second / media.SampleRate,
		length:      time.Duration(len(heard)) * time.Second / media.SampleRate,
	}
}

// loudest returns where the part of probeLength with the most energy begins, to 10 ms.
func loudest(samples []int16) int {
	most, at := -1.0, 0
	for i := 0; i+probeLength <= len(samples); i += media.SampleRate / 100 {
		energy := 0.0
		for _, s := range samples[i : i+probeLength] {
			energy += float64(s) * float64(s)
		}
		if energy > most {
			most, at = energy, i
		}
	}
	return at
}

// correlation returns how alike two signals of the same length are: 1 for the same up to the volume, 0 for unrelated ones.
func correlation(a, b []int16) float64 {
	var ab, aa, bb int64
	for i, x := range a {
		x, y := int64(x), int64(b[i])
		ab += x * y
		aa += x * x
		bb += y * y
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return float64(ab) / math.Sqrt(float64(aa)*float64(bb))
}

// verified counts the recordings that carry the original.
type verified struct {
	good, all int
	worst     float64 // lowest correlation of the good ones
	first     string  // path of the first good one
	problems  []string
}

// check compares one recording. Of its length, at least want must be there.
func (v *verified) check(path string, original []int16, want time.Duration) {
	v.all++
	s, err := compareRecording(path, original)
	switch {
	case err != nil:
		v.problems = append(v.problems, err.Error())
	case s.correlation < minCorrelation:
		v.problems = append(v.problems, fmt.Sprintf("%s: it is not the speech that was sent (correlation %.2f)", path, s.correlation))
	case s.length < want:
		v.problems = append(v.problems, fmt.Sprintf("%s: only %v of at least %v arrived", path, s.length, want))
	default:
		if v.good == 0 || s.correlation < v.worst {
			v.worst = s.correlation
		}
		if v.good == 0 {
			v.first = path
		}
		v.good++
	}
}
