package record

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
)

// sameAsJSON checks that the record is encoded as encoding/json does it, or refused as there.
func sameAsJSON(t *testing.T, r *Record) {
	t.Helper()
	want, wantErr := json.Marshal(r)
	got, err := r.appendJSON([]byte("before"))
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("error %v, want %v", err, wantErr)
	}
	if err == nil && string(got) != "before"+string(want) {
		t.Errorf("got\n%s\nwant\nbefore%s", got, want)
	}
}

func TestEncodeAsJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*Record)
	}{
		{"as it is", func(*Record) {}},
		{"no response times", func(r *Record) { r.SIP.ResponseTimes = nil }},
		{"text that needs escapes", func(r *Record) { r.Reason = new("\"a\\b\" <c> & \x00\x7f\u2028 ä \xff\n") }},
		{"empty text", func(r *Record) { r.CallID, r.Reason = "", new("") }},
		{"exponent", func(r *Record) { r.DurationMS, r.SIP.SetupMS = 1e-7, new(1e21) }},
		{"large number", func(r *Record) { r.DurationMS, r.SIP.SetupMS = 999999999999999900000, new(123456789.123) }},
		{"negative number", func(r *Record) { r.DurationMS, r.SIP.SetupMS = -1.5, new(math.Copysign(0, -1)) }},
		{"no number", func(r *Record) { r.DurationMS = math.NaN() }},
		{"another time zone", func(r *Record) { r.StartedAt = start.In(time.FixedZone("", 5400)) }},
		{"fraction of a second", func(r *Record) { r.StartedAt = start.Add(1234 * time.Microsecond) }},
		{"year that RFC 3339 lacks", func(r *Record) { r.StartedAt = start.AddDate(9000, 0, 0) }},
		{"year before all others", func(r *Record) { r.StartedAt = start.AddDate(-3000, 0, 0) }},
		{"no time", func(r *Record) { r.EndedAt = time.Time{} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, r := range []*Record{minimal(), full()} {
				c.change(r)
				sameAsJSON(t, r)
			}
		})
	}
	for _, o := range outcome.All() {
		r := minimal()
		r.Outcome = o
		sameAsJSON(t, r)
	}
}

func FuzzEncodeAsJSON(f *testing.F) {
	f.Add("1-17@127.0.0.1", "no answer", "1", 12.345, uint64(3), int64(1_772_366_400_123_456))
	f.Add("<&>\"\\", "\x80\u2029", "", -1e-9, uint64(math.MaxUint64), int64(-1))
	f.Fuzz(func(t *testing.T, id, reason, rtd string, ms float64, n uint64, micros int64) {
		r := minimal()
		r.CallID, r.Reason, r.Remote = id, &reason, &id
		r.CallNumber, r.SIP.MessagesSent, r.SIP.FinalStatus = n, n, new(int(n)) //nolint:gosec // any number will do
		r.DurationMS, r.SIP.PDDMS = ms, &ms
		r.SIP.ResponseTimes = map[string]*float64{rtd: &ms, id: nil}
		r.StartedAt, r.EndedAt = time.UnixMicro(micros).UTC(), time.UnixMicro(micros)
		sameAsJSON(t, r)
	})
}
