package record

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"time"
)

// encoder writes a Record as encoding/json does, byte for byte, without reflection: at thousands of calls a second that would take
// more time than the calls. What calls without media do not have is left to encoding/json.
type encoder struct {
	buf []byte
	err error // the first error
}

// appendJSON appends the record to dst.
func (r *Record) appendJSON(dst []byte) ([]byte, error) {
	e := encoder{buf: dst}
	e.name(`{"schema":`).int(int64(r.Schema))
	e.name(`,"call_id":`).text(r.CallID)
	e.name(`,"call_number":`).uint(r.CallNumber)
	e.name(`,"role":`).text(r.Role)
	e.name(`,"scenario":`).text(r.Scenario)
	e.name(`,"user":`).textOrNull(r.User)
	e.name(`,"local":`).textOrNull(r.Local)
	e.name(`,"remote":`).textOrNull(r.Remote)
	e.name(`,"started_at":`).time(r.StartedAt)
	e.name(`,"ended_at":`).time(r.EndedAt)
	e.name(`,"duration_ms":`).float(r.DurationMS)
	e.name(`,"outcome":`).text(r.Outcome.String())
	e.name(`,"error_code":`).textOrNull(r.ErrorCode)
	e.name(`,"reason":`).textOrNull(r.Reason)
	e.name(`,"fail_stage":`).textOrNull(r.FailStage)
	e.name(`,"failed_step":`).textOrNull(r.FailedStep)
	e.name(`,"sip":`).sip(&r.SIP)
	e.name(`,"media_kind":`).text(r.MediaKind)
	e.name(`,"media":`)
	orNull(&e, r.Media)
	e.name(`,"webrtc":`)
	orNull(&e, r.WebRTC)
	e.name(`,"recording":`).textOrNull(r.Recording)
	e.name("}")
	return e.buf, e.err
}

func (e *encoder) sip(s *SIP) {
	e.name(`{"final_status":`)
	if s.FinalStatus == nil {
		e.name("null")
	} else {
		e.int(int64(*s.FinalStatus))
	}
	e.name(`,"setup_ms":`).floatOrNull(s.SetupMS)
	e.name(`,"pdd_ms":`).floatOrNull(s.PDDMS)
	e.name(`,"messages_sent":`).uint(s.MessagesSent)
	e.name(`,"messages_received":`).uint(s.MessagesReceived)
	e.name(`,"retransmissions":`).uint(s.Retransmissions)
	e.name(`,"response_times":`).responseTimes(s.ResponseTimes)
	e.name("}")
}

func (e *encoder) responseTimes(times map[string]*float64) {
	if times == nil {
		e.name("null")
		return
	}
	names := make([]string, 0, 8)
	for name := range times {
		names = append(names, name)
	}
	slices.Sort(names)
	e.name("{")
	for i, name := range names {
		if i > 0 {
			e.name(",")
		}
		e.text(name)
		e.name(":").floatOrNull(times[name])
	}
	e.name("}")
}

// name appends what needs no encoding.
func (e *encoder) name(s string) *encoder {
	e.buf = append(e.buf, s...)
	return e
}

func (e *encoder) int(n int64)   { e.buf = strconv.AppendInt(e.buf, n, 10) }
func (e *encoder) uint(n uint64) { e.buf = strconv.AppendUint(e.buf, n, 10) }

func (e *encoder) text(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			e.other(s)
			return
		}
	}
	e.buf = append(e.buf, '"')
	e.buf = append(e.buf, s...)
	e.buf = append(e.buf, '"')
}

func (e *encoder) textOrNull(s *string) {
	if s == nil {
		e.name("null")
		return
	}
	e.text(*s)
}

func (e *encoder) float(f float64) {
	if abs := math.Abs(f); f != 0 && !(abs >= 1e-6 && abs < 1e21) {
		e.other(f) // with an exponent, or no number at all
		return
	}
	e.buf = strconv.AppendFloat(e.buf, f, 'f', -1, 64)
}

func (e *encoder) floatOrNull(f *float64) {
	if f == nil {
		e.name("null")
		return
	}
	e.float(*f)
}

func (e *encoder) time(t time.Time) {
	if year := t.Year(); t.Location() != time.UTC || year < 0 || year > 9999 {
		e.other(t)
		return
	}
	e.buf = append(e.buf, '"')
	e.buf = t.AppendFormat(e.buf, time.RFC3339Nano)
	e.buf = append(e.buf, '"')
}

// orNull appends a part of the record that calls without media do not have.
func orNull[T any](e *encoder, v *T) {
	if v == nil {
		e.name("null")
		return
	}
	e.other(v)
}

// other leaves a value to encoding/json.
func (e *encoder) other(v any) {
	text, err := json.Marshal(v)
	if err != nil && e.err == nil {
		e.err = err
	}
	e.buf = append(e.buf, text...)
}
