package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

const (
	// queueTime is how long a queued record may wait for others, so that one write takes many.
	queueTime = 20 * time.Millisecond
	// queueSize is how many bytes of queued records are written without waiting any longer.
	queueSize = 64 << 10
)

// Writer writes records, one JSON object per line. Lines go to the operating system whole, and soon after their calls have ended: the
// file is valid up to the last ended calls even when the process is killed. It may be used from any goroutine.
type Writer struct {
	file    recordFile
	onError func(error)

	mu     sync.Mutex
	queued []byte      // whole lines that are to be written
	timer  *time.Timer // writes what is queued
	armed  bool
	good   int64 // length of the file up to the last whole line
	lost   uint64
	err    error // the first error
	told   bool  // onError knows it
	closed bool
}

// recordFile is what a Writer needs of an *os.File.
type recordFile interface {
	io.WriteCloser
	io.Seeker
	Truncate(size int64) error
	Name() string
}

// ErrWriterClosed is returned for a record that came after Close.
var ErrWriterClosed = errors.New("the call records are closed")

// NewWriter creates the file; there must be none of that name. onError is told once, of the first record that could not be
// written; it may be nil.
func NewWriter(path string, onError func(error)) (*Writer, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, fmt.Errorf("create the call records: %w", err)
	}
	return newWriter(file, onError), nil
}

func newWriter(file recordFile, onError func(error)) *Writer {
	if onError == nil {
		onError = func(error) {}
	}
	return &Writer{file: file, onError: onError}
}

// Write appends one record and has it, with all that are queued, in the file when it returns. After an error the next records are
// tried all the same: a full disk may get room again.
func (w *Writer) Write(r *Record) error { return w.add(r, true) }

// Queue appends one record, which is in the file at most 20 ms later. At thousands of calls a second, one write so takes the records
// of many calls. Errors are told to onError and returned by Close. The record can be used again at once.
func (w *Writer) Queue(r *Record) { _ = w.add(r, false) }

func (w *Writer) add(r *Record, now bool) error {
	w.mu.Lock()
	defer w.unlock()
	if w.closed {
		return w.lose(1, ErrWriterClosed)
	}
	before := len(w.queued)
	line, err := r.appendJSON(w.queued)
	if err != nil {
		return w.lose(1, fmt.Errorf("call %s: encode the record: %w", r.CallID, err))
	}
	w.queued = append(line, '\n')
	if now || len(w.queued) >= queueSize {
		return w.flush()
	}
	if before == 0 && !w.armed {
		w.arm()
	}
	return nil
}

// arm has what is queued written before long.
func (w *Writer) arm() {
	w.armed = true
	if w.timer == nil {
		w.timer = time.AfterFunc(queueTime, w.due)
		return
	}
	w.timer.Reset(queueTime)
}

// due is called by the timer.
func (w *Writer) due() {
	w.mu.Lock()
	defer w.unlock()
	w.armed = false
	if !w.closed {
		_ = w.flush()
	}
}

// flush writes what is queued, or takes back what was written of the first line that did not fit.
func (w *Writer) flush() error {
	lines := w.queued
	w.queued = lines[:0]
	if len(lines) == 0 {
		return nil
	}
	n, err := w.file.Write(lines)
	if err == nil {
		w.good += int64(n)
		return nil
	}
	err = fmt.Errorf("write %s: %w", w.file.Name(), cause(err))
	whole := bytes.LastIndexByte(lines[:n], '\n') + 1
	w.good += int64(whole)
	if n > whole {
		if cut := w.file.Truncate(w.good); cut != nil {
			err = errors.Join(err, cut)
		}
		if _, seek := w.file.Seek(w.good, io.SeekStart); seek != nil {
			err = errors.Join(err, seek)
		}
	}
	return w.lose(bytes.Count(lines[whole:], []byte{'\n'}), err)
}

// lose counts records that were not written, and returns why.
func (w *Writer) lose(records int, why error) error {
	w.lost += uint64(records)
	if w.err == nil {
		w.err = why
	}
	return why
}

// unlock gives up the lock, and then passes on the first error.
func (w *Writer) unlock() {
	var first error
	if !w.told && w.err != nil {
		first, w.told = w.err, true
	}
	w.mu.Unlock()
	if first != nil {
		w.onError(first)
	}
}

// Lost returns how many records were not written. It is final after Close.
func (w *Writer) Lost() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost
}

// Close writes what is queued and closes the file. It returns the first error of any record, with the number of those that were lost.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		_ = w.flush()
		w.closed = true
		if w.timer != nil {
			w.timer.Stop()
		}
		if err := w.file.Close(); err != nil && w.err == nil {
			w.err = fmt.Errorf("close %s: %w", w.file.Name(), cause(err))
		}
	}
	w.told = w.err != nil // by what Close returns
	if w.lost > 0 {
		return fmt.Errorf("%d call records were not written: %w", w.lost, w.err)
	}
	return w.err
}
