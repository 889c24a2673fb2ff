package sdp

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/pion/ice/v4"
)

const (
	lineA = "candidate:1 1 udp 2130706431 192.0.2.1 4000 typ host"
	lineB = "candidate:2 1 UDP 1694498815 198.51.100.2 4001 typ srflx raddr 192.0.2.1 rport 4000 generation 0 ufrag abcd network-id 1"
)

func TestParseTrickle(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, contentType, body string
		want                    string // candidate host:port mid line ufrag; …
		end                     bool
		rejected                int
		err                     string
	}{
		{
			name: "sdpfrag", contentType: TypeSDPFrag, end: true,
			body: "a=ice-ufrag:abcd\r\na=ice-pwd:x\r\nm=audio 9 RTP/AVP 0\r\na=" + lineA + "\r\na=mid:0\r\na=" + lineB + "\r\na=end-of-candidates\r\n",
			want: "192.0.2.1:4000 0 0 abcd; 198.51.100.2:4001 0 0 abcd",
		},
		{
			name: "sdpfrag of two m-lines", contentType: TypeSDPFrag + ";charset=utf-8",
			body: "m=audio 9 RTP/AVP 0\na=mid:a\na=" + lineA + "\nm=video 9 RTP/AVP 96\na=mid:v\na=" + lineA + "\n",
			want: "192.0.2.1:4000 a 0 ; 192.0.2.1:4000 v 1 ",
		},
		{name: "candidate-only sdp", contentType: "Application/SDP", body: "a=" + lineA, want: "192.0.2.1:4000  -1 "},
		{name: "json object", contentType: TypeTrickleJSON, body: `{"candidate":"` + lineA + `","sdpMid":"0","sdpMLineIndex":0}`, want: "192.0.2.1:4000 0 0 "},
		{name: "json with a=", contentType: TypeTrickleJSON, body: `{"candidate":"a=` + lineA + `"}`, want: "192.0.2.1:4000  -1 "},
		{name: "json ufrag", contentType: TypeTrickleJSON, body: `{"candidate":"` + lineA + `","usernameFragment":"zz"}`, want: "192.0.2.1:4000  -1 zz"},
		{name: "json nested", contentType: TypeTrickleJSON, body: `{"candidate":{"candidate":"` + lineA + `","sdpMid":"1"}}`, want: "192.0.2.1:4000 1 -1 "},
		{name: "json array", contentType: TypeTrickleJSON, body: `["` + lineA + `",{"candidate":"` + lineB + `"}]`, want: "192.0.2.1:4000  -1 ; 198.51.100.2:4001  -1 abcd"},
		{name: "json candidates", contentType: TypeTrickleJSON, body: `{"candidates":[{"candidate":"` + lineA + `"},{"candidate":""}]}`, want: "192.0.2.1:4000  -1 ", end: true},
		{name: "json end", contentType: TypeTrickleJSON, body: `{"candidate":""}`, end: true},
		{name: "json null", contentType: TypeTrickleJSON, body: `{"candidate":null,"sdpMid":"0"}`, end: true},
		{name: "malformed candidate", contentType: TypeTrickleJSON, body: `{"candidate":"candidate:1 1 udp"}`, rejected: 1},
		{name: "flood", contentType: TypeSDP, body: strings.Repeat("a="+lineA+"\n", 70), rejected: 6, want: strings.TrimSuffix(strings.Repeat("192.0.2.1:4000  -1 ; ", 64), "; ")},
		{name: "json rubbish", contentType: TypeTrickleJSON, body: "{", err: "unexpected end"},
		{name: "json without candidate", contentType: TypeTrickleJSON, body: "{}", err: "neither"},
		{name: "json number", contentType: TypeTrickleJSON, body: `{"candidate":7}`, err: "cannot unmarshal"},
		{name: "json too deep", contentType: TypeTrickleJSON, body: "[[[[]]]]", err: "too deeply"},
		{name: "json empty", contentType: TypeTrickleJSON, err: "empty"},
		{name: "sdp without candidates", contentType: TypeSDP, body: "v=0\n", err: "neither"},
		{name: "other type", contentType: "text/plain", body: "a=" + lineA, err: "text/plain"},
		{name: "too long", contentType: TypeSDP, body: strings.Repeat("x", maxSize+1), err: "bytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseTrickle(tc.contentType, []byte(tc.body))
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Fatalf("got %v, want an error with %q", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var parts []string
			for _, c := range got.Candidates {
				parts = append(parts, fmt.Sprintf("%s %s %d %s", c.Candidate.AddrPort(), c.Mid, c.Line, c.Ufrag))
			}
			if s := strings.Join(parts, "; "); s != tc.want {
				t.Errorf("got %q, want %q", s, tc.want)
			}
			if got.End != tc.end || got.Rejected != tc.rejected {
				t.Errorf("end %t, rejected %d", got.End, got.Rejected)
			}
		})
	}
}

// checkTrickled is the oracle of the fuzz targets: what was accepted is bounded, and is read the same way by Pion.
func checkTrickled(t *testing.T, b Trickle) {
	if len(b.Candidates) > maxTrickled {
		t.Fatalf("%d candidates", len(b.Candidates))
	}
	for _, c := range b.Candidates {
		text := c.Candidate.String()
		again, err := ParseCandidate(text)
		if err != nil || again.String() != text {
			t.Fatalf("%q became %q, %v", text, again, err)
		}
		if !c.Candidate.Usable() {
			continue
		}
		theirs, err := ice.UnmarshalCandidate(text)
		if err != nil {
			t.Fatalf("Pion does not read %q: %v", text, err)
		}
		if theirs.Port() != int(c.Candidate.Port) || theirs.Type().String() != c.Candidate.Type {
			t.Fatalf("Pion reads %q as %s", text, theirs)
		}
	}
}

func FuzzTrickleJSON(f *testing.F) {
	for _, s := range []string{
		`{"candidate":"` + lineA + `","sdpMid":"0","sdpMLineIndex":0}`, `["` + lineB + `",null]`, `{"candidates":[{}]}`,
		`{"candidate":{"candidate":""}}`, "[[[[", `{"candidate":7}`, "null",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := ParseTrickle(TypeTrickleJSON, body)
		checkTrickled(t, b)
		if err == nil && !json.Valid(body) {
			t.Fatalf("%q is not JSON", body)
		}
	})
}

func FuzzSDPFrag(f *testing.F) {
	f.Add([]byte("a=ice-ufrag:abcd\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=" + lineA + "\r\na=" + lineB + "\r\na=end-of-candidates\r\n"))
	f.Add([]byte("a=candidate:1 1 tcp 1 ::1 9 typ host tcptype active"))
	f.Add([]byte("m=\na=candidate:"))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, _ := ParseTrickle(TypeSDPFrag, body)
		checkTrickled(t, b)
	})
}
