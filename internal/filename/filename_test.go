package filename

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"usual Call-ID", "1-4711@127.0.0.1", `^1-4711@127\.0\.0\.1$`},
		{"traversal", "../../etc/passwd", `^_\.\._etc_passwd-[0-9a-f]{12}$`},
		{"absolute path", "/etc/passwd", `^_etc_passwd-[0-9a-f]{12}$`},
		{"IPv6 host", "a@[::1]", `^a@___1_-[0-9a-f]{12}$`},
		{"empty", "", `^[0-9a-f]{12}$`},
		{"only dots", "..", `^[0-9a-f]{12}$`},
		{"control characters", "a\x00\nb", `^a__b-[0-9a-f]{12}$`},
		{"looks like a changed name", "a-0123456789ab", `^a-0123456789ab-[0-9a-f]{12}$`},
		{"very long", strings.Repeat("x", 5000), `^x{120}-[0-9a-f]{12}$`},
		{"hidden file", ".bashrc", `^bashrc-[0-9a-f]{12}$`},
		{"option", "-rf", `^rf-[0-9a-f]{12}$`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := Of(c.in); !regexp.MustCompile(c.want).MatchString(got) {
				t.Errorf("Of(%q) = %q, want %s", c.in, got, c.want)
			}
		})
	}
}

func TestNamesDiffer(t *testing.T) {
	t.Parallel()
	seen := make(map[string]string)
	for _, in := range []string{"a/b", "a_b", "a:b", "a b", ".a_b", "-a_b", Of("a/b"), Of(Of("a/b")), "", ".", ".."} {
		name := Of(in)
		if other, ok := seen[name]; ok {
			t.Errorf("%q and %q both become %q", in, other, name)
		}
		seen[name] = in
	}
}

func FuzzOf(f *testing.F) {
	for _, seed := range []string{"1-4711@127.0.0.1", "../../etc/passwd", "", "a-0123456789ab", strings.Repeat("é", 300)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		name := Of(in)
		if name == "" || len(name) > 200 || filepath.Base(name) != name || !filepath.IsLocal(name) || strings.HasPrefix(name, ".") {
			t.Errorf("Of(%q) = %q is not a plain file name", in, name)
		}
		if name != in && Of(name) == name {
			t.Errorf("%q and %q both become %q", in, name, name)
		}
	})
}
