package template

import (
	"os"
	"strings"
	"testing"
)

func TestEveryKeywordIsDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	for k := Keyword(1); k < keywords; k++ {
		if !strings.Contains(string(page), "`["+k.String()) {
			t.Errorf("docs/scenarios.md does not mention [%v]", k)
		}
	}
}
