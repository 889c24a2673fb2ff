package media

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

const (
	// flushInterval is how often a recording goes to its file, so that little is lost if the process is killed.
	flushInterval = time.Second
	// recorderLag is how much of the end stays in memory, where late packets still find their place, in samples.
	recorderLag = SampleRate / 2
	// maxDeviation is how far a packet's timestamp may be from its arrival, in samples. Beyond it the arrival decides: a
	// sender's clock that leaps by an hour must not add an hour of silence. It is more than a Pacer makes up for after a stall.
	maxDeviation = 6 * SampleRate
	// maxHole is the longest gap that is filled in memory, in samples; a longer one becomes a hole in the file, which reads as silence.
	maxHole = SampleRate
	// maxPending is how much waits for a disk that does not respond, in samples of one channel.
	maxPending = 60 * SampleRate
)

// Recorder writes the audio of a call to a WAV file: 8 kHz, 16-bit, what is received in one channel, or in two what is received
// and what is sent, the caller left. Each packet is placed by its RTP timestamp, counted from where the first packet of its
// direction arrived or left: gaps are silent, packets out of order are put in order, duplicates make no difference.
//
// A goroutine of its own writes about once a second and keeps the header true, so that the file can be played even if the process
// is killed. Taking a packet never waits for the disk: it would make the network look worse than it is, or delay what other calls
// send. If the disk does not keep up for a minute, audio is left out, and Close says so.
type Recorder struct {
	path               string
	channels           int
	received, sent     int // the channels of the two directions
	start, done, ended chan struct{}
	once               sync.Once

	mu      sync.Mutex
	begun   bool
	closed  bool
	origin  time.Time // of the first packet
	tracks  [2]recorderTrack
	base    int64   // frames before canvas
	canvas  []int16 // what may still change, interleaved
	sealed  []recorderSegment
	pending int // samples in sealed
	dropped int // samples left out
	opened  bool
	err     error
}

// recorderTrack places the packets of one direction.
type recorderTrack struct {
	begun     bool
	timestamp uint32 // of the last packet placed
	position  int64  // of it, in frames
}

// recorderSegment is audio that will not change any more.
type recorderSegment struct {
	position int64
	samples  []int16
}

// NewRecorder prepares a recording. The file is made when the first packet comes, so that a call without audio leaves none; its
// directory must exist.
func NewRecorder(o RecordOptions) (*Recorder, error) {
	if o.Path == "" {
		return nil, errors.New("no file named to record to")
	}
	directory := filepath.Dir(o.Path)
	if info, err := os.Stat(directory); err != nil {
		return nil, fmt.Errorf("recording to %s: %w", o.Path, err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("recording to %s: %s is not a directory", o.Path, directory)
	}
	r := &Recorder{
		path: o.Path, channels: 1,
		start: make(chan struct{}), done: make(chan struct{}), ended: make(chan struct{}),
	}
	if o.Stereo {
		r.channels = 2
		if o.Caller {
			r.received = 1
		} else {
			r.sent = 1
		}
	}
	go r.run()
	return r, nil
}

// Received takes a payload that arrived.
func (r *Recorder) Received(codec Codec, payload []byte, timestamp uint32, at time.Time) {
	r.take(r.received, codec, payload, timestamp, at)
}

// Sent takes a payload that was sent. It is left out unless the recording is stereo.
func (r *Recorder) Sent(codec Codec, payload []byte, timestamp uint32, at time.Time) {
	if r.channels == 2 {
		r.take(r.sent, codec, payload, timestamp, at)
	}
}

func (r *Recorder) take(channel int, codec Codec, payload []byte, timestamp uint32, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || len(payload) == 0 {
		return
	}
	if !r.begun {
		r.begun, r.origin = true, at
		close(r.start)
	}
	elapsed := int64(at.Sub(r.origin) * SampleRate / time.Second)
	position := r.tracks[channel].place(timestamp, max(elapsed, 0))
	r.makeRoom(position, len(payload))
	r.put(channel, codec, payload, position-r.base)
}

// put writes the payload to the canvas, from a frame that may lie before it.
func (r *Recorder) put(channel int, codec Codec, payload []byte, frame int64) {
	if frame < 0 { // it is too late for its place
		payload = payload[min(-frame, int64(len(payload))):]
		frame = 0
	}
	if room := max(int64(len(r.canvas)/r.channels)-frame, 0); int64(len(payload)) > room {
		r.dropped += len(payload) - int(room)
		payload = payload[:room]
	}
	at := int(frame)*r.channels + channel
	for _, code := range payload {
		r.canvas[at] = codec.Decode(code)
		at += r.channels
	}
}

// place returns where the packet belongs.
func (t *recorderTrack) place(timestamp uint32, elapsed int64) int64 {
	if !t.begun {
		t.begun, t.timestamp, t.position = true, timestamp, elapsed
		return elapsed
	}
	position := t.position + int64(int32(timestamp-t.timestamp))
	if deviation := position - elapsed; deviation > maxDeviation || deviation < -maxDeviation {
		position = elapsed
	} else if position < t.position {
		return position // out of order: the latest packet stays the reference
	}
	t.timestamp, t.position = timestamp, position
	return position
}

// makeRoom extends the canvas so that it holds the packet, unless too much is waiting for the disk.
func (r *Recorder) makeRoom(position int64, samples int) {
	end := r.base + int64(len(r.canvas)/r.channels)
	if position > end+maxHole {
		r.seal(len(r.canvas) / r.channels)
		r.base = position - recorderLag
		end = r.base
	}
	grow := position + int64(samples) - end
	if grow <= 0 || r.pending+len(r.canvas) > maxPending*r.channels || position+int64(samples) > r.maxFrames() {
		return
	}
	old, more := len(r.canvas), int(grow)*r.channels
	r.canvas = slices.Grow(r.canvas, more)[:old+more]
	clear(r.canvas[old:])
}

// maxFrames is what the sizes in a WAV header can express.
func (r *Recorder) maxFrames() int64 { return maxWAVData / int64(2*r.channels) }

// seal hands the first frames of the canvas to the writer.
func (r *Recorder) seal(frames int) {
	samples := frames * r.channels
	if samples <= 0 {
		return
	}
	segment := recorderSegment{position: r.base, samples: append([]int16(nil), r.canvas[:samples]...)}
	r.sealed = append(r.sealed, segment)
	r.pending += samples
	r.canvas = r.canvas[:copy(r.canvas, r.canvas[samples:])]
	r.base += int64(frames)
}

// Path returns the path of the file, or nothing if no packet came or the file could not be written.
func (r *Recorder) Path() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.opened {
		return ""
	}
	return r.path
}

// Close writes what is left and completes the file. It returns what went wrong while writing, now or before. It can be called again.
func (r *Recorder) Close() error {
	r.once.Do(func() {
		r.mu.Lock()
		r.closed = true
		r.mu.Unlock()
		close(r.done)
	})
	<-r.ended
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}
