package scenario

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// Whoever brings a scenario from SIPp must learn which line it is, what cannot be done there, and what can be done in its place.
func TestUnsupportedActionsNameAWayOut(t *testing.T) {
	t.Parallel()
	tags := []string{`exec rtp_stream="mic"`}
	for name := range unsupportedExec {
		tags = append(tags, "exec "+name+`="x"`)
	}
	for name := range unsupportedActions {
		tags = append(tags, name)
	}
	for _, tag := range tags {
		t.Run(tag, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("x.xml", []byte("<scenario>\n<recv request=\"INVITE\"><action>\n<"+tag+"/>\n</action></recv></scenario>"), nil)
			var broken *ParseError
			if !errors.As(err, &broken) {
				t.Fatalf("error %v", err)
			}
			at := slices.IndexFunc(broken.Problems, func(p Problem) bool { return strings.Contains(p.Text, "not supported") })
			if at < 0 {
				t.Fatalf("nothing is said to be unsupported: %v", err)
			}
			name, _, _ := strings.Cut(tag, "=")
			if p := broken.Problems[at]; p.Line != 3 || p.Hint == "" || !strings.Contains(p.Text, strings.TrimPrefix(name, "exec ")) {
				t.Errorf("line %d, %q, hint %q", p.Line, p.Text, p.Hint)
			}
		})
	}
}
