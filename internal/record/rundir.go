package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gossipper/gossipper/internal/filename"
)

// RunDir is the directory of one run.
type RunDir struct{ path string }

// ErrNotEmpty is wrapped by the error for a directory that already holds files.
var ErrNotEmpty = errors.New("the directory is not empty")

// CreateRunDir makes the directory of a run at a path that the user named, as CreateDir does.
func CreateRunDir(path string) (RunDir, error) {
	if err := CreateDir(path); err != nil {
		return RunDir{}, err
	}
	return newRunDir(path)
}

// CreateRunDirIn makes the directory of a run within parent, as CreateDirIn does.
func CreateRunDirIn(parent, what string, start time.Time) (RunDir, error) {
	path, err := CreateDirIn(parent, what, start)
	if err != nil {
		return RunDir{}, err
	}
	return newRunDir(path)
}

// CreateDir makes a directory for results. It may exist if it is empty: what another run or program wrote is never mixed with new
// results, nor overwritten.
func CreateDir(path string) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return cannotCreate(path, err, adviceOut)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return cannotCreate(path, err, adviceOut)
	}
	if len(entries) > 0 {
		return fmt.Errorf("run directory %s: %w (it holds %q): name a new one", path, ErrNotEmpty, entries[0].Name())
	}
	return nil
}

// CreateDirIn makes a new directory for results within parent, named after the start (UTC) and what is run, and returns its path.
func CreateDirIn(parent, what string, start time.Time) (string, error) {
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", cannotCreate(parent, err, adviceIn)
	}
	base := filepath.Join(parent, start.UTC().Format("20060102T150405Z")+"-"+filename.Of(what))
	path := base
	for n := 2; ; n++ {
		err := os.Mkdir(path, 0o755)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrExist) || n > 1000 {
			return "", cannotCreate(path, err, adviceIn)
		}
		path = base + "-" + strconv.Itoa(n) // runs that start within one second
	}
}

// What to do about a directory that cannot be made where the user said, or in the usual place.
const (
	adviceOut = "give --out a directory that you can write to"
	adviceIn  = "run it where you can write, or name a directory with --out"
)

func cannotCreate(path string, err error, advice string) error {
	return fmt.Errorf("the run directory %s cannot be created: %w: %s", path, cause(err), advice)
}

func newRunDir(path string) (RunDir, error) {
	d := RunDir{path: path}
	if err := os.MkdirAll(d.Recordings(), 0o755); err != nil {
		return RunDir{}, cannotCreate(d.path, err, adviceOut)
	}
	return d, nil
}

// Path is the directory itself.
func (d RunDir) Path() string { return d.path }

// Job is the file with the effective configuration, secrets masked.
func (d RunDir) Job() string { return filepath.Join(d.path, "job.json") }

// CallRecords is the file with one record per call.
func (d RunDir) CallRecords() string { return filepath.Join(d.path, "call_records.jsonl") }

// Summary is the file with the summary.
func (d RunDir) Summary() string { return filepath.Join(d.path, "summary.json") }

// ErrorsLog is the log of the run.
func (d RunDir) ErrorsLog() string { return filepath.Join(d.path, "errors.log") }

// Recordings is the directory of the WAV files.
func (d RunDir) Recordings() string { return filepath.Join(d.path, "recordings") }

// Relative returns a path within the run directory relative to it, and any other path as it is: so a run directory can be moved.
func (d RunDir) Relative(path string) string {
	if rel, err := filepath.Rel(d.path, path); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return path
}

// WriteJSON writes v as indented JSON. The file is complete or not there at all.
func WriteJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	part := path + ".part"
	err = os.WriteFile(part, append(text, '\n'), 0o644)
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		_ = os.Remove(part) // half a file is of no use; that it cannot be removed says nothing new
		return fmt.Errorf("write %s: %w", path, cause(err))
	}
	return nil
}

// cause returns what went wrong with a file without the operation and the name, which the caller says.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	var link *os.LinkError
	if errors.As(err, &link) {
		return link.Err
	}
	return err
}
