package webrtc

import (
	"errors"
	"slices"
	"strings"

	"github.com/pion/logging"
	"github.com/pion/stun/v4"
)

// pionLog listens to one peer's log, because two things that a user must know are told nowhere else:
//
//   - Why a STUN or TURN server was of no use. This version of Pion has no event for it (icecandidateerror in browsers). A warning
//     carries the server's address and the error as values, from which the STUN error code is taken with errors.As, not by reading text.
//     To repeat the allocation with a client of our own would double the load on the server, and could meet another answer.
//   - Why the DTLS handshake failed.
//
// Everything else is dropped without being formatted.
type pionLog struct {
	onServerError func(hostPort string, err error)
	onStartError  func(err error)
}

var _ logging.LoggerFactory = (*pionLog)(nil)

// NewLogger implements logging.LoggerFactory.
func (l *pionLog) NewLogger(scope string) logging.LeveledLogger {
	switch scope {
	case "ice":
		return iceLog{log: l}
	case "pc":
		return pcLog{log: l}
	default:
		return nopLog{}
	}
}

// iceLog hears the ICE agent.
type iceLog struct {
	nopLog
	log *pionLog
}

// gatherWarnings are parts of the formats of warnings about servers. All come from goroutines that gather, never from the agent's
// loop, which must not wait for a bridge.
var gatherWarnings = []string{"on TURN client", "server reflexive address", "Failed to resolve", "Failed to dial", "connect to relay", "DTLS client"}

// Warnf hears "failed to … on TURN client <server> <error>", "failed to get server reflexive address <network> <url> <error>"
// and the failures to reach a server over TCP or TLS; the latter do not name it.
func (l iceLog) Warnf(format string, args ...any) {
	if len(args) == 0 || !slices.ContainsFunc(gatherWarnings, func(part string) bool { return strings.Contains(format, part) }) {
		return
	}
	err, ok := args[len(args)-1].(error)
	if !ok {
		return
	}
	var hostPort string
	for _, arg := range args[:len(args)-1] {
		switch a := arg.(type) {
		case stun.URI:
			hostPort = Server{Host: a.Host, Port: uint16(a.Port)}.hostPort() //nolint:gosec // ports are checked when parsed
		case string:
			if strings.Contains(a, ":") {
				hostPort = a
			}
		}
	}
	l.log.onServerError(hostPort, err)
}

// Debugf hears that a STUN server's name was not resolved.
func (l iceLog) Debugf(format string, args ...any) {
	l.Warnf(format, args...)
}

// pcLog hears the PeerConnection.
type pcLog struct {
	nopLog
	log *pionLog
}

// Warnf hears "Failed to start manager: <error>".
func (l pcLog) Warnf(format string, args ...any) {
	if len(args) != 1 || !strings.Contains(format, "start manager") {
		return
	}
	if err, ok := args[0].(error); ok {
		l.log.onStartError(err)
	}
}

// stunCode returns the error code of a STUN or TURN response (RFC 8489 14.8) and its text.
func stunCode(err error) (int, string) {
	var t *stun.TurnError
	if errors.As(err, &t) {
		return int(t.ErrorCodeAttr.Code), printable(string(t.ErrorCodeAttr.Reason))
	}
	return 0, ""
}

// nopLog drops everything.
type nopLog struct{}

func (nopLog) Trace(string)          {}
func (nopLog) Tracef(string, ...any) {}
func (nopLog) Debug(string)          {}
func (nopLog) Debugf(string, ...any) {}
func (nopLog) Info(string)           {}
func (nopLog) Infof(string, ...any)  {}
func (nopLog) Warn(string)           {}
func (nopLog) Warnf(string, ...any)  {}
func (nopLog) Error(string)          {}
func (nopLog) Errorf(string, ...any) {}
