package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/scenarios"
)

func TestDemo(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "demo")
	// The user's own settings must not reach the demo.
	p := launchWith(t, []string{"GOSSIPPER_LOAD_CALLS=7", "GOSSIPPER_LOAD_RATE=nonsense"},
		"demo", "--calls", "4", "--rate", "20", "--hold", "2s", "--out", dir, "--progress", "plain")
	p.end(t, ExitOK)
	said := p.stdout.String()
	for _, want := range []string{"PASSED  all 4 calls succeeded", "8 of 8 recordings", "Listen to one: " + filepath.Join(dir, "uac", "recordings", "uac-000001-")} {
		if !strings.Contains(said, want) {
			t.Errorf("the demo did not say %q:\n%s", want, said)
		}
	}
	for _, role := range []string{"uac", "uas"} {
		s := &side{p, filepath.Join(dir, role)}
		for _, r := range s.records(t) {
			if r.Role != role || r.WebRTC == nil || r.Recording == nil {
				t.Errorf("%s call %d: role %s, WebRTC %v, recording %v", role, r.CallNumber, r.Role, r.WebRTC != nil, r.Recording)
			}
		}
		if summary := s.summary(t); summary.Calls.OK != 4 || summary.WebRTC == nil || summary.WebRTC.Connected != 4 {
			t.Errorf("%s: %+v, WebRTC %+v", role, summary.Calls, summary.WebRTC)
		}
	}
	// The same recordings no longer pass when one of them is another sound, and one is cut.
	recordings, err := filepath.Glob(filepath.Join(dir, "uac", "recordings", "uac-00000?-*.wav"))
	if err != nil || len(recordings) != 4 {
		t.Fatalf("recordings %q, %v; want 4", recordings, err)
	}
	if err := os.Truncate(recordings[0], 16000); err != nil {
		t.Fatal(err)
	}
	other := recordings[1]
	header, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	noise := rand.New(rand.NewPCG(1, 2))
	for i := 44; i < len(header); i++ {
		header[i] = byte(noise.Uint32())
	}
	if err := os.WriteFile(other, header, 0o600); err != nil {
		t.Fatal(err)
	}
	result, err := verifyDemo(dir, 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if result.good != 6 || result.all != 8 || len(result.problems) != 2 {
		t.Errorf("%d of %d are good, problems %q; want 6 of 8", result.good, result.all, result.problems)
	}
}

func TestDemoThatIsInterrupted(t *testing.T) {
	t.Parallel()
	p := launch(t, "demo", "--calls", "500", "--rate", "5", "--hold", "1s", "--out", filepath.Join(t.TempDir(), "demo"), "--progress", "tty")
	p.stderr.wait(t, p, "ok 1")
	p.signals <- os.Interrupt
	p.end(t, ExitOK)
	if said := p.stdout.String(); !strings.Contains(said, "PASSED") || strings.Contains(said, "500 ok") {
		t.Errorf("the demo said\n%s", said)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	clip, err := media.LoadClip(scenarios.FS, speechFile)
	if err != nil {
		t.Fatal(err)
	}
	speech := samplesOf(clip)
	twice := append(append([]int16{}, speech...), speech...)
	noise := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct {
		name     string
		recorded func() []int16
		least    float64
		most     float64
		delay    time.Duration // anything: an hour
	}{
		{"the same", func() []int16 { return twice[:5*media.SampleRate] }, 0.9999, 1, 0},
		{"beyond its end, from the beginning again", func() []int16 { return twice }, 0.9999, 1, 0},
		{"half as loud", func() []int16 { return each(speech, func(_ int, s int16) int16 { return s / 2 }) }, 0.999, 1, 0},
		{"late", func() []int16 { return append(make([]int16, 1234), speech...) }, 0.9999, 1, 1234 * time.Second / media.SampleRate},
		{"without its first packets", func() []int16 { return speech[480:] }, 0.9999, 1, -60 * time.Millisecond},
		{"one packet in fifty lost", func() []int16 {
			return each(speech, func(i int, s int16) int16 {
				if i/160%50 == 20 {
					return 0
				}
				return s
			})
		}, 0.95, 0.9999, 0},
		{"noise", func() []int16 { return each(speech, func(int, int16) int16 { return int16(noise.Uint32()) }) }, -1, 0.2, time.Hour},
		{"silence", func() []int16 { return make([]int16, len(speech)) }, 0, 0, time.Hour},
		{"from the middle", func() []int16 { return speech[len(speech)/2:] }, -1, 0.5, time.Hour},
		{"played too fast", func() []int16 {
			fast := make([]int16, len(speech)/2)
			for i := range fast {
				fast[i] = speech[2*i]
			}
			return fast
		}, -1, 0.5, time.Hour},
		{"nothing", func() []int16 { return nil }, 0, 0, time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := compare(c.recorded(), speech)
			if got.correlation < c.least || got.correlation > c.most+1e-9 || c.delay != time.Hour && got.delay != c.delay {
				t.Errorf("correlation %.4f after %v, want %.4f to %.4f after %v", got.correlation, got.delay, c.least, c.most, c.delay)
			}
		})
	}
}

func each(samples []int16, change func(int, int16) int16) []int16 {
	changed := make([]int16, len(samples))
	for i, s := range samples {
		changed[i] = change(i, s)
	}
	return changed
}
