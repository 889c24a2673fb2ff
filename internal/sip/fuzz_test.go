package sip

import (
	"bytes"
	"strings"
	"testing"

	sipgo "github.com/emiago/sipgo/sip"
)

// FuzzView looks at everything of a hostile message, and compares with sipgo's parser where that accepts the message.
func FuzzView(f *testing.F) {
	for _, tt := range viewTests {
		f.Add([]byte(tt.text))
	}
	f.Add([]byte(manyHeaders))
	f.Add([]byte("INVITE sip:a SIP/2.0\r\nCall-ID: x\r\nc: multipart/mixed;boundary=b\r\n\r\n--b\r\nc: application/sdp\r\n\r\nv=0\r\n--b--"))
	f.Add([]byte("SIP/2.0 0 \r\nv://, ;branch=0\r\ni:0\r\n\r\n"))
	f.Add([]byte("SIP/2.0 0 \r\nCAll-ID:0\f\r\n\r\n"))
	parser := sipgo.NewParser()
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		v, err := ParseView(data)
		visit(t, &v)
		if !bytes.Equal(before, data) {
			t.Fatal("the message was changed")
		}
		if err != nil || !mustAgree(&v) {
			return
		}
		if m, err := parser.ParseSIP(bytes.Clone(data)); err == nil {
			compare(t, &v, m)
		}
	})
}

// visit calls every method, and checks that what the engine builds from the message can be read again.
func visit(t *testing.T, v *View) {
	look(v)
	for _, name := range []string{"Via", "v", "From", "X", "Contact", "m"} {
		line, ok := v.AppendHeader(nil, name)
		if ok != (len(line) > 0) || bytes.ContainsRune(line, '\n') {
			t.Fatalf("AppendHeader(%s) = %q, %v", name, line, ok)
		}
		if _, found := v.Header(name); found != ok {
			t.Fatalf("Header(%s) and AppendHeader differ", name)
		}
	}
	if len(v.Body()) > len(v.Bytes()) || len(v.SDP()) > len(v.Body()) {
		t.Fatal("a body longer than what holds it")
	}
	_, _, _ = v.ContactURI(), v.MediaType(), v.StartLine()
	if routes, next := RouteSet(v, true); strings.ContainsAny(routes, "\n") || len(next) > len(v.Bytes()) {
		t.Fatalf("RouteSet: %q, %q", routes, next)
	}
	if len(v.CallID()) == 0 {
		return
	}
	d := Dialog{Invite: v, Response: v, Protocol: "UDP", Branch: "z9hG4bK1", CSeq: 2}
	for name, text := range map[string][]byte{
		"response": AppendResponse(nil, v, 200, "OK"), "CANCEL": AppendCANCEL(nil, v), "failure ACK": AppendFailureACK(nil, v, v),
		"ACK": AppendACK(nil, &d), "BYE": AppendBYE(nil, &d),
	} {
		built, err := ParseView(text)
		if err != nil || !bytes.Equal(built.CallID(), unfolded(v.CallID())) || len(built.Body()) != 0 {
			t.Fatalf("%s: %v\n%q", name, err, text)
		}
	}
}

func unfolded(b []byte) []byte { return appendUnfolded(nil, b) }

// mustAgree tells whether the two parsers must agree: sipgo takes another one of several equal headers, knows no folds and no bare line
// feeds, and trims whatever Unicode calls white space.
func mustAgree(v *View) bool {
	headers := v.Bytes()[:v.body]
	lines := bytes.Count(headers, []byte("\r\n"))
	odd := func(r rune) bool { return r != '\r' && r != '\n' && (r < ' ' || r > '~') }
	return v.several == 0 && bytes.Count(headers, []byte("\n")) == lines && bytes.Count(headers, []byte("\r")) == lines &&
		!bytes.Contains(headers, []byte("\n ")) && !bytes.ContainsFunc(headers, odd)
}

// oneVia tells whether the Via header has one value only. Of a list whose first value is malformed, sipgo takes parameters from behind the
// comma, and this package does not; well-formed lists are in the unit tests.
func oneVia(v *View) bool {
	value, _ := v.Header("Via")
	return !bytes.ContainsRune(value, ',')
}

func compare(t *testing.T, v *View, m sipgo.Message) {
	switch m := m.(type) {
	case *sipgo.Request:
		if !v.IsRequest() || !strings.EqualFold(string(v.Method()), string(m.Method)) { // sipgo writes it in capitals
			t.Errorf("method %q, want %q", v.Method(), m.Method)
		}
	case *sipgo.Response:
		if v.IsRequest() || m.StatusCode <= 999 && v.Status() != m.StatusCode {
			t.Errorf("status %d, want %d", v.Status(), m.StatusCode)
		}
	}
	if h := m.CallID(); h != nil && string(v.CallID()) != h.Value() {
		t.Errorf("Call-ID %q, want %q", v.CallID(), h.Value())
	}
	if h := m.CSeq(); h != nil && (v.CSeqNumber() != h.SeqNo || !strings.EqualFold(string(v.CSeqMethod()), string(h.MethodName))) {
		t.Errorf("CSeq %d %q, want %d %q", v.CSeqNumber(), v.CSeqMethod(), h.SeqNo, h.MethodName)
	}
	if h := m.Via(); h != nil && oneVia(v) {
		if want, ok := h.Params.Get("branch"); ok && string(v.Branch()) != want {
			t.Errorf("branch %q, want %q", v.Branch(), want)
		}
	}
}
