package scenario

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gossipper/gossipper/scenarios"
)

// Open finds a scenario by the name of a built-in or by its path.
//
// Whatever has a path separator in it or ends in .xml is a path. Any other word is a built-in scenario if one has this name, and
// otherwise a file in the working directory: a file called uac is run as ./uac.
func Open(nameOrPath string) (*Scenario, error) {
	if strings.ContainsRune(nameOrPath, '/') || strings.ContainsRune(nameOrPath, filepath.Separator) ||
		strings.EqualFold(filepath.Ext(nameOrPath), ".xml") {
		return Load(nameOrPath)
	}
	if isBuiltin(nameOrPath) {
		return Builtin(nameOrPath)
	}
	s, err := Load(nameOrPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is neither a file nor a built-in scenario: %s: %w", quote(nameOrPath), builtinHint(nameOrPath), ErrNoBuiltin)
	}
	return s, err
}

// Load reads a scenario file of at most MaxSize bytes. What is wrong with its content is a *ParseError.
func Load(path string) (*Scenario, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the scenario: %w", err)
	}
	return Parse(path, data, besideFS(filepath.Dir(path)))
}

// readFile reads a little more than MaxSize at most, so that Parse can tell that it is too much.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	return data, errors.Join(err, f.Close())
}

// besideFS finds the files that a scenario of the local file system names: beside the scenario, and if there is none, in the working
// directory, as SIPp does. Last come the built-in files, so that a copy of a built-in scenario plays what that plays. Unlike other
// file systems of io/fs it takes absolute names and "..": whoever runs a scenario from a file can read their own files anyway. A
// service that runs other people's scenarios hands a narrower one to Parse.
type besideFS string

// Open implements fs.FS.
func (dir besideFS) Open(name string) (fs.File, error) {
	f, err := os.Open(dir.path(name))
	if err == nil {
		return f, nil
	}
	if builtin, builtinErr := scenarios.FS.Open(name); errors.Is(err, fs.ErrNotExist) && builtinErr == nil {
		return builtin, nil
	}
	return nil, err
}

// Stat implements fs.StatFS. It opens nothing, because opening a pipe would wait for its writer.
func (dir besideFS) Stat(name string) (fs.FileInfo, error) {
	info, err := os.Stat(dir.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		if builtin, builtinErr := fs.Stat(scenarios.FS, name); builtinErr == nil {
			return builtin, nil
		}
	}
	return info, err
}

// path returns where the file is, or would have to be.
func (dir besideFS) path(name string) string {
	name = filepath.FromSlash(name)
	if filepath.IsAbs(name) {
		return name
	}
	beside := filepath.Join(string(dir), name)
	if _, err := os.Stat(beside); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(name); err == nil {
			return name
		}
	}
	return beside
}
