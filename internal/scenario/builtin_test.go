package scenario

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gossipper/gossipper/scenarios"
)

func TestBuiltins(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(scenarios.FS, "*.xml")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, info := range Builtins() {
		names = append(names, info.Name+".xml")
		if info.Description == "" || strings.Contains(info.Description, "\n") {
			t.Errorf("%s: description %q", info.Name, info.Description)
		}
	}
	slices.Sort(names)
	if !slices.Equal(names, files) {
		t.Errorf("listed %v, embedded %v", names, files)
	}
}

func TestBuiltinSteps(t *testing.T) {
	t.Parallel()
	uac := []string{"send INVITE", "recv 100 (optional)", "recv 180 (optional)", "recv 183 (optional)", "recv 200", "send ACK", "pause", "send BYE", "recv 200"}
	uas := []string{"recv INVITE", "send 180", "send 200", "recv ACK (optional)", "recv BYE", "send 200", "timewait"}
	for _, tc := range []struct {
		name   string
		role   Role
		webrtc Switch
		media  bool
		fits   string // the kinds of media without problems
		steps  []string
	}{
		{"uac", UAC, Unset, false, "rtp none", uac},
		{"uas", UAS, Unset, false, "rtp none", uas},
		{"call_uac", UAC, Unset, true, "rtp webrtc", uac},
		{"call_uas", UAS, Unset, true, "rtp webrtc", uas},
		{"webrtc_uac", UAC, On, true, "webrtc", uac},
		{"webrtc_uas", UAS, On, true, "webrtc", uas},
		{"options_ping", UAC, Unset, false, "rtp webrtc none", []string{"send OPTIONS", "recv 200"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, err := Builtin(tc.name)
			if err != nil {
				t.Fatal(err)
			}
			var steps []string
			for _, step := range s.Steps {
				steps = append(steps, step.Label)
			}
			if !slices.Equal(steps, tc.steps) {
				t.Errorf("steps %v, want %v", steps, tc.steps)
			}
			if s.Warnings != nil {
				t.Errorf("warnings: %v", s.Warnings)
			}
			if s.Role() != tc.role || s.WebRTC != tc.webrtc || s.NeedsMedia() != tc.media || s.Name != tc.name || s.File != tc.name {
				t.Errorf("role %v, webrtc %v, media %v, name %s, file %s", s.Role(), s.WebRTC, s.NeedsMedia(), s.Name, s.File)
			}
			var fits []string
			for _, kind := range []string{"rtp", "webrtc", "none"} {
				if s.CheckMedia(kind) == nil {
					fits = append(fits, kind)
				}
			}
			if got := strings.Join(fits, " "); got != tc.fits {
				t.Errorf("fits %s, want %s", got, tc.fits)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	const ping = `<scenario name="mine"><recv request="PING"/></scenario>`
	for _, name := range []string{"uac", "mine.xml", "plain"} {
		if err := os.WriteFile(name, []byte(ping), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"uac": "uac", "./uac": "mine", "mine.xml": "mine", "plain": "mine", filepath.Join(dir, "uac"): "mine", "webrtc_uas": "webrtc_uas",
	} {
		s, err := Open(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.Name != want {
			t.Errorf("%s: got %s, want %s", name, s.Name, want)
		}
	}
	_, err := Open("webrtc_uax")
	want := `"webrtc_uax" is neither a file nor a built-in scenario: did you mean webrtc_uac? (built in are uac, uas, call_uac, ` +
		`call_uas, webrtc_uac, webrtc_uas, options_ping): no built-in scenario has this name`
	if err == nil || err.Error() != want || !errors.Is(err, ErrNoBuiltin) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if _, err := Open("absent.xml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent.xml: %v", err)
	}
	if _, err := Builtin("../embed"); !errors.Is(err, ErrNoBuiltin) {
		t.Errorf("../embed: %v", err)
	}
}

func TestLoadFindsFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	beside := t.TempDir()
	for _, name := range []string{filepath.Join(beside, "beside.wav"), "here.wav"} {
		if err := os.WriteFile(name, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	absolute, err := filepath.Abs("here.wav")
	if err != nil {
		t.Fatal(err)
	}
	for name, found := range map[string]bool{"beside.wav": true, "here.wav": true, absolute: true, "absent.wav": false, "..": false} {
		path := filepath.Join(beside, "s.xml")
		text := `<scenario><recv request="INVITE"/><nop><action><exec rtp_stream="` + name + `"/></action></nop></scenario>`
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Load(path)
		if (err == nil) != found {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			if data, err := fs.ReadFile(s.Dir, name); err != nil || filepath.Base(string(data)) != filepath.Base(name) {
				t.Errorf("%s: read %q, %v", name, data, err)
			}
		}
	}
}

func TestLoadTooLarge(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "large.xml")
	if err := os.WriteFile(path, make([]byte, MaxSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	var parseErr *ParseError
	if !errors.As(err, &parseErr) || parseErr.Problems[0].Text != "the file is larger than 4 MiB" {
		t.Errorf("got %v", err)
	}
}
