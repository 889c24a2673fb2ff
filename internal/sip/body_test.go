package sip

import (
	"fmt"
	"strings"
	"testing"
)

const someSDP = "v=0\r\ns=-\r\n"

func TestSDP(t *testing.T) {
	t.Parallel()
	nested := "--in\r\nContent-Type: application/sdp\r\n\r\n" + someSDP + "--in--\r\n"
	deep := someSDP
	deepType := "application/sdp"
	for n := range 10 {
		deep = fmt.Sprintf("--b%d\r\nContent-Type: %s\r\n\r\n%s\r\n--b%d--\r\n", n, deepType, deep, n)
		deepType = fmt.Sprintf("multipart/mixed;boundary=b%d", n)
	}
	tests := []struct{ name, contentType, body, want string }{
		{"plain", "application/sdp", someSDP, someSDP},
		{"parameters and case", "Application/SDP; charset=utf-8", someSDP, someSDP},
		{"other type", "application/isup", someSDP, ""},
		{"empty", "application/sdp", "", ""},
		{"mixed", "multipart/mixed; boundary=b", "--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: application/sdp\r\n\r\n" +
			someSDP + "--b--\r\n", someSDP},
		{"quoted boundary, preamble, compact name", `multipart/related;type="application/sdp";boundary="=b 1"`, "preamble\r\n--=b 1 \r\nc: application/sdp\r\n\r\n" +
			someSDP + "\r\n--=b 1--\r\nepilogue", someSDP + "\r\n"},
		{"line feeds only", "multipart/alternative;boundary=b", "--b\nContent-Type: application/sdp\n\nv=0\n--b--\n", "v=0\n"},
		{"nested", "multipart/mixed;boundary=out", "--out\r\nContent-Type: multipart/alternative;boundary=in\r\n\r\n" + nested + "\r\n--out--\r\n", someSDP},
		{"part with Content-Length", "multipart/mixed;boundary=b", "--b\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\n" + someSDP + "--b--\r\n", "v=0\r\n"},
		{"a longer boundary is another one", "multipart/mixed;boundary=b", "--b\r\nContent-Type: application/sdp\r\n\r\n" + someSDP + "--bb\r\n--b--", someSDP + "--bb\r\n"},
		{"no closing delimiter", "multipart/mixed;boundary=b", "--b\r\nContent-Type: application/sdp\r\n\r\n" + someSDP, someSDP},
		{"no delimiter", "multipart/mixed;boundary=b", someSDP, ""},
		{"no boundary", "multipart/mixed", "--\r\nContent-Type: application/sdp\r\n\r\n" + someSDP, ""},
		{"after the closing delimiter", "multipart/mixed;boundary=b", "--b--\r\n--b\r\nContent-Type: application/sdp\r\n\r\n" + someSDP, ""},
		{"too deep", deepType, deep, ""},
		{"too many parts", "multipart/mixed;boundary=b", strings.Repeat("--b\r\n\r\n", 1000) + "--b\r\nContent-Type: application/sdp\r\n\r\n" + someSDP, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := parse(t, "INVITE sip:a SIP/2.0\r\nCall-ID: x\r\nContent-Type: "+tt.contentType+"\r\n\r\n"+tt.body)
			if got := string(v.SDP()); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestMediaType(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, line, want string }{
		{"known", "Content-Type: application/Trickle-ICE-sdpfrag", "application/trickle-ice-sdpfrag"},
		{"unknown", "c: Text/PLAIN;charset=x", "text/plain"},
		{"none", "X: y", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := parse(t, "INFO sip:a SIP/2.0\r\nCall-ID: x\r\n"+tt.line+"\r\n\r\n")
			if got := v.MediaType(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
