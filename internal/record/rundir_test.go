package record

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRunDirInParent(t *testing.T) {
	t.Parallel()
	parent := filepath.Join(t.TempDir(), "runs")
	want := []string{"20260301T120000Z-webrtc_uac", "20260301T120000Z-webrtc_uac-2", "20260301T120000Z-webrtc_uac-3"}
	for _, name := range want {
		d, err := CreateRunDirIn(parent, "webrtc_uac", start)
		if err != nil {
			t.Fatal(err)
		}
		if d.Path() != filepath.Join(parent, name) {
			t.Errorf("directory %s, want %s", d.Path(), name)
		}
		if info, err := os.Stat(d.Recordings()); err != nil || !info.IsDir() {
			t.Errorf("no directory for recordings: %v", err)
		}
	}
}

func TestRunDirOfTheUser(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	t.Run("new, with parents", func(t *testing.T) {
		t.Parallel()
		if _, err := CreateRunDir(filepath.Join(base, "a", "b")); err != nil {
			t.Error(err)
		}
	})
	t.Run("exists and is empty", func(t *testing.T) {
		t.Parallel()
		if _, err := CreateRunDir(t.TempDir()); err != nil {
			t.Error(err)
		}
	})
	t.Run("holds something", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := CreateRunDir(dir); !errors.Is(err, ErrNotEmpty) {
			t.Errorf("error = %v, want ErrNotEmpty", err)
		}
	})
	t.Run("is a file", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := CreateRunDir(file); err == nil {
			t.Error("a file was taken for a directory")
		}
	})
}

func TestRelative(t *testing.T) {
	t.Parallel()
	d, err := CreateRunDir(filepath.Join(t.TempDir(), "run"))
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Relative(filepath.Join(d.Recordings(), "x.wav")); got != "recordings/x.wav" {
		t.Errorf("within: %q, want recordings/x.wav", got)
	}
	outside := filepath.Join(filepath.Dir(d.Path()), "x.wav")
	if got := d.Relative(outside); got != outside {
		t.Errorf("outside: %q, want %q", got, outside)
	}
}

func TestWriteJSON(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "summary.json")
	for _, value := range []int{1, 2} {
		if err := WriteJSON(path, map[string]int{"value": value}); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]int
		if err := json.Unmarshal(text, &got); err != nil || got["value"] != value {
			t.Errorf("%s (%v), want value %d", text, err, value)
		}
	}
	if err := WriteJSON(filepath.Join(t.TempDir(), "no", "such", "dir.json"), 1); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error = %v, want ErrNotExist", err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("%d files are left, want 1", len(entries))
	}
}

func TestWriteJSONLeavesNothingBehindWhenItFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "summary.json")
	if err := os.MkdirAll(filepath.Join(path, "in the way"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := WriteJSON(path, 1)
	if err == nil || strings.Count(err.Error(), "summary.json") != 1 {
		t.Errorf("error %q, want one that names the file once", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%v are left, want only the directory", entries)
	}
}
