package record

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/schematest"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// minimal is a call of which hardly anything is known.
func minimal() *Record {
	return &Record{
		Schema: Schema, CallID: "1-17@127.0.0.1", CallNumber: 1, Role: "uac", Scenario: "uac",
		StartedAt: start, EndedAt: start.Add(time.Second), DurationMS: 1000,
		Outcome: outcome.Success, MediaKind: "none",
		SIP: SIP{ResponseTimes: map[string]*float64{}},
	}
}

// full is a failed WebRTC call of which everything is known.
func full() *Record {
	r := minimal()
	r.User, r.Local, r.Remote = new("alice"), new("127.0.0.1:5080"), new("127.0.0.1:5060")
	r.Outcome = outcome.MediaFailed
	r.ErrorCode, r.Reason = new("ice_failed"), new("no pair of candidates worked")
	r.FailStage, r.FailedStep = new("ice"), new("recv 200 (line 31)")
	r.SIP = SIP{
		FinalStatus: new(200), SetupMS: new(12.5), PDDMS: new(3.25), MessagesSent: 3, MessagesReceived: 2, Retransmissions: 1,
		ResponseTimes: map[string]*float64{"1": new(7.5), "register": nil},
	}
	r.MediaKind = "webrtc"
	r.Media = &Media{
		Codec: new("PCMA"), PacketsSent: 100, PacketsReceived: 98, BytesSent: 16000, BytesReceived: 15680, PacketsLost: new(int64(2)),
		Duplicated: 1, Reordered: 1, FractionLost: new(0.02), JitterMS: new(0.5), RTTMS: new(1.5),
		RemoteFractionLost: new(0.0), RemoteJitterMS: new(0.25), MOS: new(4.2), ConnectMS: new(30.0), FirstRTPMS: new(50.0),
		DTMFReceived: new("12#"),
	}
	r.WebRTC = &WebRTC{
		PCID: "pc-1", Codec: new("PCMA"), ICEGathering: "complete", ICEConnection: "failed", Connection: "failed", TURNAuth: "rest",
		SelectedPair: &SelectedPair{
			Local:  Candidate{ID: "a", Type: "host", Protocol: "udp", Address: new("127.0.0.1:4000")},
			Remote: Candidate{ID: "b", Type: "relay", Protocol: "udp"},
		},
		GatherMS: new(1.0), ICEMS: new(2.0), DTLSMS: new(3.0), OfferCreated: true, AnswerAccepted: true,
		RTPPacketsSent: 100, RTPPacketsReceived: 98, RTPPacketsLost: new(int64(2)), FractionLost: new(0.02), JitterMS: new(0.5),
		RemoteCandidates: 2, TrickleRejected: 1, TURNCredExpires: new(start.Add(time.Hour)), TURNRefreshCount: 1,
		ICEErrors: []ICEError{{URL: "turn:192.0.2.1:3478", Code: new(401), Text: "Unauthorized"}, {URL: "stun:192.0.2.1:3478", Text: "no answer"}},
		Timeline:  []Event{{MS: 0.5, Event: "offer_created"}},
	}
	r.Recording = new("recordings/1-17@127.0.0.1.wav")
	return r
}

func TestRecordSchemaHasTheFieldsOfTheStruct(t *testing.T) {
	t.Parallel()
	schematest.SameProperties(t, "call_record", reflect.TypeFor[Record]())
}

func TestRecordsConformToTheSchema(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]*Record{"hardly anything known": minimal(), "everything known": full()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			schematest.Validate(t, "call_record", text)
			var back Record
			if err := json.Unmarshal(text, &back); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(&back, r) {
				t.Errorf("after a round trip\n got %+v\nwant %+v", &back, r)
			}
		})
	}
}

func TestSchemaRefusesWhatIsNoRecord(t *testing.T) {
	t.Parallel()
	good, err := json.Marshal(full())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new string }{
		{"an outcome that is not on the list", `"media_failed"`, `"exploded"`},
		{"an unknown field", `"schema":1`, `"schema":1,"more":2`},
		{"another version", `"schema":1`, `"schema":2`},
		{"a missing field", `"user":"alice",`, ``},
		{"a text for a number", `"setup_ms":12.5`, `"setup_ms":"12.5"`},
		{"a time that is none", `2026-03-01T12:00:00Z`, `yesterday`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			bad := strings.Replace(string(good), c.old, c.new, 1)
			if bad == string(good) {
				t.Fatalf("%s is not in %s", c.old, good)
			}
			if schematest.Check(t, "call_record", []byte(bad)) == nil {
				t.Errorf("the schema accepts %s", bad)
			}
		})
	}
}

func TestUnknownIsNull(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(minimal())
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{
		"user", "local", "remote", "error_code", "reason", "fail_stage", "failed_step", "final_status", "setup_ms", "pdd_ms",
		"media", "webrtc", "recording",
	} {
		if !strings.Contains(string(text), `"`+field+`":null`) {
			t.Errorf("%s is not null in %s", field, text)
		}
	}
}

func TestMillis(t *testing.T) {
	t.Parallel()
	if got := Millis(1234567 * time.Nanosecond); got != 1.235 {
		t.Errorf("Millis(1.234567 ms) = %v, want 1.235", got)
	}
	if MillisOf(nil) != nil {
		t.Error("the milliseconds of an unknown duration are known")
	}
	if got := MillisOf(new(time.Duration)); got == nil || *got != 0 {
		t.Errorf("MillisOf(0) = %v, want 0", got)
	}
	if Text("") != nil || *Text("x") != "x" {
		t.Error("Text must be nil for the empty string only")
	}
}
