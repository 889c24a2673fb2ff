package scenario

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/gossipper/gossipper/internal/template"
	"github.com/gossipper/gossipper/scenarios"
)

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	bad, err := filepath.Glob("testdata/*/*.xml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range bad {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, info := range Builtins() {
		data, err := fs.ReadFile(scenarios.FS, info.Name+".xml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		lines := bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r")) + 1
		s, err := Parse("f.xml", data, fstest.MapFS{"a.wav": {}})
		if err != nil {
			var parseErr *ParseError
			if !errors.As(err, &parseErr) || s != nil {
				t.Fatalf("scenario %v, error %v", s, err)
			}
			checkProblems(t, parseErr.Problems, lines, true)
			return
		}
		checkProblems(t, s.Warnings, lines, false)
		checkScenario(t, s)
	})
}

func checkProblems(t *testing.T, problems []Problem, lines int, wantError bool) {
	t.Helper()
	hasError, line := false, 1
	for _, p := range problems {
		hasError = hasError || p.Severity == Error
		if p.Line < line || p.Line > lines || p.File != "f.xml" || p.Text == "" {
			t.Errorf("%+v after line %d of %d", p, line, lines)
		}
		line = p.Line
	}
	if hasError != wantError || len(problems) > maxProblems+1 {
		t.Errorf("%d problems: %v", len(problems), problems)
	}
}

func checkScenario(t *testing.T, s *Scenario) {
	t.Helper()
	variable := func(i int) {
		if i < 0 || i >= len(s.Variables) {
			t.Errorf("variable %d of %d", i, len(s.Variables))
		}
	}
	for i, step := range s.Steps {
		kinds := 0
		if step.Send != nil {
			kinds++
			if step.Send.Message == nil || (step.Send.Method == "") == (step.Send.Status == 0) || step.Send.Retrans < 0 {
				t.Errorf("step %d: %+v", i, step.Send)
			}
			step.Send.Message.AppendTo(nil, &template.Values{})
		}
		if step.Recv != nil {
			kinds++
			if (step.Recv.Request == "") == (len(step.Recv.Responses) == 0) {
				t.Errorf("step %d: %+v", i, step.Recv)
			}
		}
		if step.Pause != nil {
			kinds++
		}
		if kinds > 1 || step.Label == "" || step.Line < 1 || step.Timeout < 0 {
			t.Errorf("step %d: %+v", i, step)
		}
		for _, next := range []int{step.Next, step.OnTimeout} {
			if next < NoStep || next > len(s.Steps) {
				t.Errorf("step %d goes to %d of %d", i, next, len(s.Steps))
			}
		}
		for _, list := range [][]int{step.StartRTD, step.StopRTD} {
			for _, rtd := range list {
				if rtd < 0 || rtd >= len(s.RTDs) {
					t.Errorf("step %d: response time %d of %d", i, rtd, len(s.RTDs))
				}
			}
		}
		for _, action := range step.Actions {
			switch a := action.(type) {
			case *Ereg:
				for _, v := range a.AssignTo {
					variable(v)
				}
				if a.In == SearchVariable {
					variable(a.Variable)
				}
				a.Regexp.MatchString("To: <sip:a@b>")
			case *Log:
				a.Message.AppendTo(nil, &template.Values{})
			case *RTPRecord:
				if a.File != "" && filepath.Base(a.File) != a.File {
					t.Errorf("recording %q", a.File)
				}
			}
		}
	}
	for _, kind := range []string{"rtp", "webrtc", "none"} {
		s.CheckMedia(kind)
	}
}
