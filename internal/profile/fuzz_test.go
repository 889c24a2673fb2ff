package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// marker stands for a secret in the seeds.
const marker = "hunter2"

// FuzzLoad: whatever the file holds, Load does not panic, every problem has a place in the file, no secret is shown, and what
// Show prints loads again and prints the same.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.yaml", "../../testdata/profiles/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Add([]byte("{scenario: x, transports: [{type: webrtc, ice_servers: ['turn:a:hunter2@b'], ice_credential: hunter2, ice_username: u}]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		sources := Sources{File: "f.yaml", Data: data, Open: func(string) (fs.File, error) { return nil, fs.ErrNotExist }}
		loaded, err := Load(sources)
		hide := !markerIsOpen(data)
		if err != nil {
			checkProblems(t, err, hide)
			return
		}
		var shown bytes.Buffer
		if err := Show(&shown, loaded); err != nil {
			t.Fatal(err)
		}
		job, err := json.Marshal(loaded.Profile.Masked())
		if err != nil {
			t.Fatal(err)
		}
		if hide && (strings.Contains(shown.String(), marker) || bytes.Contains(job, []byte(marker))) {
			t.Errorf("a secret is shown:\n%s\n%s", shown.String(), job)
		}
		checkRoundTrip(t, loaded)
	})
}

func checkProblems(t *testing.T, err error, hide bool) {
	t.Helper()
	var all *Error
	if !errors.As(err, &all) {
		if len(err.Error()) == 0 {
			t.Error("an error without text")
		}
		return
	}
	for _, p := range all.Problems {
		if p.Origin.Kind != FromFile || p.Origin.Line < 1 || p.Origin.Column < 1 || p.Text == "" {
			t.Errorf("a problem without place or text: %+v", p)
		}
	}
	if hide && strings.Contains(err.Error(), marker) {
		t.Errorf("the error shows a secret: %v", err)
	}
}

// checkRoundTrip loads what Show prints and compares what is shown of that.
func checkRoundTrip(t *testing.T, loaded *Loaded) {
	t.Helper()
	text, err := yaml.Marshal(loaded.Profile.Masked().Transports)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Load(Sources{File: "f.yaml", Data: append([]byte("scenario: x\ntransports:\n"), text...), Partial: true})
	if err != nil {
		t.Fatalf("what was shown does not load: %v\n%s", err, text)
	}
	second, err := yaml.Marshal(again.Profile.Masked().Transports)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, second) {
		t.Errorf("shown, loaded and shown again:\n%s\n%s", text, second)
	}
}

// markerIsOpen tells whether the marker stands somewhere else than in the value of a secret, where it may be shown.
func markerIsOpen(data []byte) bool {
	var document yaml.Node
	if yaml.Unmarshal(data, &document) != nil {
		// Not YAML: what the message quotes is removed whatever it is.
		return false
	}
	secret := map[*yaml.Node]bool{}
	var walk func(*yaml.Node)
	open := false
	walk = func(n *yaml.Node) {
		if n.Kind == yaml.MappingNode {
			for i := 0; i+1 < len(n.Content); i += 2 {
				key := n.Content[i].Value
				secret[n.Content[i+1]] = key == "ice_credential" || key == "ice_auth_secret"
			}
		}
		inURL := strings.HasPrefix(n.Value, "turn:a:"+marker+"@") && strings.Count(n.Value, marker) == 1
		if strings.Contains(strings.ToLower(n.Value), marker) && !secret[n] && !inURL {
			open = true
		}
		for _, child := range n.Content {
			walk(child)
		}
	}
	walk(&document)
	return open
}
