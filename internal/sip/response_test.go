package sip

import (
	"strings"
	"testing"
)

func TestAppendResponse(t *testing.T) {
	t.Parallel()
	request := "OPTIONS sip:a SIP/2.0\r\nv: SIP/2.0/UDP one;branch=1\r\nVia: SIP/2.0/UDP two\r\n ;rport\r\nf: <sip:f>;tag=1\r\nTo: <sip:a>\r\ni: x\r\nCSeq: 4 OPTIONS\r\n\r\n"
	head := "Via: SIP/2.0/UDP one;branch=1\r\nVia: SIP/2.0/UDP two ;rport\r\nFrom: <sip:f>;tag=1\r\nTo: <sip:a>"
	tail := "\r\nCall-ID: x\r\nCSeq: 4 OPTIONS\r\n"
	v := parse(t, request)

	got := string(AppendResponse([]byte("before "), v, 200, "OK", "Allow: INVITE", "X: y"))
	built := parse(t, strings.TrimPrefix(got, "before "))
	tag := string(built.ToTag())
	if tag == "" {
		t.Fatal("no tag in To")
	}
	if want := "before SIP/2.0 200 OK\r\n" + head + ";tag=" + tag + tail + "Allow: INVITE\r\nX: y\r\nContent-Length: 0\r\n\r\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if again := string(AppendResponse([]byte("before "), v, 200, "OK", "Allow: INVITE", "X: y")); again != got {
		t.Error("the same request is answered with another tag")
	}
	other := parse(t, string(AppendResponse(nil, parse(t, strings.Replace(request, "branch=1", "branch=2", 1)), 200, "OK")))
	if string(other.ToTag()) == tag {
		t.Error("another branch is answered with the same tag")
	}
	if got, want := string(AppendResponse(nil, v, 100, "Trying")), "SIP/2.0 100 Trying\r\n"+head+tail+"Content-Length: 0\r\n\r\n"; got != want {
		t.Errorf("100: got\n%s\nwant\n%s", got, want)
	}
	inDialog := parse(t, strings.Replace(request, "To: <sip:a>", "To: <sip:a>;tag=mine", 1))
	if built := parse(t, string(AppendResponse(nil, inDialog, 481, "Gone"))); string(built.ToTag()) != "mine" || built.Status() != 481 {
		t.Errorf("in a dialog: tag %q, status %d", built.ToTag(), built.Status())
	}
}
