package webrtc

import (
	"net"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/pion/logging"
	"github.com/pion/stun/v4"
)

// seenConn reads along what a server answers, for what the TURN client does not tell: its software, the lifetime that it granted, and
// the code with which it refused a request before it ever asked for credentials.
type seenConn struct {
	net.PacketConn

	mu         sync.Mutex
	name       string
	life       time.Duration
	code       int
	codeReason string
}

// ReadFrom implements net.PacketConn.
func (c *seenConn) ReadFrom(p []byte) (int, net.Addr, error) {
	n, addr, err := c.PacketConn.ReadFrom(p)
	if err == nil && stun.IsMessage(p[:n]) {
		c.note(p[:n])
	}
	return n, addr, err
}

func (c *seenConn) note(raw []byte) {
	m := &stun.Message{Raw: append([]byte(nil), raw...)}
	if m.Decode() != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var software stun.Software
	if software.GetFrom(m) == nil {
		c.name = printable(software.String())
	}
	if m.Type.Method != stun.MethodAllocate {
		return
	}
	var code stun.ErrorCodeAttribute
	c.code, c.codeReason = 0, ""
	if code.GetFrom(m) == nil {
		c.code, c.codeReason = int(code.Code), printable(string(code.Reason))
	}
	if raw, err := m.Get(stun.AttrLifetime); err == nil && len(raw) == 4 {
		c.life = time.Duration(uint32(raw[0])<<24|uint32(raw[1])<<16|uint32(raw[2])<<8|uint32(raw[3])) * time.Second
	}
}

// printable keeps a server's text from disturbing a terminal.
func printable(s string) string {
	if len(s) > 128 {
		s = s[:128]
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s)
}

func (c *seenConn) software() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.name
}

func (c *seenConn) lifetime() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.life
}

// refusal is the last allocation's error.
func (c *seenConn) refusal() (int, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.code, c.codeReason
}

// nopFactory makes loggers that drop everything.
type nopFactory struct{}

// NewLogger implements logging.LoggerFactory.
func (nopFactory) NewLogger(string) logging.LeveledLogger { return nopLog{} }
