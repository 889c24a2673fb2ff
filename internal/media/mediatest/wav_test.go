package mediatest_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/media/mediatest"
)

// sine returns a tone between two silences.
func sine(hz float64, before, length, after int) []int16 {
	pcm := make([]int16, before+length+after)
	for i := range length {
		pcm[before+i] = int16(16000 * math.Sin(2*math.Pi*hz*float64(i)/media.SampleRate))
	}
	return pcm
}

func TestDominantFrequency(t *testing.T) {
	t.Parallel()
	for _, hz := range []float64{100, 440, 447.3, 1000, 3400} {
		got, part := mediatest.DominantFrequency(sine(hz, 500, 2400, 3000))
		if math.Abs(got-hz) > 1 || part < 0.98 {
			t.Errorf("%g Hz is taken for %.2f Hz, with %.2f of the energy", hz, got, part)
		}
	}
	if hz, part := mediatest.DominantFrequency(make([]int16, 4000)); hz != 0 || part != 0 {
		t.Errorf("silence is taken for %g Hz (%g)", hz, part)
	}
	noise, random := make([]int16, 4000), rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = int16(random.IntN(20000) - 10000)
	}
	if hz, part := mediatest.DominantFrequency(noise); part > 0.1 {
		t.Errorf("noise is taken for %g Hz (%g)", hz, part)
	}
	if part := mediatest.Power(sine(440, 0, 4000, 0), 1000); part > 0.01 {
		t.Errorf("440 Hz have %g of their energy at 1000 Hz", part)
	}
}

func TestSounds(t *testing.T) {
	t.Parallel()
	pcm := append(sine(440, 800, 1600, 800), sine(1000, 0, 400, 100)...)
	sounds := mediatest.Sounds(pcm)
	if len(sounds) != 2 || sounds[0] != (mediatest.Sound{Start: 800, End: 2400}) || sounds[1] != (mediatest.Sound{Start: 3200, End: 3600}) {
		t.Fatalf("sound at %v", sounds)
	}
	if got := sounds[0].Length(); got != 200*time.Millisecond {
		t.Errorf("the first lasts %s", got)
	}
	if got := mediatest.Length(pcm); got != 462500*time.Microsecond {
		t.Errorf("the whole lasts %s", got)
	}
}
