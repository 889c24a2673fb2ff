package mediatest

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/media"
)

const (
	patience  = 20 * time.Second // for what should take milliseconds
	tolerance = 40 * time.Millisecond

	callerTone = 440.0
	calleeTone = 1000.0
)

// Pair makes the two sides of a call that can reach each other. The suite closes them.
type Pair func(t *testing.T) (caller, callee media.MediaPipeline)

// Conformance checks that a MediaPipeline does what its interface promises. It runs its tests in parallel, each with a pair of its own.
func Conformance(t *testing.T, name string, pair Pair) {
	t.Helper()
	tests := []struct {
		name string
		run  func(*testing.T, *call)
	}{
		{"offer and answer can be repeated", testRepetition},
		{"audio of the caller arrives whole", func(t *testing.T, c *call) { testAudio(t, c, c.caller, c.callee, callerTone) }},
		{"audio of the callee arrives whole", func(t *testing.T, c *call) { testAudio(t, c, c.callee, c.caller, calleeTone) }},
		{"a clip is looped without a seam", testLoop},
		{"a clip can be paused, resumed and stopped", testPause},
		{"stereo has the caller left and the callee right", testStereo},
		{"a recording can be stopped before the call", testStopRecording},
		{"wrong use is refused", testWrongUse},
		{"what the kind of media allows", testKind},
		{"closing ends everything", testClose},
	}
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				caller, callee := pair(t)
				c := &call{caller: caller, callee: callee}
				t.Cleanup(func() {
					c.close(t, caller)
					c.close(t, callee)
				})
				test.run(t, c)
			})
		}
	})
}

// call is a pair under test.
type call struct {
	caller, callee media.MediaPipeline
	offer, answer  []byte
}

func (c *call) connect(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var err error
	if c.offer, err = c.caller.CreateOffer(ctx); err != nil {
		t.Fatalf("CreateOffer: %v", err)
	}
	if c.answer, err = c.callee.Answer(ctx, c.offer); err != nil {
		t.Fatalf("Answer: %v\nto\n%s", err, c.offer)
	}
	if err := c.caller.AcceptAnswer(ctx, c.answer); err != nil {
		t.Fatalf("AcceptAnswer: %v\nof\n%s", err, c.answer)
	}
}

func (c *call) close(t *testing.T, pipeline media.MediaPipeline) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := pipeline.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// waitUntil waits until the condition holds.
func waitUntil(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for !condition() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			t.Fatalf("waited %s in vain until %s", patience, what)
		}
	}
}

// waitSent waits until the pipeline has sent more packets.
func waitSent(t *testing.T, pipeline media.MediaPipeline, more uint64) {
	t.Helper()
	want := pipeline.Stats().PacketsSent + more
	waitUntil(t, "more packets were sent", func() bool { return pipeline.Stats().PacketsSent >= want })
}

// hangUp closes the sender and waits until the receiver has everything that was sent.
func (c *call) hangUp(t *testing.T, sender, receiver media.MediaPipeline) {
	t.Helper()
	c.close(t, sender)
	sent := sender.Stats().PacketsSent
	waitUntil(t, "all that was sent had arrived", func() bool { return receiver.Stats().PacketsReceived >= sent })
	c.close(t, receiver)
}

func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func testRepetition(t *testing.T, c *call) {
	c.connect(t)
	answer, err := c.callee.Answer(t.Context(), c.offer)
	must(t, "Answer of the same offer", err)
	if !bytes.Equal(answer, c.answer) {
		t.Errorf("the same offer is answered differently:\n%s\nat first:\n%s", answer, c.answer)
	}
	must(t, "AcceptAnswer of the same answer", c.caller.AcceptAnswer(t.Context(), c.answer))
	for _, pipeline := range []media.MediaPipeline{c.caller, c.callee} {
		waitUntil(t, "both sides heard each other", func() bool { return pipeline.Stats().PacketsReceived > 0 })
		stats := pipeline.Stats()
		if stats.ConnectedAt.IsZero() || stats.FirstRTPAt.IsZero() || stats.Kind != pipeline.Kind() {
			t.Errorf("connected at %v, first RTP at %v, kind %v of %v", stats.ConnectedAt, stats.FirstRTPAt, stats.Kind, pipeline.Kind())
		}
	}
	if caller, callee := c.caller.Stats().Codec, c.callee.Stats().Codec; caller != callee || (caller != "PCMU" && caller != "PCMA") {
		t.Errorf("the caller has codec %q, the callee %q", caller, callee)
	}
}

// testAudio plays before the path is up: nothing of the clip may be lost.
func testAudio(t *testing.T, c *call, sender, receiver media.MediaPipeline, tone float64) {
	const length = 300 * time.Millisecond
	path := filepath.Join(t.TempDir(), "received.wav")
	must(t, "StartRecording", receiver.StartRecording(media.RecordOptions{Path: path}))
	must(t, "Play", sender.Play(ToneOf(tone, length), 1))
	if stats := receiver.Stats(); stats.FractionLost != nil || stats.JitterMS != nil || stats.RemoteFractionLost != nil {
		t.Errorf("figures before there was a packet: %+v", stats)
	}
	c.connect(t)
	waitSent(t, sender, 25)
	c.hangUp(t, sender, receiver)

	sent, received := sender.Stats(), receiver.Stats()
	if sent.PacketsSent != received.PacketsReceived || sent.BytesSent != received.BytesReceived || received.PacketsLost != 0 {
		t.Errorf("sent %d packets (%d bytes), received %d (%d), lost %d",
			sent.PacketsSent, sent.BytesSent, received.PacketsReceived, received.BytesReceived, received.PacketsLost)
	}
	// A busy machine makes jitter; what is certainly wrong is none at all, or a figure in another unit.
	if received.FractionLost == nil || *received.FractionLost != 0 || received.JitterMS == nil || *received.JitterMS < 0 || *received.JitterMS > 1000 {
		t.Errorf("loss and jitter are missing or wrong: %+v", received)
	}
	checkRecording(t, received, path, tone, length)
}

// checkRecording checks that the recording holds every packet, and the tone in one piece.
func checkRecording(t *testing.T, received media.Stats, path string, tone float64, length time.Duration) {
	t.Helper()
	if received.Recording != path {
		t.Errorf("the recording is said to be %q, want %q", received.Recording, path)
	}
	Tones(t, path, tone)
	pcm := ReadWAV(t, path)[0]
	if want := time.Duration(received.PacketsReceived) * 20 * time.Millisecond; !near(Length(pcm), want) {
		t.Errorf("the recording lasts %s, want %s", Length(pcm), want)
	}
	if sounds := Sounds(pcm); len(sounds) != 1 || !near(sounds[0].Length(), length) {
		t.Errorf("the tone was heard at %v, want %s of it in one piece", sounds, length)
	}
}

func near(got, want time.Duration) bool { return got-want <= tolerance && want-got <= tolerance }

func testLoop(t *testing.T, c *call) {
	path := filepath.Join(t.TempDir(), "received.wav")
	must(t, "StartRecording", c.callee.StartRecording(media.RecordOptions{Path: path}))
	c.connect(t)
	// 90 ms are not a whole number of packets, but of periods.
	must(t, "Play", c.caller.Play(ToneOf(callerTone*100/99, 90*time.Millisecond), 3))
	waitSent(t, c.caller, 20)
	c.hangUp(t, c.caller, c.callee)
	Tones(t, path, callerTone*100/99)
	if sounds := Sounds(ReadWAV(t, path)[0]); len(sounds) != 1 || !near(sounds[0].Length(), 270*time.Millisecond) {
		t.Errorf("the tone was heard at %v, want 270 ms of it in one piece", sounds)
	}
}

func testPause(t *testing.T, c *call) {
	path := filepath.Join(t.TempDir(), "received.wav")
	must(t, "StartRecording", c.callee.StartRecording(media.RecordOptions{Path: path}))
	for name, method := range map[string]func() error{"Pause": c.caller.Pause, "Resume": c.caller.Resume, "Stop": c.caller.Stop} {
		must(t, name+" without a clip", method())
	}
	c.connect(t)
	must(t, "Play", c.caller.Play(ToneOf(callerTone, 500*time.Millisecond), -1))
	waitSent(t, c.caller, 10)
	must(t, "Pause", c.caller.Pause())
	waitSent(t, c.caller, 8)
	must(t, "Resume", c.caller.Resume())
	waitSent(t, c.caller, 6)
	must(t, "Stop", c.caller.Stop())
	waitSent(t, c.caller, 8)
	must(t, "Resume after Stop", c.caller.Resume())
	waitSent(t, c.caller, 3)
	c.hangUp(t, c.caller, c.callee)
	sounds := Sounds(ReadWAV(t, path)[0])
	if len(sounds) != 2 {
		t.Fatalf("sound was heard at %v, want two pieces", sounds)
	}
	pause := time.Duration(sounds[1].Start-sounds[0].End) * time.Second / media.SampleRate
	for _, length := range []struct {
		what      string
		got, want time.Duration
	}{
		{"first piece", sounds[0].Length(), 200 * time.Millisecond},
		{"pause", pause, 160 * time.Millisecond},
		{"second piece", sounds[1].Length(), 120 * time.Millisecond},
	} {
		// The machine may be busy between a packet and the call of a method: only too short is certainly wrong.
		if length.got < length.want-tolerance {
			t.Errorf("the %s lasts %s, want %s", length.what, length.got, length.want)
		}
	}
}

// testStereo records on both sides. The network in between takes no time, so both files must tell the same story.
func testStereo(t *testing.T, c *call) {
	atCaller, atCallee := filepath.Join(t.TempDir(), "caller.wav"), filepath.Join(t.TempDir(), "callee.wav")
	must(t, "StartRecording", c.caller.StartRecording(media.RecordOptions{Path: atCaller, Stereo: true, Caller: true}))
	must(t, "StartRecording", c.callee.StartRecording(media.RecordOptions{Path: atCallee, Stereo: true}))
	c.connect(t)
	waitUntil(t, "both sides heard each other", func() bool {
		return c.caller.Stats().PacketsReceived > 0 && c.callee.Stats().PacketsReceived > 0
	})
	must(t, "Play", c.caller.Play(ToneOf(callerTone, 200*time.Millisecond), 1))
	waitSent(t, c.caller, 5)
	must(t, "Play", c.callee.Play(ToneOf(calleeTone, 200*time.Millisecond), 1))
	waitSent(t, c.callee, 15)
	c.close(t, c.caller)
	c.close(t, c.callee)
	var skew [2]int
	for i, path := range []string{atCaller, atCallee} {
		Tones(t, path, callerTone, calleeTone)
		channels := ReadWAV(t, path)
		left, right := Sounds(channels[0]), Sounds(channels[1])
		if len(left) != 1 || len(right) != 1 {
			t.Fatalf("%s: sound left at %v, right at %v; want one piece each", path, left, right)
		}
		skew[i] = right[0].Start - left[0].Start
	}
	// 20 ms are allowed on a quiet machine, as the tests of the recorder show; on a busy one a packet may be handled late.
	const most = 3*media.SampleRate/50 + 2*window
	if difference := skew[0] - skew[1]; difference > most || difference < -most {
		t.Errorf("the callee's tone starts %d samples after the caller's in one file, %d in the other", skew[0], skew[1])
	}
}

func testStopRecording(t *testing.T, c *call) {
	path := filepath.Join(t.TempDir(), "received.wav")
	must(t, "StopRecording without a recording", c.callee.StopRecording())
	must(t, "StartRecording", c.callee.StartRecording(media.RecordOptions{Path: path}))
	if err := c.callee.StartRecording(media.RecordOptions{Path: path + "2"}); err == nil {
		t.Error("a second recording was started beside the first")
	}
	must(t, "Play", c.caller.Play(ToneOf(callerTone, time.Second), -1))
	c.connect(t)
	waitUntil(t, "something was received", func() bool { return c.callee.Stats().PacketsReceived >= 10 })
	must(t, "StopRecording", c.callee.StopRecording())
	Tones(t, path, callerTone)
	if got := c.callee.Stats().Recording; got != path {
		t.Errorf("the recording is said to be %q, want %q", got, path)
	}
}

func testWrongUse(t *testing.T, c *call) {
	if err := c.caller.Play(nil, 1); err == nil {
		t.Error("playing nothing is no error")
	}
	if err := c.caller.Play(media.SilenceClip(), 0); err == nil {
		t.Error("playing 0 times is no error")
	}
	if err := c.caller.StartRecording(media.RecordOptions{Path: filepath.Join(t.TempDir(), "missing", "x.wav")}); err == nil {
		t.Error("recording into a directory that is not there is no error")
	}
	if err := c.caller.AcceptAnswer(t.Context(), []byte("v=0\r\n")); err == nil {
		t.Error("an answer without an offer is no error")
	}
	if _, err := c.callee.Answer(t.Context(), []byte("not SDP")); err == nil {
		t.Error("an offer that is no SDP is no error")
	}
}

func testKind(t *testing.T, c *call) {
	endpoint, err := c.caller.LocalEndpoint()
	switch c.caller.Kind() {
	case media.KindWebRTC:
		if !errors.Is(err, media.ErrUnsupportedOverWebRTC) {
			t.Errorf("LocalEndpoint: %v", err)
		}
		if err := c.caller.SetRemote([]byte("v=0\r\n")); !errors.Is(err, media.ErrUnsupportedOverWebRTC) {
			t.Errorf("SetRemote: %v", err)
		}
	case media.KindRTP:
		if err != nil || !endpoint.IsValid() || endpoint.Port() == 0 {
			t.Errorf("LocalEndpoint: %v, %v", endpoint, err)
		}
	default:
		t.Errorf("the kind is %v", c.caller.Kind())
	}
}

func testClose(t *testing.T, c *call) {
	path := filepath.Join(t.TempDir(), "received.wav")
	must(t, "StartRecording", c.callee.StartRecording(media.RecordOptions{Path: path}))
	must(t, "Play", c.caller.Play(ToneOf(callerTone, time.Second), -1))
	c.connect(t)
	waitUntil(t, "something was received", func() bool { return c.callee.Stats().PacketsReceived >= 10 })
	c.close(t, c.callee)
	stats := c.callee.Stats()
	c.close(t, c.callee)
	if after := c.callee.Stats(); !reflect.DeepEqual(after, stats) {
		t.Errorf("the figures changed after Close:\n%+v\n%+v", stats, after)
	}
	if stats.PacketsReceived < 10 || stats.Recording != path {
		t.Errorf("figures after Close: %+v", stats)
	}
	Tones(t, path, callerTone)
	for name, err := range closedErrors(t, c.callee) {
		if !errors.Is(err, media.ErrClosed) {
			t.Errorf("%s after Close: %v, want ErrClosed", name, err)
		}
	}
}

func closedErrors(t *testing.T, p media.MediaPipeline) map[string]error {
	_, offer := p.CreateOffer(t.Context())
	_, answer := p.Answer(t.Context(), []byte("v=0\r\n"))
	_, endpoint := p.LocalEndpoint()
	results := map[string]error{
		"CreateOffer": offer, "Answer": answer, "AcceptAnswer": p.AcceptAnswer(t.Context(), []byte("v=0\r\n")),
		"Play": p.Play(media.SilenceClip(), 1), "Pause": p.Pause(), "Resume": p.Resume(), "Stop": p.Stop(),
		"StartRecording": p.StartRecording(media.RecordOptions{Path: filepath.Join(t.TempDir(), "x.wav")}), "StopRecording": p.StopRecording(),
	}
	if p.Kind() == media.KindRTP {
		results["LocalEndpoint"], results["SetRemote"] = endpoint, p.SetRemote([]byte("v=0\r\n"))
	}
	return results
}
