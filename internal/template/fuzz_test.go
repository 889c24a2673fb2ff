package template

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		invite, "X: [len+3] [len-1]\n\n[len]abc\n", "[last_Foo:]\n[$none] \n[routes]", "[sdp_offer]", "\n[webrtc_answer]\na=b", "...",
		`\x5B\x0D\x0A\x0D\x0A`, "[[local_ip]]", "[2001:db8::1]", "[fill variable=[$n]]", "[field0 file=\"x\"]", "[", "]", "[]", "[cseq+99999999999999999999]",
		"\r\n \t[last_message]\r\n", "\xff\x00[$\xff]",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, full := range []string{text, head + text} {
			tmpl, problems := Compile(full, Options{})
			checkProblems(t, full, tmpl, problems)
			if tmpl != nil {
				checkRendering(t, tmpl)
			}
		}
		if strings.Contains(text, "[len") {
			return
		}
		tmpl, _ := Compile(head+"Content-Length: [len]\n\n"+text, Options{})
		if tmpl == nil {
			return
		}
		header, body, _ := bytes.Cut(tmpl.AppendTo(nil, testValues()), []byte("\r\n\r\n"))
		if want := fmt.Sprintf("%sContent-Length: %5d", wire, len(body)); string(header) != want {
			t.Errorf("header %q, want %q", header, want)
		}
	})
}

func checkProblems(t *testing.T, text string, tmpl *Template, problems []Problem) {
	t.Helper()
	failed, line := false, 1
	for _, p := range problems {
		failed = failed || p.Severity == Error
		if p.Line < line || p.Line > strings.Count(text, "\n")+1 || p.Text == "" {
			t.Errorf("problem %+v after line %d in %q", p, line, text)
		}
		line = p.Line
	}
	if failed != (tmpl == nil) {
		t.Errorf("template %v with problems %v", tmpl, problems)
	}
}

func checkRendering(t *testing.T, tmpl *Template) {
	t.Helper()
	v := testValues()
	first := tmpl.AppendTo(nil, v)
	if second := tmpl.AppendTo(make([]byte, 3, 10), v); !bytes.Equal(first, second[3:]) {
		t.Errorf("rendered %q, then %q", first, second[3:])
	}
	tmpl.AppendTo(nil, &Values{})
	if !bytes.Contains(first, []byte("\r\n\r\n")) && tmpl.Uses(KeyLen) && !strings.Contains(string(first), " 0") {
		t.Logf("%q", first) // a length without a blank line: only escapes can do that
	}
}
