package scenario

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gossipper/gossipper/internal/template"
)

var update = flag.Bool("update", false, "write the golden files")

// TestBadFiles compares the errors of each file with the text beside it.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.xml")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Parse(filepath.Base(file), data, fstest.MapFS{"sub/x.wav": {}})
			var parseErr *ParseError
			if !errors.As(err, &parseErr) {
				t.Fatalf("got %v", err)
			}
			golden := strings.TrimSuffix(file, ".xml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(err.Error()+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got := parseErr.Error() + "\n"; got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func mustParse(tb testing.TB, text string) *Scenario {
	tb.Helper()
	s, err := Parse("test.xml", []byte(text), fstest.MapFS{"a.wav": {}})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

const full = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<!DOCTYPE scenario SYSTEM "sipp.dtd">
<!-- comment with [keyword] and <recv> -->
<scenario name="full &amp; complete" webrtc="false">
  <Global variables="g"/>
  <User variables="u"/>
  <label id="again"/>
  <send retrans="500" start_rtd="invite,true" crlf="true" timeout="2000" ontimeout="failed">
    <![CDATA[

      INVITE sip:[service]@[remote_ip] SIP/2.0
      Via: SIP/2.0/[transport] x
      f: <sip:a>
      t: <sip:b>
      i: [call_id]
      CSeq: 1 INVITE
      X: [$g] [$u]

      body
    ]]>
  </send>
  <recv response="200,183" rrs="true" rtd="invite"
        timeout="30000" ontimeout="failed" next="again">
    <action>
      <ereg regexp="a\"([0-9]+)\\.[[:alpha:]]*" search_in="hdr" header="CSeq:" assign_to="_,seq"
            check_it="true" occurrence="2" case_indep="true" start_line="true"/>
      <ereg regexp="x" search_in="var" variable="seq" check_it_inverse="true"/>
      <log message="seq [$seq]\n[call_id]"/>
      <exec rtp_stream="a.wav,-1,8,PCMA/8000"/>
      <exec rtp_stream="tone:440"/><exec rtp_stream="silence,3"/><exec rtp_stream="pause"/><exec rtp_stream="resume"/><exec rtp_stream="stop"/>
      <exec rtp_record="start"/><exec rtp_record="call.wav,stereo"/><exec rtp_record="stop"/>
    </action>
  </recv>
  <recv request="BYE" optional="global"/>
  <recv request="INFO" optional="false"/>
  <pause milliseconds="1500.5"/>
  <nop rtd="1"/>
  <label id="failed"/>
  <timewait milliseconds="4000"/>
  <label id="end"/>
</scenario>
`

func TestFullScenario(t *testing.T) {
	t.Parallel()
	s := mustParse(t, full)
	if s.Warnings != nil {
		t.Errorf("warnings: %v", s.Warnings)
	}
	if s.Name != "full & complete" || s.WebRTC != Off || s.Role() != UAC || len(s.Steps) != 7 {
		t.Fatalf("%+v", s)
	}
	send := s.Steps[0]
	if send.Line != 8 || send.Send.Method != "INVITE" || send.Send.Retrans != 500*time.Millisecond || !send.CRLF || send.Timeout != 2*time.Second ||
		send.OnTimeout != 6 || send.Next != NoStep || len(send.StartRTD) != 2 || send.Send.textLine != 9 {
		t.Errorf("send: %+v %+v", send, send.Send)
	}
	recv := s.Steps[1]
	if recv.Label != "recv 200,183" || len(recv.Recv.Responses) != 2 || recv.Recv.Responses[1] != 183 || !recv.Recv.RRS || recv.Next != 0 ||
		recv.OnTimeout != 6 || recv.Timeout != 30*time.Second || len(recv.StopRTD) != 1 || recv.StopRTD[0] != 0 {
		t.Errorf("recv: %+v %+v", recv, recv.Recv)
	}
	if s.RTDs[0] != "invite" || s.RTDs[1] != "1" || s.Steps[5].StopRTD[0] != 1 {
		t.Errorf("response times %v", s.RTDs)
	}
	if s.Steps[2].Recv.Optional != OptionalGlobal || s.Steps[2].Label != "recv BYE (optional, global)" || s.Steps[3].Recv.Optional != Mandatory {
		t.Errorf("optional: %+v %+v", s.Steps[2], s.Steps[3])
	}
	if p := s.Steps[4].Pause; p.Duration != 1500500*time.Microsecond || p.TimeWait {
		t.Errorf("pause: %+v", p)
	}
	if p := s.Steps[6].Pause; p.Duration != 4*time.Second || !p.TimeWait || s.Steps[6].Label != "timewait" {
		t.Errorf("timewait: %+v", p)
	}
	want := []Variable{{"g", Global}, {"u", PerUser}, {"_", PerCall}, {"seq", PerCall}}
	for i, v := range want {
		if s.Variables[i] != v {
			t.Errorf("variable %d: got %+v, want %+v", i, s.Variables[i], v)
		}
	}
}

func TestActions(t *testing.T) {
	t.Parallel()
	actions := mustParse(t, full).Steps[1].Actions
	if len(actions) != 12 {
		t.Fatalf("%d actions", len(actions))
	}
	e := actions[0].(*Ereg)
	if e.Regexp.String() != `a"([0-9]+)\.[[:alpha:]]*` || e.In != SearchHeader || e.Header != "CSeq:" || e.Occurrence != 2 || !e.CaseIndep ||
		!e.StartLine || !e.CheckIt || e.CheckItInverse || len(e.AssignTo) != 2 || e.AssignTo[1] != 3 {
		t.Errorf("%+v", e)
	}
	if e := actions[1].(*Ereg); e.In != SearchVariable || e.Variable != 3 || !e.CheckItInverse || e.Occurrence != 1 {
		t.Errorf("%+v", e)
	}
	v := &template.Values{CallID: "id"}
	if got := string(actions[2].(*Log).Message.AppendTo(nil, v)); got != "seq \nid" {
		t.Errorf("log %q", got)
	}
	for i, want := range []RTPStream{
		{Line: 29, Source: "a.wav", Loops: -1},
		{Line: 30, Source: "tone:440", Loops: 1},
		{Line: 30, Source: "silence", Loops: 3},
		{Line: 30, Op: RTPPause, Loops: 1},
		{Line: 30, Op: RTPResume, Loops: 1},
		{Line: 30, Op: RTPStop, Loops: 1},
	} {
		if got := *actions[3+i].(*RTPStream); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	for i, want := range []RTPRecord{{Line: 31}, {Line: 31, File: "call.wav", Stereo: true}, {Line: 31, Stop: true}} {
		if got := *actions[9+i].(*RTPRecord); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestBytesOfMessageAreKept(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"UTF-8", "ISO-8859-1", "windows-1252"} {
		text := "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"" + encoding + "\"?>\r\n<scenario name=\"caf\xc3\xa9\">\r\n<send><![CDATA[\r\n" +
			"OPTIONS sip:a SIP/2.0\r\nX: \xe9\xff \xe2\x82\xac\r\n]]></send></scenario>"
		s := mustParse(t, text)
		if got, want := string(s.Steps[0].Send.Message.AppendTo(nil, &template.Values{})), "OPTIONS sip:a SIP/2.0\r\nX: \xe9\xff \xe2\x82\xac\r\n\r\n"; got != want {
			t.Errorf("%s: got %q, want %q", encoding, got, want)
		}
		if s.Name != "caf\xc3\xa9" {
			t.Errorf("%s: name %q", encoding, s.Name)
		}
	}
}

// TestPublishedSnippets parses the examples of the documentation, which leave out parts of messages.
func TestPublishedSnippets(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"uas": {
			`snippet_uas.xml:4: warning: the message has no Via, From, To, Call-ID, CSeq: RFC 3261 8.1.1 and 8.2.6.2 want these headers`,
			`snippet_uas.xml:7: warning: there is no blank line between the header and [webrtc_answer]: one is inserted; write it to be clear`,
			`snippet_uas.xml:9: warning: the text "..." is ignored`,
		},
		"uac": {
			`snippet_uac.xml:2: warning: the INVITE is never sent again if it is lost over UDP: write <send retrans="500">`,
			`snippet_uac.xml:3: warning: the message has no Via, From, To, Call-ID, CSeq: RFC 3261 8.1.1 and 8.2.6.2 want these headers`,
			`snippet_uac.xml:4: warning: the header line "..." has no name with a colon: write Name: value`,
			`snippet_uac.xml:7: warning: there is no blank line between the header and [webrtc_offer]: one is inserted; write it to be clear`,
			`snippet_uac.xml:10: warning: the text "..." is ignored`,
		},
	} {
		file := "snippet_" + name + ".xml"
		data, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(file, data, nil)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		var got []string
		for _, p := range s.Warnings {
			got = append(got, p.String())
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	data, err := os.ReadFile("testdata/snippet_uas.xml")
	if err != nil {
		t.Fatal(err)
	}
	answer := "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n"
	got := string(mustParse(t, string(data)).Steps[1].Send.Message.AppendTo(nil, &template.Values{SDPAnswer: []byte(answer)}))
	if want := "SIP/2.0 200 OK\r\nContent-Type: application/sdp\r\nContent-Length:    31\r\n\r\n" + answer; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestProblemsAreBounded(t *testing.T) {
	t.Parallel()
	_, err := Parse("many.xml", []byte("<scenario>"+strings.Repeat("<x/>\n", 1000)+"</scenario>"), nil)
	var parseErr *ParseError
	if !errors.As(err, &parseErr) || len(parseErr.Problems) != maxProblems+1 {
		t.Fatalf("%v", err)
	}
	if last := parseErr.Problems[maxProblems].Text; last != "901 more problems are not shown" {
		t.Errorf("last: %q", last)
	}
}

func TestLoneStatistics(t *testing.T) {
	t.Parallel()
	s := mustParse(t, `<scenario><recv request="INVITE" hide="true"/><CallLengthRepartition value="10, 20"/></scenario>`)
	if len(s.Warnings) != 2 || s.Warnings[0].Text != "the attribute hide has no effect yet" || s.Warnings[1].Text != "<CallLengthRepartition> has no effect yet" {
		t.Errorf("warnings: %v", s.Warnings)
	}
}

// TestHostileFiles parses large files of the sort that make a careless parser take minutes or gigabytes.
func TestHostileFiles(t *testing.T) { //nolint:paralleltest // it measures time
	const size = MaxSize / 4
	fill := func(before, s, after string) string { return before + strings.Repeat(s, size/len(s)) + after }
	many := func(before, pattern, after string) string {
		var out strings.Builder
		out.WriteString(before)
		for i := 0; out.Len() < size; i++ {
			out.WriteString(strings.ReplaceAll(pattern, "#", strconv.Itoa(i)))
		}
		return out.String() + after
	}
	const end = "</scenario>"
	for _, tc := range []struct{ name, text, want string }{
		{"elements", fill("<scenario>", "<x/>", end), "the file has more than 20000 elements"},
		{"depth", fill("<scenario>", "<x>", ""), "elements are nested more than 32 deep"},
		{"attributes", many("<scenario", ` a#=""`, "/>"), "an element has more than 64 attributes"},
		{"text", fill("<scenario>", "a<!---->", end), "is ignored"},
		{"keywords", fill("<scenario><send><![CDATA[A b c\nX: ", "[xcall_id]", "]]></send>"+end), "unknown keyword [xcall_id]"},
		{"brackets", fill("<scenario><send><![CDATA[A b c\n", "[\n", "]]></send>"+end), "[ without ] on the same line"},
		{"nested brackets", fill("<scenario><send><![CDATA[A b c\n", "[", "]]></send>"+end), "[ without ] on the same line"},
		{"variables", many("<scenario><send><![CDATA[A b c\n", "[$#]", "]]></send>"+end), `is used only once`},
		{"headers", fill("<scenario><send><![CDATA[A b c\n", "x\n", "]]></send>"+end), ""},
		{"regexp", fill(`<scenario><nop><action><ereg regexp="`, "(a?)", `"/></action></nop>`+end), "the regular expression is too long"},
		{"labels", many("<scenario>", `<pause next="a#"/><label id="b#"/>`, end), "the file has more than 20000 elements"},
		{"open tags", fill("<scenario>", "<", end), "XML: expected element name after <"},
		{"quotes", fill("<scenario a=", `"`, end), "XML: "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			start := time.Now()
			s, err := Parse("hostile.xml", []byte(tc.text), nil)
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
			if tc.want == "" {
				if err != nil || len(s.Warnings) > maxProblems+1 {
					t.Errorf("got %.300v, %d warnings", err, len(s.Warnings))
				}
				return
			}
			var parseErr *ParseError
			if !errors.As(err, &parseErr) || !strings.Contains(err.Error(), tc.want) || len(err.Error()) > 100_000 {
				t.Errorf("got %.300v", err)
			}
		})
	}
}
