package template

import (
	"bytes"
	"strings"
	"testing"
)

// lastMessage is a LastMessage with fixed headers.
type lastMessage struct {
	headers map[string]string
	uri     string
	cseq    uint32
	text    string
}

func (m *lastMessage) AppendHeader(dst []byte, name string) ([]byte, bool) {
	value, ok := m.headers[strings.ToLower(name)]
	if !ok {
		return dst, false
	}
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	return append(dst, value...), true
}
func (m *lastMessage) RequestURI() []byte { return []byte(m.uri) }
func (m *lastMessage) CSeqNumber() uint32 { return m.cseq }
func (m *lastMessage) Bytes() []byte      { return []byte(m.text) }

type variables map[string]string

func (v variables) AppendVariable(dst []byte, name string) ([]byte, bool) {
	value, ok := v[name]
	return append(dst, value...), ok
}

func testValues() *Values {
	return &Values{
		RemoteHost: "sbc.example.net", RemoteIP: "192.0.2.1", RemotePort: 5060,
		LocalIP: "192.0.2.2", LocalIPType: "4", LocalPort: 5080, ServerIP: "192.0.2.3", Transport: "UDP",
		Service: "service", PID: 4242, MediaIP: "192.0.2.4", MediaIPType: "4", MediaPort: 6000, MediaKind: "rtp", ContactScheme: "UDP",
		CallNumber: 7, CallID: "7-4242@192.0.2.2", CSeq: 3, PeerTagParam: ";tag=peer", Routes: "Route: <sip:p1;lr>",
		NextURL: "sip:next@192.0.2.9", SDPOffer: []byte("v=0\r\ns=offer\r\n"), SDPAnswer: []byte("v=0\r\ns=answer!\r\n"),
		MsgIndex: 5, ClockTick: 1234, Timestamp: "2026-01-02 03:04:05",
		Last: &lastMessage{
			headers: map[string]string{"via": "SIP/2.0/UDP a;branch=b", "to": "<sip:x>", "cseq": "9 INVITE"},
			uri:     "sip:uri@example.net", cseq: 9, text: "INVITE x SIP/2.0\r\n\r\n",
		},
		Variables: variables{"name": "value", "1": "one", "empty": ""},
	}
}

const head = "OPTIONS sip:a SIP/2.0\n"

const wire = "OPTIONS sip:a SIP/2.0\r\n"

func TestMessageIsNormalised(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, text, want string }{
		{"header without line end", head + "X: 1", wire + "X: 1\r\n\r\n"},
		{"header with line end", head + "X: 1\n", wire + "X: 1\r\n\r\n"},
		{"header with many blank lines at both ends", "\n \n\t" + head + "X: 1\n\n\n  ", wire + "X: 1\r\n\r\n"},
		{"indentation and trailing blanks", "   " + head + "\t X: 1 \t\n   ", wire + "X: 1\r\n\r\n"},
		{"body without line end", head + "\nabc", wire + "\r\nabc"},
		{"body with line end", head + "\nabc\n", wire + "\r\nabc\r\n"},
		{"body with many line ends", head + "\nabc\n\n\n   ", wire + "\r\nabc\r\n"},
		{"blank line within the body", head + "\na\n\n  b\n", wire + "\r\na\r\n\r\nb\r\n"},
		{"blank line of blanks", head + "   \nabc\n", wire + "\r\nabc\r\n"},
		{"CRLF in the file", "OPTIONS sip:a SIP/2.0\r\nX: 1\r\n\r\nabc\r\n", wire + "X: 1\r\n\r\nabc\r\n"},
		{"escaped bytes", head + `X: \x5B\x41\x0a\xfF\n\x4`, wire + "X: [A\n\xff\\n\\x4\r\n\r\n"},
		{"IPv6 address", "OPTIONS sip:a@[2001:db8::1]:5060 SIP/2.0", "OPTIONS sip:a@[2001:db8::1]:5060 SIP/2.0\r\n\r\n"},
		{"bytes above 127", head + "X: \xe9\xff", wire + "X: \xe9\xff\r\n\r\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := render(t, tc.text, testValues()); got != tc.want {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
		})
	}
}

func TestKeywords(t *testing.T) {
	t.Parallel()
	for keyword, want := range map[string]string{
		"[remote_host]": "sbc.example.net", "[remote_ip]": "192.0.2.1", "[remote_port]": "5060", "[remote_port+2]": "5062",
		"[local_ip]": "192.0.2.2", "[local_ip_type]": "4", "[local_port]": "5080", "[local_port-80]": "5000",
		"[server_ip]": "192.0.2.3", "[transport]": "UDP", "[sip_transport]": "UDP", "[service]": "service", "[pid]": "4242",
		"[media_ip]": "192.0.2.4", "[media_ip_type]": "4", "[media_port]": "6000", "[media_port+2]": "6002",
		"[media_transport]": "rtp", "[contact_transport]": "UDP",
		"[call_number]": "7", "[call_id]": "7-4242@192.0.2.2", "abc///[call_id]": "abc///7-4242@192.0.2.2",
		"[cseq]": "3", "[cseq+1]": "4", "[cseq-9]": "0",
		"[branch]": "z9hG4bK-4242-7-5", "[branch-2]": "z9hG4bK-4242-7-3", "[msg_index]": "5", "[msg_index+1]": "6",
		"[peer_tag_param]": ";tag=peer", "[next_url]": "sip:next@192.0.2.9",
		"[clock_tick]": "1234", "[timestamp]": "2026-01-02 03:04:05",
		"[last_Request_URI]": "sip:uri@example.net", "[last_cseq_number]": "9", "[last_cseq_number+1]": "10",
		"[last_Via:]": "Via: SIP/2.0/UDP a;branch=b", "[last_To]": "To: <sip:x>",
		"[$name]": "value", "[$1]": "one", "[$empty]": "", "[$none]": "", "[len]": "    0", "[len+12]": "   12", "[routes]": "Route: <sip:p1;lr>",
	} {
		if got, want := render(t, head+"X: "+keyword, testValues()), wire+"X: "+want+"\r\n\r\n"; got != want {
			t.Errorf("%s: got %q, want %q", keyword, got, want)
		}
	}
}

func TestMissingValues(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, text, want string }{
		{"alone on its line", "[last_Foo:]\nX: 1", "X: 1\r\n\r\n"},
		{"blanks after it", "[last_Foo:]  \nX: 1", "X: 1\r\n\r\n"},
		{"text after it stays", "[last_Foo:];suffix=1\nX: 1", ";suffix=1\r\nX: 1\r\n\r\n"},
		{"within a line", "X: a[last_Foo:]b", "X: ab\r\n\r\n"},
		{"at the end of a line", "X: a[$none]\nY: 1", "X: a\r\nY: 1\r\n\r\n"},
		{"several on one line", "[last_Foo:][$none]\nX: 1", "X: 1\r\n\r\n"},
		{"a value follows on the line", "[last_Foo:][$1]\nX: 1", "one\r\nX: 1\r\n\r\n"},
		{"several lines", "[last_Foo:]\n[$none]\n[last_Bar:]\nX: 1", "X: 1\r\n\r\n"},
		{"last header, then the body", "X: 1\n[last_Foo:]\n\nbody", "X: 1\r\n\r\nbody"},
		{"last header, no body", "X: 1\n[last_Foo:]", "X: 1\r\n\r\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got, want := render(t, head+tc.text, testValues()), wire+tc.want; got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

func TestNothingReceivedYet(t *testing.T) {
	t.Parallel()
	v := testValues()
	v.Last, v.Variables, v.Routes = nil, nil, ""
	got := render(t, head+"[last_Via:]\n[last_message]\n[last_Request_URI]\n[last_cseq_number]\n[$1]\n[routes]\nX: 1", v)
	if want := wire + "X: 1\r\n\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestIPv6(t *testing.T) {
	t.Parallel()
	v := testValues()
	v.RemoteIP, v.LocalIP, v.ServerIP, v.MediaIP = "2001:db8::1", "2001:db8::2", "[2001:db8::3]", "2001:db8::4"
	got := render(t, head+"X: [remote_ip]:1 [local_ip] [server_ip]\n\nc=IN IP6 [media_ip]\no=[local_ip]\n", v)
	want := wire + "X: [2001:db8::1]:1 [2001:db8::2] [2001:db8::3]\r\n\r\nc=IN IP6 2001:db8::4\r\no=2001:db8::2\r\n"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestLen(t *testing.T) {
	t.Parallel()
	v := testValues()
	v.Variables = variables{"big": strings.Repeat("x", 100_000)}
	for _, tc := range []struct{ name, text, want string }{
		{"no body", "Content-Length: [len]", "Content-Length:     0\r\n\r\n"},
		{"body", "Content-Length: [len]\n\nabc\n", "Content-Length:     5\r\n\r\nabc\r\n"},
		{"offset", "Content-Length: [len+3]\nX: [len-1]\n\nabc", "Content-Length:     6\r\nX:     2\r\n\r\nabc"},
		{"within the body", "\n[len]\n", "\r\n    7\r\n"},
		{"six digits", "L: [len]\nM: [len-1]\n\n[$big]", "L: 100000\r\nM:  99999\r\n\r\n" + strings.Repeat("x", 100_000)},
		{"six digits within the body", "L: [len]\n\n[len][$big]", "L: 100006\r\n\r\n100006" + strings.Repeat("x", 100_000)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got, want := render(t, head+tc.text, v), wire+tc.want; got != want {
				t.Errorf("got  %.100q\nwant %.100q", got, want)
			}
		})
	}
}

func TestSDPBodies(t *testing.T) {
	t.Parallel()
	const offer, answer = "v=0\r\ns=offer\r\n", "v=0\r\ns=answer!\r\n"
	for _, tc := range []struct {
		name, text, want string
		warnings         int
	}{
		{"offer", "L: [len]\n\n[sdp_offer]", "L:    14\r\n\r\n" + offer, 0},
		{"answer, with line end", "L: [len]\n\n[webrtc_answer]\n", "L:    16\r\n\r\n" + answer, 0},
		{"blank line missing", "L: [len]\n[webrtc_offer]", "L:    14\r\n\r\n" + offer, 1},
		{"blank line missing, indented", "L: [len]\n   [sdp_answer]\n  ", "L:    16\r\n\r\n" + answer, 1},
		{"own attributes after it", "L: [len]\n\n[sdp_offer]\na=own\n", "L:    21\r\n\r\n" + offer + "a=own\r\n", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tmpl, problems := Compile(head+tc.text, Options{})
			if len(problems) != tc.warnings {
				t.Errorf("problems: %v", problems)
			}
			if got, want := string(tmpl.AppendTo(nil, testValues())), wire+tc.want; got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

func TestPlainText(t *testing.T) {
	t.Parallel()
	tmpl, problems := Compile("  call [call_id]:\n [last_message] [$none]|[local_ip]", Options{Plain: true})
	if problems != nil {
		t.Fatal(problems)
	}
	v := testValues()
	v.LocalIP = "2001:db8::2"
	got := string(tmpl.AppendTo([]byte("> "), v))
	if want := ">   call 7-4242@192.0.2.2:\n INVITE x SIP/2.0\r\n\r\n |2001:db8::2"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text string
		want       Problem
	}{
		{"typing mistake", "X: 1\nX: [remot_ip]", Problem{3, Error, "unknown keyword [remot_ip]", "did you mean [remote_ip]?"}},
		{"wrong case", "X: [Call_ID]", Problem{2, Error, "unknown keyword [Call_ID]", "did you mean [call_id]?"}},
		{"with offset", "X: [media_prt+2]", Problem{2, Error, "unknown keyword [media_prt+2]", "did you mean [media_port+2]?"}},
		{"webrtc typing mistake", "\n[webrtc_ofer]", Problem{3, Error, "unknown keyword [webrtc_ofer]", "did you mean [webrtc_offer]?"}},
		{"no keyword", "X: [hello world]", Problem{2, Error, "unknown keyword [hello world]", `write \x5B for a bracket that begins no keyword`}},
		{"empty", "X: []", Problem{2, Error, "unknown keyword []", `write \x5B for a bracket that begins no keyword`}},
		{"not closed", "X: [call_id\nY: ]", Problem{2, Error, "[ without ] on the same line", `write \x5B for a bracket that begins no keyword`}},
		{"not supported", "[authentication username=a password=b]", Problem{2, Error, "[authentication] is not supported yet", ""}},
		{"injection", "X: [field0 file=\"a\"]", Problem{2, Error, "[field0] is not supported yet", ""}},
		{"nested", "X: [fill variable=[$n]]", Problem{2, Error, "[fill] is not supported yet", ""}},
		{"crypto", "\na=crypto:[cryptotag1audio]", Problem{3, Error, "[cryptotag1audio] is not supported yet", ""}},
		{"offset without meaning", "X: [call_id+1]", Problem{2, Error, "[call_id] takes no offset", "write [call_id]"}},
		{"huge offset", "X: [cseq+99999999999999999999]", Problem{2, Error, "the offset in [cseq+99999999999999999999] is too large", "the limit is 1000000"}},
		{"variable without name", "X: [$]", Problem{2, Error, "[$] names no variable", "write [$name]"}},
		{"last without name", "X: [last_:]", Problem{2, Error, "[last_:] names no header", "write [last_Via:] for the Via header of the last message received"}},
		{"many lens", "X: [len][len][len][len][len]", Problem{2, Error, "[len] occurs more than 4 times", "once in Content-Length is enough"}},
		{"SDP within a header", "X: [sdp_offer]", Problem{2, Error, "[sdp_offer] does not stand at the start of a line in the body", "it is a whole SDP body: put it on a line of its own, after the blank line"}},
		{"no blank line", "X: 1\n[sdp_offer]", Problem{3, Warning, "there is no blank line between the header and [sdp_offer]", "one is inserted; write it to be clear"}},
		{"header without colon", "...", Problem{2, Warning, `the header line "..." has no name with a colon`, "write Name: value"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tmpl, problems := Compile(head+tc.text, Options{})
			if len(problems) != 1 || problems[0] != tc.want {
				t.Errorf("got  %+v\nwant %+v", problems, tc.want)
			}
			if (tmpl == nil) != (tc.want.Severity == Error) {
				t.Errorf("template is %v", tmpl)
			}
		})
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	_, problems := Compile("OPTIONS [a] SIP/2.0\n[b]: 1\nX: [c\n\n[d][e]", Options{})
	var lines []int
	for _, p := range problems {
		lines = append(lines, p.Line)
	}
	if want := []int{1, 2, 3, 5, 5}; len(lines) != len(want) || lines[2] != 3 || lines[4] != 5 {
		t.Errorf("lines %v, want %v", lines, want)
	}
	if _, problems := Compile(" \n\n ", Options{}); len(problems) != 1 || problems[0].Text != "the message is empty" {
		t.Errorf("empty message: %v", problems)
	}
}

func TestWhatIsUsed(t *testing.T) {
	t.Parallel()
	tmpl, _ := Compile("\nINVITE sip:[service] SIP/2.0\nv: x;branch=[branch]\n[last_Call-ID:]\nX: [$b][$a][$b]\n\nm=audio [media_port] RTP/AVP 0\n", Options{})
	if got := strings.Join(tmpl.Variables(), ","); got != "b,a" {
		t.Errorf("variables %s", got)
	}
	for k, line := range map[Keyword]int{KeyService: 2, KeyBranch: 3, KeyLastHeader: 4, KeyVariable: 5, KeyMediaPort: 7, KeyCallID: 0} {
		if tmpl.LineOf(k) != line || tmpl.Uses(k) != (line > 0) {
			t.Errorf("%v: used %v, line %d, want line %d", k, tmpl.Uses(k), tmpl.LineOf(k), line)
		}
	}
	if !tmpl.UsesMediaAddress() || tmpl.UsesOffer() || tmpl.UsesAnswer() || tmpl.HandWrittenSDP() != 7 {
		t.Error("media of a hand-written body not seen")
	}
	if !tmpl.HasHeader("Via") || !tmpl.HasHeader("call-id") || !tmpl.HasHeader("i") || tmpl.HasHeader("CSeq") {
		t.Errorf("headers %v", tmpl.headers)
	}
	if tmpl.Start() != "INVITE sip:" {
		t.Errorf("start %q", tmpl.Start())
	}
	if offer, _ := Compile(head+"\n[webrtc_offer]", Options{}); !offer.UsesOffer() || offer.UsesAnswer() {
		t.Error("offer not seen")
	}
	if answer, _ := Compile(head+"\n[sdp_answer]", Options{}); !answer.UsesAnswer() || answer.UsesOffer() {
		t.Error("answer not seen")
	}
}

func runKeywords() []Keyword {
	var keys []Keyword
	for k := Keyword(1); k < KeyCallNumber; k++ {
		keys = append(keys, k)
	}
	return keys
}

func TestBind(t *testing.T) {
	t.Parallel()
	v := testValues()
	tmpl := compile(t, invite)
	bound := tmpl.Bind(v, runKeywords()...)
	if got, want := string(bound.AppendTo(nil, v)), string(tmpl.AppendTo(nil, v)); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if len(bound.fields) >= len(tmpl.fields)/2 || !bound.Uses(KeyTransport) || bound.LineOf(KeyTransport) != 3 {
		t.Errorf("%d fields of %d", len(bound.fields), len(tmpl.fields))
	}
	bound = compile(t, head+"[last_Foo:] [service][transport]\nX: [local_port+1] [cseq]").Bind(&Values{LocalPort: 7}, KeyService, KeyLocalPort, KeyCSeq)
	v.Transport = ""
	if got, want := string(bound.AppendTo(nil, v)), wire+"X: 8 3\r\n\r\n"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestRenderingAllocatesNothing(t *testing.T) {
	tmpl := compile(t, invite)
	v, buf := testValues(), make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { buf = tmpl.AppendTo(buf[:0], v) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func compile(tb testing.TB, text string) *Template {
	tb.Helper()
	tmpl, problems := Compile(text, Options{})
	if tmpl == nil {
		tb.Fatalf("%q: %v", text, problems)
	}
	return tmpl
}

// render renders twice, the second time behind other text, which must make no difference.
func render(tb testing.TB, text string, v *Values) string {
	tb.Helper()
	tmpl := compile(tb, text)
	first := tmpl.AppendTo(nil, v)
	const before = "before\n"
	if second := tmpl.AppendTo([]byte(before), v); !bytes.Equal(second[len(before):], first) {
		tb.Errorf("rendered %q, then %q", first, second)
	}
	return string(first)
}

func TestManyWarningsHideNoError(t *testing.T) {
	t.Parallel()
	text := head + strings.Repeat("no colon\n", 2*maxProblems)
	tmpl, problems := Compile(text, Options{})
	if len(problems) != maxProblems || tmpl == nil {
		t.Fatalf("%d problems, template %v", len(problems), tmpl)
	}
	if got := tmpl.AppendTo(nil, testValues()); len(got) != len(wire)+2*maxProblems*len("no colon\r\n")+2 {
		t.Errorf("%d bytes", len(got))
	}
	tmpl, problems = Compile(text+"[x]\n", Options{})
	if tmpl != nil || problems[len(problems)-1].Severity != Error {
		t.Errorf("the error is lost: %v", problems[len(problems)-1])
	}
	tmpl, problems = Compile(text+strings.Repeat("[x]\n", 2*maxProblems), Options{})
	if tmpl != nil || len(problems) != 2*maxProblems {
		t.Errorf("%d problems", len(problems))
	}
}
