package record

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gossipper/gossipper/internal/schematest"
)

func readAll(t *testing.T, path string) []*Record {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []*Record
	if err := Read(file, func(r *Record) error { all = append(all, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWriterWritesEachRecordAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "call_records.jsonl")
	var told []error
	w, err := NewWriter(path, func(err error) { told = append(told, err) })
	if err != nil {
		t.Fatal(err)
	}
	for n := uint64(1); n <= 3; n++ {
		r := full()
		r.CallNumber = n
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
		// Not closed: what a kill would leave behind.
		got := readAll(t, path)
		if len(got) != int(n) || got[n-1].CallNumber != n {
			t.Fatalf("after %d calls the file has %d records", n, len(got))
		}
	}
	for range 2 {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Write(minimal()); !errors.Is(err, ErrWriterClosed) {
		t.Errorf("Write after Close = %v, want ErrWriterClosed", err)
	}
	if len(told) != 1 || !errors.Is(told[0], ErrWriterClosed) {
		t.Errorf("told %v, want only that the last record came too late", told)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		schematest.Validate(t, "call_record", line)
	}
}

func TestWriterKeepsAnExistingFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "call_records.jsonl")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := NewWriter(path, nil); !errors.Is(err, os.ErrExist) {
		t.Errorf("NewWriter over a file = %v, want ErrExist", err)
	}
}

func TestWriterFromManyGoroutines(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "call_records.jsonl")
	w, err := NewWriter(path, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range uint64(8) {
		wg.Go(func() {
			for i := range uint64(50) {
				r := full()
				r.CallNumber = g*50 + i
				if err := w.Write(r); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	seen := make(map[uint64]bool)
	for _, r := range readAll(t, path) {
		seen[r.CallNumber] = true
	}
	if len(seen) != 400 {
		t.Errorf("%d different records, want 400", len(seen))
	}
}

// smallDisk is a file on a disk that has room for some bytes; the write that goes beyond is cut short, as the kernel does it.
type smallDisk struct {
	*os.File
	room int
}

func (d *smallDisk) Write(b []byte) (int, error) {
	if len(b) <= d.room {
		d.room -= len(b)
		return d.File.Write(b)
	}
	n, _ := d.File.Write(b[:d.room])
	d.room = 0
	return n, &os.PathError{Op: "write", Path: d.Name(), Err: syscall.ENOSPC}
}

func TestWriterOnAFullDisk(t *testing.T) {
	t.Parallel()
	file, err := os.Create(filepath.Join(t.TempDir(), "call_records.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	disk := &smallDisk{File: file, room: 2500}
	var told []error
	w := newWriter(disk, func(err error) { told = append(told, err) })
	var failed int
	for n := uint64(1); n <= 10; n++ {
		r := full()
		r.CallNumber = n
		if err := w.Write(r); err != nil {
			failed++
		}
	}
	if failed == 0 || failed == 10 {
		t.Fatalf("%d of 10 records failed; the test needs some of both", failed)
	}
	if len(told) != 1 || !errors.Is(told[0], syscall.ENOSPC) {
		t.Errorf("told %v, want ENOSPC once", told)
	}
	disk.room = 1 << 20 // somebody made room
	last := full()
	last.CallNumber = 11
	if err := w.Write(last); err != nil {
		t.Errorf("with room again: %v", err)
	}
	err = w.Close()
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), fmt.Sprintf("%d call records were not written", failed)) {
		t.Errorf("Close = %v, want ENOSPC and %d lost records", err, failed)
	}
	got := readAll(t, file.Name())
	if len(got) != 11-failed || got[len(got)-1].CallNumber != 11 {
		t.Errorf("%d records in the file, want %d with the last one being 11", len(got), 11-failed)
	}
}

// signallingFile tells of each write.
type signallingFile struct {
	recordFile
	wrote chan int
}

func (f *signallingFile) Write(b []byte) (int, error) {
	f.wrote <- bytes.Count(b, []byte("\n"))
	return f.recordFile.Write(b)
}

func TestQueuedRecordsAreWrittenTogetherAndSoon(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		file, err := os.Create(filepath.Join(dir, "call_records.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		wrote := make(chan int, 1000)
		w := newWriter(&signallingFile{file, wrote}, func(err error) { t.Error(err) })
		for round := range 3 {
			begun := time.Now()
			for range 5 {
				w.Queue(minimal())
			}
			if n := <-wrote; n != 5 || time.Since(begun) > queueTime {
				t.Errorf("round %d: %d records in one write after %v, want 5 within %v", round, n, time.Since(begun), queueTime)
			}
			synctest.Wait()
		}
		for range 1000 {
			w.Queue(minimal())
		}
		if n := <-wrote; n >= 1000 || n < 2 {
			t.Errorf("%d records in one write, want as many as fit", n)
		}
		w.Queue(minimal())
		if err := w.Write(minimal()); err != nil {
			t.Error(err)
		}
		if got := readAll(t, file.Name()); len(got) != 1017 {
			t.Errorf("%d records after Write, want 1017", len(got))
		}
		w.Queue(minimal())
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if got := readAll(t, file.Name()); len(got) != 1018 {
			t.Errorf("%d records after Close, want 1018", len(got))
		}
	})
}

func TestQueueOnAFullDisk(t *testing.T) {
	t.Parallel()
	file, err := os.Create(filepath.Join(t.TempDir(), "call_records.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	line, err := minimal().appendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	disk := &smallDisk{File: file, room: 3*(len(line)+1) + 10}
	var told []error
	w := newWriter(disk, func(err error) { told = append(told, err) })
	for range 4 {
		w.Queue(minimal())
	}
	if err := w.Write(minimal()); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Write = %v, want ENOSPC", err)
	}
	if len(told) != 1 || !errors.Is(told[0], syscall.ENOSPC) {
		t.Errorf("told %v, want ENOSPC once", told)
	}
	disk.room = 1 << 20
	w.Queue(minimal())
	if err := w.Close(); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "2 call records were not written") {
		t.Errorf("Close = %v, want ENOSPC and 2 lost records", err)
	}
	if got := readAll(t, file.Name()); len(got) != 4 {
		t.Errorf("%d records in the file, want the 3 that fitted and the one after", len(got))
	}
}

// On Linux /dev/full refuses every write: the real error of the real system call.
func TestWriterOnDevFull(t *testing.T) {
	t.Parallel()
	file, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("/dev/full is not there")
	}
	w := newWriter(file, nil)
	if err := w.Write(minimal()); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Write = %v, want ENOSPC", err)
	}
	if err := w.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Close = %v, want ENOSPC", err)
	}
}

func BenchmarkWriter(b *testing.B) {
	for _, c := range []struct {
		name   string
		record *Record
	}{{"signalling only", minimal()}, {"WebRTC", full()}} {
		b.Run(c.name, func(b *testing.B) {
			w, err := NewWriter(filepath.Join(b.TempDir(), "call_records.jsonl"), nil)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := w.Write(c.record); err != nil {
					b.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func BenchmarkQueue(b *testing.B) {
	w, err := NewWriter(filepath.Join(b.TempDir(), "call_records.jsonl"), nil)
	if err != nil {
		b.Fatal(err)
	}
	r := minimal()
	b.ReportAllocs()
	for b.Loop() {
		w.Queue(r)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}

// Whatever is written to /dev/full meets a full disk.
func TestErrorOfAFullDiskNamesTheFileOnce(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no /dev/full")
	}
	w := newWriter(full, nil)
	for range 2 {
		if err := w.Write(minimal()); !errors.Is(err, syscall.ENOSPC) || strings.Count(err.Error(), "/dev/full") != 1 {
			t.Errorf("error %q, want one of a full disk that names the file once", err)
		}
	}
	if err := w.Close(); err == nil || err.Error() != "2 call records were not written: write /dev/full: no space left on device" || w.Lost() != 2 {
		t.Errorf("Close = %v, %d lost", err, w.Lost())
	}
}
