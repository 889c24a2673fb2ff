package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// Writer writes records, one JSON object per line. Each line goes to the operating system in one write as soon as its call has
// ended, so the file is valid up to the last ended call even when the process is killed. It may be used from any goroutine.
type Writer struct {
	file    recordFile
	onError func(error)

	mu     sync.Mutex
	good   int64 // length of the file up to the last whole line
	lost   uint64
	err    error // the first error
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

// Write appends one record. After an error the next records are tried all the same: a full disk may get room again.
func (w *Writer) Write(r *Record) error {
	line, err := json.Marshal(r)
	if err != nil {
		err = fmt.Errorf("call %s: encode the record: %w", r.CallID, err)
	}
	w.mu.Lock()
	if err == nil {
		err = w.append(append(line, '\n'))
	}
	first := err != nil && w.err == nil
	if err != nil {
		w.lost++
		if first {
			w.err = err
		}
	}
	w.mu.Unlock()
	if first {
		w.onError(err)
	}
	return err
}

// append writes the line, or takes back what was written of it.
func (w *Writer) append(line []byte) error {
	if w.closed {
		return ErrWriterClosed
	}
	n, err := w.file.Write(line)
	if err == nil {
		w.good += int64(n)
		return nil
	}
	err = fmt.Errorf("write %s: %w", w.file.Name(), err)
	if n > 0 {
		if cut := w.file.Truncate(w.good); cut != nil {
			err = errors.Join(err, cut)
		}
		if _, seek := w.file.Seek(w.good, io.SeekStart); seek != nil {
			err = errors.Join(err, seek)
		}
	}
	return err
}

// Close closes the file. It returns the first error of any Write, with the number of records that were lost.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.closed = true
		if err := w.file.Close(); err != nil && w.err == nil {
			w.err = fmt.Errorf("close %s: %w", w.file.Name(), err)
		}
	}
	if w.lost > 0 {
		return fmt.Errorf("%d call records were not written: %w", w.lost, w.err)
	}
	return w.err
}
