package record

import (
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(full())
	if err != nil {
		t.Fatal(err)
	}
	line := string(text) + "\n"
	for _, c := range []struct {
		name, in string
		records  int
		want     string // part of the error
	}{
		{"empty file", "", 0, ""},
		{"two records", line + line, 2, ""},
		{"empty lines", "\n" + line + "\r\n" + line, 2, ""},
		{"last line cut short by a kill", line + line[:40], 1, ""},
		{"not JSON", line + "hello\n", 1, "line 2: not a call record"},
		{"unknown outcome", strings.Replace(line, "media_failed", "exploded", 1), 0, `line 1: not a call record: unknown outcome "exploded"`},
		{"later version", strings.Replace(line, `"schema":1`, `"schema":9`, 1), 0, "line 1: schema version 9 is not known"},
		{"a line without end", strings.Repeat("x", maxLine+1), 0, "line 1: longer than 1048576 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			records := 0
			err := Read(strings.NewReader(c.in), func(*Record) error { records++; return nil })
			if records != c.records {
				t.Errorf("%d records, want %d", records, c.records)
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error = %v, want %q", err, c.want)
			}
		})
	}
}

func TestReadStopsAtTheCallersError(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(minimal())
	if err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	if err := Read(strings.NewReader(string(text)+"\n"), func(*Record) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("Read = %v, want the caller's error", err)
	}
	if err := Read(io.MultiReader(strings.NewReader("x"), errReader{enough}), nil); !errors.Is(err, enough) {
		t.Errorf("Read = %v, want the reader's error", err)
	}
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

func FuzzRead(f *testing.F) {
	for _, r := range []*Record{minimal(), full()} {
		text, err := json.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text) + "\n")
	}
	f.Add("{}\n")
	f.Add("hello\n")
	f.Fuzz(func(t *testing.T, in string) {
		var records []*Record
		_ = Read(strings.NewReader(in), func(r *Record) error { records = append(records, r); return nil })
		for _, r := range records {
			text, err := json.Marshal(r)
			if err != nil {
				continue // a year beyond 9999
			}
			err = Read(strings.NewReader(string(text)+"\n"), func(again *Record) error {
				second, err := json.Marshal(again)
				if err == nil && string(second) != string(text) {
					t.Errorf("a round trip changed\n%s into\n%s", text, second)
				}
				return err
			})
			if err != nil && r.Outcome != 0 {
				t.Errorf("what was written cannot be read: %v\n%s", err, text)
			}
		}
	})
}

func TestReaderSeesEveryField(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(full())
	if err != nil {
		t.Fatal(err)
	}
	if err := Read(strings.NewReader(string(text)+"\n"), func(r *Record) error {
		if !reflect.DeepEqual(r, full()) {
			t.Errorf("read %+v, want %+v", r, full())
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
