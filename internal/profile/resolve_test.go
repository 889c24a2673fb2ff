package profile

import (
	"os"
	"path/filepath"
	"testing"
)

func TestResolveSecret(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(t.TempDir(), "open")
	if err := os.WriteFile(open, []byte("from open file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, in, want string
		warnings       int
		fails          bool
	}{
		{"literal", "s3cret", "s3cret", 0, false},
		{"file", "@" + file, "from file", 0, false},
		{"file that all can read", "@" + open, "from open file", 1, false},
		{"variable", "env:TURN_SECRET", "from variable", 0, false},
		{"no such file", "@" + file + ".none", "", 0, true},
		{"no such variable", "env:NONE", "", 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			secret, warnings, err := ResolveSecret(c.in, []string{"TURN_SECRET=from variable"}, "--secret")
			if secret.Reveal() != c.want || len(warnings) != c.warnings || (err != nil) != c.fails {
				t.Errorf("%q, warnings %v, error %v", secret.Reveal(), warnings, err)
			}
		})
	}
}
