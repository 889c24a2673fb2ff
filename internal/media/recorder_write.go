package media

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"time"
)

// run is the goroutine that writes a recording.
func (r *Recorder) run() {
	defer close(r.ended)
	select {
	case <-r.start:
	case <-r.done:
		select {
		case <-r.start: // both: there is something to write
		default:
			return
		}
	}
	file, err := createWAV(r.path, r.channels)
	if err != nil {
		r.fail(err)
		<-r.done
		return
	}
	r.mu.Lock()
	r.opened = true
	r.mu.Unlock()
	r.fail(r.writeUntilDone(file))
	if err := file.close(); err != nil {
		r.fail(err)
	}
}

func (r *Recorder) writeUntilDone(file *wavFile) error {
	ticker := time.NewTicker(flushInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := r.flush(file, recorderLag); err != nil {
				r.fail(err) // now, so that nothing piles up
				<-r.done
				return err
			}
		case <-r.done:
			if err := r.flush(file, 0); err != nil {
				return err
			}
			return r.complaint()
		}
	}
}

// flush writes everything but the last frames.
func (r *Recorder) flush(file *wavFile, lag int) error {
	r.mu.Lock()
	r.seal(len(r.canvas)/r.channels - lag)
	segments := r.sealed
	r.sealed, r.pending = nil, 0
	r.mu.Unlock()
	for _, segment := range segments {
		if err := file.writeAt(segment.position, segment.samples); err != nil {
			return err
		}
	}
	if len(segments) == 0 {
		return nil
	}
	return file.writeHeader()
}

func (r *Recorder) complaint() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dropped == 0 {
		return nil
	}
	return fmt.Errorf("recording %s is incomplete: the disk was too slow for %d ms of it",
		r.path, r.dropped*1000/SampleRate)
}

// fail keeps the first error; what comes afterwards is not recorded.
func (r *Recorder) fail(err error) {
	if err == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
	r.closed = true
	r.canvas, r.sealed = nil, nil
}

const (
	wavHeaderSize = 44
	// maxWAVData is the longest audio whose size fits the 32 bits that a WAV file has for it.
	maxWAVData = math.MaxUint32 - wavHeaderSize
)

// wavFile is a WAV file whose header is true after every writeHeader, which an encoder that completes it at the end cannot offer.
type wavFile struct {
	file     *os.File
	channels int
	size     int64 // of the audio
	buffer   []byte
}

func createWAV(path string, channels int) (*wavFile, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("cannot record: %w", err)
	}
	wav := &wavFile{file: file, channels: channels}
	if err := wav.writeHeader(); err != nil {
		_ = file.Close() // the first error counts
		return nil, err
	}
	return wav, nil
}

// writeAt writes frames; what lies between them and what was written before reads as silence.
func (w *wavFile) writeAt(position int64, samples []int16) error {
	w.buffer = w.buffer[:0]
	for _, sample := range samples {
		w.buffer = binary.LittleEndian.AppendUint16(w.buffer, uint16(sample))
	}
	at := position * int64(2*w.channels)
	if _, err := w.file.WriteAt(w.buffer, wavHeaderSize+at); err != nil {
		return fmt.Errorf("recording stopped: %w", err)
	}
	w.size = max(w.size, at+int64(len(w.buffer)))
	return nil
}

// writeHeader writes the RIFF, fmt and data headers with the present size.
func (w *wavFile) writeHeader() error {
	frame := uint16(2 * w.channels)
	header := make([]byte, 0, wavHeaderSize)
	header = append(header, "RIFF"...)
	header = binary.LittleEndian.AppendUint32(header, uint32(w.size+wavHeaderSize-8))
	header = append(header, "WAVEfmt "...)
	header = binary.LittleEndian.AppendUint32(header, 16)
	header = binary.LittleEndian.AppendUint16(header, wavPCM)
	header = binary.LittleEndian.AppendUint16(header, uint16(w.channels))
	header = binary.LittleEndian.AppendUint32(header, SampleRate)
	header = binary.LittleEndian.AppendUint32(header, SampleRate*uint32(frame))
	header = binary.LittleEndian.AppendUint16(header, frame)
	header = binary.LittleEndian.AppendUint16(header, 16)
	header = append(header, "data"...)
	header = binary.LittleEndian.AppendUint32(header, uint32(w.size))
	if _, err := w.file.WriteAt(header, 0); err != nil {
		return fmt.Errorf("recording stopped: %w", err)
	}
	return nil
}

func (w *wavFile) close() error {
	if err := w.file.Close(); err != nil {
		return fmt.Errorf("completing a recording: %w", err)
	}
	return nil
}
