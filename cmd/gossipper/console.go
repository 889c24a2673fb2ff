package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
)

// console writes lines to standard error while a status line may stand there. It may be used from any goroutine.
type console struct {
	mu     sync.Mutex
	to     io.Writer
	status bool // the cursor stands behind a status line
}

// eraseLine returns the cursor to the beginning of the line and erases it.
const eraseLine = "\r\x1b[K"

// say writes one line; the status line is gone until the next showStatus.
func (c *console) say(format string, args ...any) {
	line := strings.TrimRight(fmt.Sprintf(format, args...), "\n") + "\n"
	c.mu.Lock()
	defer c.mu.Unlock()
	c.erase()
	_, _ = io.WriteString(c.to, line) // there is nowhere else to report that this fails
}

// showStatus replaces the status line of a terminal.
func (c *console) showStatus(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = io.WriteString(c.to, eraseLine+line)
	c.status = true
}

// clearStatus removes the status line.
func (c *console) clearStatus() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.erase()
}

func (c *console) erase() {
	if c.status {
		_, _ = io.WriteString(c.to, eraseLine)
		c.status = false
	}
}
