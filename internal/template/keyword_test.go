package template

import "testing"

func TestKeywordNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for k := Keyword(1); k < keywords; k++ {
		name := k.String()
		if name == "" || seen[name] {
			t.Errorf("keyword %d: name %q is empty or not its own", k, name)
		}
		seen[name] = true
	}
	if keywords > 64 {
		t.Error("Template.uses has 64 bits")
	}
	if got := Keyword(200).String(); got != "keyword(200)" {
		t.Errorf("got %q", got)
	}
	if Error.String() != "error" || Warning.String() != "warning" {
		t.Error("wrong names of severities")
	}
}
