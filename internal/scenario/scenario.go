// Package scenario reads SIPp's XML scenarios and turns them into steps that the engine can run.
//
// A file is either understood completely or refused with every mistake in it at once, each with its line and what would be right:
// what SIPp knows and this program does not do yet is an error too, so that no part of a scenario is silently left out. The
// built-in scenarios come from here as well.
//
// The package must not know calls, sockets or media: it says what an author wants, not how it is done. Names of media kinds are
// text here (rtp, webrtc, none) for that reason.
package scenario

import (
	"io/fs"
	"regexp"
	"time"

	"github.com/gossipper/gossipper/internal/template"
)

// Scenario is a validated scenario. It never changes after Parse and is shared by all calls.
type Scenario struct {
	Name string
	// File is the path or built-in name, as it stands in messages.
	File string
	// Dir resolves the files that the scenario names (rtp_stream): the directory of the file, or the built-ins.
	Dir    fs.FS
	WebRTC Switch
	Steps  []Step
	// Variables are the names of Global, User and per-call variables; a Variable's number is its index.
	Variables []Variable
	// RTDs are the names of the response time durations; start_rtd and rtd refer to them by index. One that no step starts runs
	// from the beginning of the call.
	RTDs []string
	// Warnings are what Parse found odd but usable, in the order of the lines.
	Warnings []Problem
}

// Switch is an attribute that may be absent.
type Switch uint8

// The positions of a Switch.
const (
	Unset Switch = iota
	On
	Off
)

// Role is the side that a scenario plays: it follows from whether its first message is sent or received.
type Role uint8

// The roles.
const (
	UAC Role = iota + 1 // starts calls
	UAS                 // answers calls
)

// String returns uac or uas.
func (r Role) String() string {
	if r == UAC {
		return "uac"
	}
	return "uas"
}

// Variable is a scenario variable.
type Variable struct {
	Name  string
	Scope Scope
}

// Scope says who shares a variable.
type Scope uint8

// The scopes.
const (
	PerCall Scope = iota
	PerUser
	Global
)

// NoStep is the value of Step.Next and Step.OnTimeout when the attribute is absent.
const NoStep = -1

// Step is one element of the scenario that a call can stand at. Exactly one of Send, Recv, Pause is set; none is for nop.
type Step struct {
	Line  int    // of the element in the file
	Label string // what messages call the step: "send INVITE", "recv 200", "pause"

	Send  *Send
	Recv  *Recv
	Pause *Pause

	Actions []Action

	// Next and OnTimeout are indexes into Steps, len(Steps) for the end of the scenario, NoStep if absent.
	Next      int
	OnTimeout int
	// Timeout is recv's timeout attribute (of send: how long congestion may last); 0 if absent.
	Timeout time.Duration

	StartRTD []int
	StopRTD  []int
	CRLF     bool // a blank line after this step on the screen
}

// Send is a message to be sent.
type Send struct {
	Message *template.Template
	// Method is the request method, empty for a response.
	Method string
	// Status is the status code, 0 for a request.
	Status int
	// Retrans is T1 of this message; 0: it is never retransmitted.
	Retrans time.Duration

	textLine int // line of the file on which the text of the message begins
}

// Recv is a message to wait for.
type Recv struct {
	Request string // method, or empty
	// Responses are the status codes, any of which matches. With provisional and final codes in one list, a provisional one
	// is taken note of without leaving the step.
	Responses []int
	Optional  Optional
	RRS       bool // keep the route set and Contact of the message
}

// Optional is the optional attribute of recv.
type Optional uint8

// The values of Optional.
const (
	Mandatory Optional = iota
	OptionalHere
	OptionalGlobal
)

// Pause is a step that waits. A timewait is the pause at the end of a scenario in which the call already counts as successful.
type Pause struct {
	// Duration is negative when the scenario leaves it to the run (-d in SIPp).
	Duration time.Duration
	TimeWait bool
}

// Action is something done at a step, one of the types below.
type Action interface{ isAction() }

// Ereg searches a POSIX extended regular expression.
type Ereg struct {
	Line   int
	Regexp *regexp.Regexp
	In     SearchIn
	// Header is the text after which the search begins, for SearchHeader ("CSeq:").
	Header     string
	Variable   int  // for SearchVariable: index into Scenario.Variables
	Occurrence int  // n-th instance of the header, from 1
	StartLine  bool // the header text must stand at the start of a line
	CaseIndep  bool // the header text matches in any case
	// CheckIt fails the call without a match, CheckItInverse with one.
	CheckIt, CheckItInverse bool
	// AssignTo are variables for the whole match and the groups.
	AssignTo []int
}

// SearchIn is where an Ereg searches.
type SearchIn uint8

// The places.
const (
	SearchMessage SearchIn = iota
	SearchHeader
	SearchBody
	SearchVariable
)

// Log writes a line to the run's scenario log.
type Log struct {
	Line    int
	Message *template.Template
}

// RTPStream controls what the call plays (exec rtp_stream).
type RTPStream struct {
	Line int
	Op   RTPStreamOp
	// Source is a file name, "tone:HZ" or "silence"; for RTPPlay only.
	Source string
	// Loops is how often to play it, -1 for ever.
	Loops int
}

// RTPStreamOp is what an RTPStream does.
type RTPStreamOp uint8

// The operations.
const (
	RTPPlay RTPStreamOp = iota
	RTPPause
	RTPResume
	RTPStop
)

// RTPRecord starts or stops the recording of the call (exec rtp_record).
type RTPRecord struct {
	Line int
	Stop bool
	// File is a name within the recordings directory; empty: named after the call.
	File   string
	Stereo bool
}

func (*Ereg) isAction()      {}
func (*Log) isAction()       {}
func (*RTPStream) isAction() {}
func (*RTPRecord) isAction() {}
