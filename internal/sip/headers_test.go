package sip

import (
	"slices"
	"testing"
)

const manyHeaders = "SIP/2.0 200 OK\r\n" +
	"Via: SIP/2.0/UDP one;branch=1\r\n" +
	"v: SIP/2.0/UDP two;branch=2,SIP/2.0/UDP three\r\n" +
	"Record-Route: <sip:p1;lr>, \"x, y\" <sip:p2,a;lr>\r\n" +
	"f: <sip:a>;tag=1\r\n" +
	"TO: <sip:b>\r\n ;tag=2\r\n\t;x \r\n" +
	"record-route: <sip:p3;lr>,,\r\n" +
	"Call-ID: x\r\nX-Empty:\r\nCSeq:  8   INVITE\r\n" +
	"m: \"Bob\" <sip:bob@host;transport=ws>;expires=1, <sip:other>\r\n" +
	"c : application/SDP ; charset=\"a;b\"\r\n" +
	"\r\nVia: not a header\r\n"

func parse(t testing.TB, text string) *View {
	t.Helper()
	v, err := ParseView([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return &v
}

func TestAppendHeader(t *testing.T) {
	t.Parallel()
	v := parse(t, manyHeaders)
	tests := []struct {
		name, want string
		missing    bool
	}{
		{"Via", "Via: SIP/2.0/UDP one;branch=1, SIP/2.0/UDP two;branch=2,SIP/2.0/UDP three", false},
		{"v", "Via: SIP/2.0/UDP one;branch=1, SIP/2.0/UDP two;branch=2,SIP/2.0/UDP three", false},
		{"from", "From: <sip:a>;tag=1", false},
		{"To", "To: <sip:b> ;tag=2 ;x", false},
		{"x-empty", "X-Empty: ", false},
		{"cseq", "CSeq: 8   INVITE", false},
		{"CONTACT", "Contact: \"Bob\" <sip:bob@host;transport=ws>;expires=1, <sip:other>", false},
		{"Nothing", "", true},
		{"X", "", true}, // Session-Expires
		{"", "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := v.AppendHeader([]byte("before "), tt.name)
			if string(got) != "before "+tt.want || ok == tt.missing {
				t.Errorf("got %q, %v", got, ok)
			}
		})
	}
}

func TestHeaderAccess(t *testing.T) {
	t.Parallel()
	v := parse(t, manyHeaders)
	if got, ok := v.Header("to"); !ok || string(got) != "<sip:b>\r\n ;tag=2\r\n\t;x" {
		t.Errorf("Header: %q, %v", got, ok)
	}
	if _, ok := v.Header("Subject"); ok {
		t.Error("Header found what is not there")
	}
	var each, list, routes []string
	for value := range v.EachHeader("Via") {
		each = append(each, string(value))
	}
	for value := range v.EachListValue("via") {
		list = append(list, string(value))
	}
	for value := range v.RecordRoutes() {
		routes = append(routes, string(value))
	}
	if want := []string{"SIP/2.0/UDP one;branch=1", "SIP/2.0/UDP two;branch=2,SIP/2.0/UDP three"}; !slices.Equal(each, want) {
		t.Errorf("EachHeader: %q", each)
	}
	if want := []string{"SIP/2.0/UDP one;branch=1", "SIP/2.0/UDP two;branch=2", "SIP/2.0/UDP three"}; !slices.Equal(list, want) {
		t.Errorf("EachListValue: %q", list)
	}
	if want := []string{"<sip:p1;lr>", `"x, y" <sip:p2,a;lr>`, "<sip:p3;lr>"}; !slices.Equal(routes, want) {
		t.Errorf("RecordRoutes: %q", routes)
	}
	for range v.EachListValue("Via") {
		break // a consumer may stop
	}
	if got := string(v.ContactURI()); got != "sip:bob@host;transport=ws" {
		t.Errorf("ContactURI: %q", got)
	}
	if got := v.MediaType(); got != "application/sdp" || !v.HasMediaType("application/sdp") {
		t.Errorf("MediaType: %q", got)
	}
	if got := string(v.StartLine()); got != "SIP/2.0 200 OK" {
		t.Errorf("StartLine: %q", got)
	}
}

func TestContactURI(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, contact, want string }{
		{"bare", "sip:a@b;transport=tcp", "sip:a@b"},
		{"bare in a list", "sip:a@b, sip:c", "sip:a@b"},
		{"brackets", "<sip:a@b;ob>;q=1", "sip:a@b;ob"},
		{"comma in the user part", "<sip:a,b@c>", "sip:a,b@c"},
		{"bracket in the display name", `"<x>, y" <sip:a>`, "sip:a"},
		{"star", "*", "*"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := parse(t, "SIP/2.0 200 OK\r\nCall-ID: x\r\nm: "+tt.contact+"\r\n\r\n")
			if got := string(v.ContactURI()); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNothingIsAllocated(t *testing.T) {
	data := []byte(manyHeaders)
	dst := make([]byte, 0, 1024)
	allocs := testing.AllocsPerRun(100, func() {
		v, err := ParseView(data)
		if err != nil {
			t.Error(err)
		}
		dst = dst[:0]
		for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
			dst, _ = v.AppendHeader(dst, name)
		}
		_, _, _ = v.MediaType(), v.SDP(), v.CallIDKey()
		_, _, _, _ = v.FromTag(), v.ToTag(), v.Branch(), v.ContactURI()
	})
	if allocs != 0 {
		t.Errorf("%v allocations per message", allocs)
	}
}

func BenchmarkAppendHeader(b *testing.B) {
	v := parse(b, invite)
	dst := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		dst, _ = v.AppendHeader(dst[:0], "Via")
		dst, _ = v.AppendHeader(dst, "From")
		dst, _ = v.AppendHeader(dst, "To")
	}
}
