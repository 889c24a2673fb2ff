package main

import (
	"testing"
	"testing/fstest"
)

func TestTune(t *testing.T) {
	t.Parallel()
	meminfo := &fstest.MapFile{Data: []byte("MemTotal:       1000000 kB\nMemFree: 5 kB\n")}
	for _, c := range []struct {
		name    string
		environ []string
		root    fstest.MapFS
		percent int
		limit   int64
	}{
		{"the machine's memory", nil, fstest.MapFS{"proc/meminfo": meminfo}, 400, 1000000 * 1024 / 10 * 8},
		{"a smaller group", nil, fstest.MapFS{"proc/meminfo": meminfo, "sys/fs/cgroup/memory.max": {Data: []byte("500000\n")}}, 400, 400000},
		{"a group without limit", nil, fstest.MapFS{"proc/meminfo": meminfo, "sys/fs/cgroup/memory.max": {Data: []byte("max\n")}}, 400, 1000000 * 1024 / 10 * 8},
		{"an older group", nil, fstest.MapFS{"sys/fs/cgroup/memory/memory.limit_in_bytes": {Data: []byte("1000")}}, 400, 800},
		{"nothing known", nil, fstest.MapFS{}, 400, 0},
		{"garbage", nil, fstest.MapFS{"proc/meminfo": {Data: []byte("MemTotal: many kB\n")}}, 400, 0},
		{"the environment says it", []string{"GOGC=50", "GOMEMLIMIT=1GiB"}, fstest.MapFS{"proc/meminfo": meminfo}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			percent, limit := 0, int64(0)
			tune(&Env{Environ: c.environ}, c.root, func(p int) int { percent = p; return 100 }, func(l int64) int64 { limit = l; return 0 })
			if percent != c.percent || limit != c.limit {
				t.Errorf("GC percent %d, limit %d; want %d, %d", percent, limit, c.percent, c.limit)
			}
		})
	}
}

func TestGetenv(t *testing.T) {
	t.Parallel()
	env := &Env{Environ: []string{"A=1", "AB=2", "A=3"}}
	if got := env.Getenv("A"); got != "3" {
		t.Errorf("A = %q, want the last one", got)
	}
	if got := env.Getenv("B"); got != "" {
		t.Errorf("B = %q", got)
	}
}
