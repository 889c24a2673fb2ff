package sip

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// invite is an ordinary INVITE of about 520 bytes.
const invite = "INVITE sip:service@127.0.0.1:5060 SIP/2.0\r\n" +
	"Via: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK-4711-1-0\r\n" +
	"From: caller <sip:caller@127.0.0.1:5061>;tag=4711SIPpTag001\r\n" +
	"To: service <sip:service@127.0.0.1:5060>\r\n" +
	"Call-ID: 1-4711@127.0.0.1\r\n" +
	"CSeq: 1 INVITE\r\n" +
	"Contact: sip:caller@127.0.0.1:5061\r\n" +
	"Max-Forwards: 70\r\n" +
	"Subject: A call for the test\r\n" +
	"Content-Type: application/sdp\r\n" +
	"Content-Length:   129\r\n" +
	"\r\n" +
	"v=0\r\no=user1 53655765 2353687637 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n" +
	"t=0 0\r\nm=audio 6000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"

const ringing = "SIP/2.0 180 Ringing\r\n" +
	"v: SIP/2.0/UDP proxy.example.com;branch=z9hG4bKtop, SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK-4711-1-0\r\n" +
	"f: \"A. \\\"G;tag=no\\\" <Bell>\" <sip:caller@127.0.0.1:5061;tag=uri>;x=\";tag=quoted\";tag=a1\r\n" +
	"t: sip:service@127.0.0.1;tag=b2;other\r\n" +
	"i: abc///1-4711@127.0.0.1\r\n" +
	"CSeq: 1 INVITE\r\n" +
	"l: 0\r\n\r\n"

// seen is what a test expects of a view.
type seen struct {
	method, uri          string
	status               int
	reason               string
	callID, key          string
	cseq                 uint32
	cseqMethod           string
	fromTag, toTag       string
	branch, body         string
	noTo, response, noCS bool
}

func look(v *View) seen {
	return seen{
		method: string(v.Method()), uri: string(v.RequestURI()), status: v.Status(), reason: string(v.Reason()),
		callID: string(v.CallID()), key: string(v.CallIDKey()), cseq: v.CSeqNumber(), cseqMethod: string(v.CSeqMethod()),
		fromTag: string(v.FromTag()), toTag: string(v.ToTag()), branch: string(v.Branch()), body: string(v.Body()),
		noTo: !v.HasTo(), response: !v.IsRequest(), noCS: !v.HasCSeq(),
	}
}

var viewTests = []struct {
	name string
	text string
	want seen
}{
	{"invite", invite, seen{
		method: "INVITE", uri: "sip:service@127.0.0.1:5060", callID: "1-4711@127.0.0.1", key: "1-4711@127.0.0.1", cseq: 1, cseqMethod: "INVITE",
		fromTag: "4711SIPpTag001", branch: "z9hG4bK-4711-1-0", body: invite[strings.Index(invite, "v=0"):],
	}},
	{"response with compact names, quotes and a list of Vias", ringing, seen{
		response: true, status: 180, reason: "Ringing", callID: "abc///1-4711@127.0.0.1", key: "1-4711@127.0.0.1", cseq: 1, cseqMethod: "INVITE",
		fromTag: "a1", toTag: "b2", branch: "z9hG4bKtop",
	}},
	{"line feeds only", "BYE sip:a SIP/2.0\nCall-ID: x\nCSeq: 2 BYE\nTo: <sip:a>;tag=t\n\nbody", seen{
		method: "BYE", uri: "sip:a", callID: "x", key: "x", cseq: 2, cseqMethod: "BYE", toTag: "t", body: "body",
	}},
	{"folded lines", "OPTIONS sip:a SIP/2.0\r\nCall-ID:\r\n folded\r\nTo: <sip:a>\r\n\t;tag=t\r\n ;x=y\r\nCSeq: 7\r\n  OPTIONS\r\n\r\n", seen{
		method: "OPTIONS", uri: "sip:a", callID: "folded", key: "folded", cseq: 7, cseqMethod: "OPTIONS", toTag: "t",
	}},
	{"names in another case, space before the colon", "ACK sip:a SIP/2.0\r\nCALL-id : x\r\ncseq\t: 3 ACK\r\nVIA:SIP/2.0/UDP a ; BRANCH = z9 ;rport\r\nTO: a\r\n\r\n", seen{
		method: "ACK", uri: "sip:a", callID: "x", key: "x", cseq: 3, cseqMethod: "ACK", branch: "z9",
	}},
	{"the first of several counts", "ACK sip:a SIP/2.0\r\nCall-ID: x\r\ni: y\r\nCSeq: 3 ACK\r\nCSeq: 4 BYE\r\nv: z;branch=1\r\nVia: z;branch=2\r\nt: a;tag=1\r\nTo: a;tag=2\r\n\r\n", seen{
		method: "ACK", uri: "sip:a", callID: "x", key: "x", cseq: 3, cseqMethod: "ACK", branch: "1", toTag: "1",
	}},
	{"line without colon, no To, no end of headers", "INFO sip:a SIP/2.0\r\nrubbish\r\n: empty name\r\nCall-ID: x", seen{
		method: "INFO", uri: "sip:a", callID: "x", key: "x", noTo: true, noCS: true,
	}},
	{"CSeq without number", "INFO sip:a SIP/2.0\r\nCall-ID: x\r\nCSeq: INFO\r\nTo: a\r\n\r\n", seen{method: "INFO", uri: "sip:a", callID: "x", key: "x", noCS: true}},
	{"CSeq without space", "INFO sip:a SIP/2.0\r\nCall-ID: x\r\nCSeq: 1INFO\r\nTo: a\r\n\r\n", seen{method: "INFO", uri: "sip:a", callID: "x", key: "x", noCS: true}},
	{"CSeq without method", "INFO sip:a SIP/2.0\r\nCall-ID: x\r\nCSeq: 1\r\nTo: a\r\n\r\n", seen{method: "INFO", uri: "sip:a", callID: "x", key: "x", noCS: true}},
	{"CSeq beyond 32 bits", "INFO sip:a SIP/2.0\r\nCall-ID: x\r\nCSeq: 4294967296 INFO\r\nTo: a\r\n\r\n", seen{method: "INFO", uri: "sip:a", callID: "x", key: "x", noCS: true}},
	{"greatest CSeq", "INFO sip:a SIP/2.0\r\nCall-ID: x\r\nCSeq: 4294967295 INFO\r\nTo: a\r\n\r\n", seen{
		method: "INFO", uri: "sip:a", callID: "x", key: "x", cseq: 1<<32 - 1, cseqMethod: "INFO",
	}},
	{"body longer than Content-Length", "INFO sip:a SIP/2.0\r\nCall-ID: x\r\nTo: a\r\nContent-Length: 3\r\n\r\nabcdef", seen{
		method: "INFO", uri: "sip:a", callID: "x", key: "x", noCS: true, body: "abc",
	}},
	{"body shorter than Content-Length", "INFO sip:a SIP/2.0\r\nCall-ID: x\r\nTo: a\r\nl: 300\r\n\r\nabcdef", seen{
		method: "INFO", uri: "sip:a", callID: "x", key: "x", noCS: true, body: "abcdef",
	}},
	{"Content-Length that is no number", "INFO sip:a SIP/2.0\r\nCall-ID: x\r\nTo: a\r\nl: -3\r\n\r\nabcdef", seen{
		method: "INFO", uri: "sip:a", callID: "x", key: "x", noCS: true, body: "abcdef",
	}},
	{"line ends before the start line", "\r\n\r\nSIP/2.0 200\r\nCall-ID: x\r\nTo: a\r\n\r\n", seen{response: true, status: 200, callID: "x", key: "x", noCS: true}},
	{"status that is no number", "SIP/2.0 abc OK\r\nCall-ID: x\r\nTo: a\r\n\r\n", seen{response: true, callID: "x", key: "x", noCS: true}},
	{"status of four digits", "SIP/2.0 2000 OK\r\nCall-ID: x\r\nTo: a\r\n\r\n", seen{response: true, callID: "x", key: "x", noCS: true}},
	{"Request-URI with spaces", "INFO sip:a b SIP/2.0\r\nCall-ID: x\r\nTo: a\r\n\r\n", seen{method: "INFO", uri: "sip:a b", callID: "x", key: "x", noCS: true}},
	{"no Request-URI", "INFO SIP/2.0\r\nCall-ID: x\r\nTo: a\r\n\r\n", seen{method: "INFO", callID: "x", key: "x", noCS: true}},
	{"nothing after the slashes", "INFO sip:a SIP/2.0\r\nCall-ID: x///\r\nTo: a\r\n\r\n", seen{method: "INFO", uri: "sip:a", callID: "x///", key: "x///", noCS: true}},
	{"quotes and brackets never closed", "INFO sip:a SIP/2.0\r\nCall-ID: x\r\nTo: \"a <sip:b;tag=1\r\nFrom: <sip:b>;tag=\"2\r\n\r\n", seen{
		method: "INFO", uri: "sip:a", callID: "x", key: "x", noCS: true, toTag: "1", fromTag: `"2`,
	}},
}

func TestParseView(t *testing.T) {
	t.Parallel()
	if len(invite) < 500 {
		t.Fatalf("the sample INVITE has only %d bytes", len(invite))
	}
	for _, tt := range viewTests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v, err := ParseView([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if got := look(&v); got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
			if string(v.Bytes()) != tt.text {
				t.Error("Bytes is not the message")
			}
		})
	}
}

func TestParseViewErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       error
	}{
		{"empty", "", ErrKeepAlive},
		{"double line end", "\r\n\r\n", ErrKeepAlive},
		{"single line end", "\r\n", ErrKeepAlive},
		{"four zero bytes", "\x00\x00\x00\x00", ErrKeepAlive},
		{"three zero bytes", "\x00\x00\x00", ErrNotSIP},
		{"HTTP", "GET / HTTP/1.1\r\nCall-ID: x\r\n\r\n", ErrNotSIP},
		{"RTP", "\x80\x08\x12\x34\x00\x00\x00\x00\x00\x00\x00\x00", ErrNotSIP},
		{"one word", "INVITE\r\nCall-ID: x\r\n\r\n", ErrNotSIP},
		{"version only", " SIP/2.0\r\nCall-ID: x\r\n\r\n", ErrNotSIP},
		{"other version", "SIP/2.05 200 OK\r\nCall-ID: x\r\n\r\n", ErrNotSIP},
		{"no Call-ID", "INVITE sip:a SIP/2.0\r\nTo: a\r\n\r\nCall-ID: in the body\r\n", ErrNoCallID},
		{"empty Call-ID", "INVITE sip:a SIP/2.0\r\nCall-ID: \r\n\r\n", ErrNoCallID},
		{"start line only", "INVITE sip:a SIP/2.0", ErrNoCallID},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := ParseView([]byte(tt.text)); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestZeroViewIsSafe(t *testing.T) {
	t.Parallel()
	var v View
	if got := look(&v); got.status != 0 || got.method != "" || got.body != "" || !got.response {
		t.Errorf("got %+v", got)
	}
	if v.SDP() != nil || v.StartLine() != nil || len(v.ContactURI()) != 0 {
		t.Error("a view of nothing shows something")
	}
}

// What never closes its quotes or brackets must not cost more than its length.
func TestHostileTextTakesLinearTime(t *testing.T) {
	t.Parallel()
	const length = 1 << 18
	for _, unit := range []string{`"`, `\"`, `;"\`, `<`, `<,`, `,\"`, ";", ",", "a;tag;", "--\r\n "} {
		t.Run(unit, func(t *testing.T) {
			t.Parallel()
			text := "x;" + strings.Repeat(unit, length/len(unit))
			v := parse(t, "SIP/2.0 200 OK\r\nCall-ID: x\r\nTo: "+text+"\r\nVia: "+text+"\r\nContact: "+text+"\r\nRecord-Route: "+text+"\r\nContent-Type: "+text+"\r\n\r\n")
			start := time.Now()
			look(v)
			_, _ = v.ContactURI(), v.SDP()
			for range v.RecordRoutes() {
			}
			_, _ = v.AppendHeader(nil, "Contact")
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func TestRetainOutlivesTheBuffer(t *testing.T) {
	t.Parallel()
	buf := []byte(invite)
	v, err := ParseView(buf)
	if err != nil {
		t.Fatal(err)
	}
	memory := make([]byte, 0, 1024)
	kept, cloned := v.Retain(memory), v.Clone()
	clear(buf)
	for name, view := range map[string]*View{"Retain": &kept, "Clone": &cloned} {
		if string(view.CallID()) != "1-4711@127.0.0.1" || string(view.Bytes()) != invite {
			t.Errorf("%s did not keep the message", name)
		}
	}
	if &kept.Bytes()[0] != &memory[:1][0] {
		t.Error("Retain did not use the memory given")
	}
}

func BenchmarkParseView(b *testing.B) {
	data := []byte(invite)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseView(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTags(b *testing.B) {
	v, err := ParseView([]byte(ringing))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if len(v.ToTag())+len(v.FromTag())+len(v.Branch()) != 14 {
			b.Fatal("wrong tags")
		}
	}
}
