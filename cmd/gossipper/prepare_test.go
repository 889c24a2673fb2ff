package main

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gossipper/gossipper/internal/profile"
)

func TestResolve(t *testing.T) {
	t.Parallel()
	v4, v6 := netip.MustParseAddrPort("127.0.0.1:0"), netip.MustParseAddrPort("[::1]:0")
	for _, c := range []struct {
		name, target string
		local        netip.AddrPort
		given        bool
		want         string // empty: an error
	}{
		{"IPv4", "127.0.0.1:5070", v4, true, "127.0.0.1:5070"},
		{"IPv6, nothing given", "[::1]:5070", v4, false, "[::1]:5070"},
		{"IPv6 from IPv4", "[::1]:5070", v4, true, ""},
		{"IPv4 from IPv6", "127.0.0.1:5070", v6, true, ""},
		{"IPv4 from all addresses", "127.0.0.1:5070", netip.MustParseAddrPort("[::]:0"), true, "127.0.0.1:5070"},
		{"port 0", "127.0.0.1:0", v4, true, ""},
		{"no port", "127.0.0.1", v4, true, ""},
		{"a name that cannot exist", "nowhere.invalid:5060", v4, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := resolve(t.Context(), c.target, c.local, c.given)
			if (err != nil) != (c.want == "") || err == nil && got.String() != c.want {
				t.Errorf("resolve = %v, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestUserFiles(t *testing.T) {
	t.Parallel()
	mine := writeFile(t, "mine.wav", "mine")
	builtIn := fstest.MapFS{"speech.wav": {Data: []byte("built in")}}
	for name, want := range map[string]string{mine: "mine", "speech.wav": "built in"} {
		files := userFiles{builtIn, name}
		file, err := files.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		text := make([]byte, 20)
		n, _ := file.Read(text)
		file.Close()
		if string(text[:n]) != want {
			t.Errorf("%s holds %q, want %q", name, text[:n], want)
		}
	}
	if _, err := (userFiles{builtIn, "/no/such.wav"}).Open("/no/such.wav"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want ErrNotExist", err)
	}
}

// A call with media lasts long enough to be heard unless somebody says how long.
func TestHold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, scenario string
		settings       []profile.Setting
		want           time.Duration
	}{
		{"signalling only", "uas", nil, 0},
		{"with media", "webrtc_uas", nil, heardHold},
		{"chosen", "webrtc_uas", []profile.Setting{{Path: "load.hold", Value: "2s", Origin: "--hold"}}, 2 * time.Second},
		{"none, chosen", "webrtc_uas", []profile.Setting{{Path: "load.hold", Value: "0s", Origin: "--hold"}}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := prepare(t.Context(), &Env{}, request{scenario: c.scenario, flags: runFlags{settings: c.settings}})
			if err != nil {
				t.Fatal(err)
			}
			if got := time.Duration(p.profile.Load.Hold); got != c.want {
				t.Errorf("hold is %v, want %v", got, c.want)
			}
		})
	}
}

// What the repository shows as a sample can be run as it is.
func TestSampleProfilesCanBeRun(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../testdata/profiles/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no samples", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			p, err := prepare(t.Context(), &Env{Environ: []string{"TURN_SECRET=north"}}, request{flags: runFlags{profile: file}})
			if err != nil {
				t.Fatal(err)
			}
			if p.play == nil {
				t.Error("nothing is played")
			}
			launch(t, "profile", "lint", file).end(t, ExitOK)
		})
	}
}
