// Package dependencies holds a test only: that docs/dependencies.md is complete.
package dependencies

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// documented finds the first column of the tables: | `module` | reason |.
var documented = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.+) \\|$")

func TestEveryDirectDependencyHasAReason(t *testing.T) {
	t.Parallel()
	reasons := map[string]string{}
	text, err := os.ReadFile("../../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range documented.FindAllStringSubmatch(string(text), -1) {
		reasons[row[1]] = row[2]
	}
	for _, file := range []string{"../../go.mod", "../lint/go.mod"} {
		for _, path := range direct(t, file) {
			if reasons[path] == "" {
				t.Errorf("%s requires %s: docs/dependencies.md does not say why", file, path)
			}
			delete(reasons, path)
		}
	}
	for path := range reasons {
		t.Errorf("docs/dependencies.md names %s, which the code does not use directly", path)
	}
}

// direct returns the modules that a go.mod requires for its own code or names as tools.
func direct(t *testing.T, file string) []string {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json", file).Output()
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
		Tool []struct{ Path string }
	}
	if err := json.Unmarshal(output, &mod); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, r := range mod.Require {
		isTool := false
		for _, tool := range mod.Tool {
			isTool = isTool || strings.HasPrefix(tool.Path, r.Path+"/")
		}
		if isTool || !r.Indirect {
			paths = append(paths, r.Path)
		}
	}
	if len(paths) == 0 {
		t.Fatalf("%s requires nothing directly: run go mod tidy", file)
	}
	return paths
}
