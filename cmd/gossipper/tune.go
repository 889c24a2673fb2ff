package main

import (
	"bufio"
	"bytes"
	"io/fs"
	"math"
	"strconv"
	"strings"
)

// gcPercent lets the heap grow to five times what is alive between collections: at thousands of calls a second the collector would
// otherwise take a good part of the CPU.
const gcPercent = 400

// tune sets the garbage collector for load, unless the environment says otherwise: less often, and within 80 % of the memory that
// the process may use. The limit of open files needs no care: Go's runtime raises it to the hard limit.
func tune(env *Env, root fs.FS, setGCPercent func(int) int, setMemoryLimit func(int64) int64) {
	if env.Getenv("GOGC") == "" {
		setGCPercent(gcPercent)
	}
	if env.Getenv("GOMEMLIMIT") == "" {
		if memory := availableMemory(root); memory > 0 {
			setMemoryLimit(memory / 10 * 8)
		}
	}
}

// availableMemory is the smaller of what the machine has and what the control group of the process may use, in bytes; 0: unknown.
func availableMemory(root fs.FS) int64 {
	least := int64(math.MaxInt64)
	for _, name := range []string{"sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		if text, err := fs.ReadFile(root, name); err == nil {
			if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && n > 0 {
				least = min(least, n)
			}
		}
	}
	if text, err := fs.ReadFile(root, "proc/meminfo"); err == nil {
		if n := memTotal(text); n > 0 {
			least = min(least, n)
		}
	}
	if least == math.MaxInt64 {
		return 0
	}
	return least
}

// memTotal returns the line "MemTotal: 16384 kB" of /proc/meminfo in bytes.
func memTotal(meminfo []byte) int64 {
	for lines := bufio.NewScanner(bytes.NewReader(meminfo)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) == 3 && fields[0] == "MemTotal:" && fields[2] == "kB" {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			if err == nil && n > 0 && n < math.MaxInt64/1024 {
				return n * 1024
			}
		}
	}
	return 0
}
