package sdp

import (
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pionsdp "github.com/pion/sdp/v3"

	"github.com/gossipper/gossipper/internal/outcome"
)

var update = flag.Bool("update", false, "write the golden files")

// answerTo is the answer that a bridge with fixed parameters would give.
func answerTo(r *Remote, formats []Format) []byte {
	l := Local{
		SessionID: 7, Version: 1, Address: netip.MustParseAddr("192.0.2.1"), Ufrag: "ufrg", Pwd: "password0123456789abcd",
		Fingerprint: "sha-256 AA", Setup: "active", Formats: AnswerFormats(formats), SSRC: 99, CNAME: "cn", Trickle: true,
		Candidates: []Candidate{
			{Foundation: "1", Component: 1, Protocol: "udp", Priority: 5, Host: "192.0.2.1", Port: 5000, Type: "host"},
			{Foundation: "2", Component: 1, Protocol: "udp", Priority: 4, Host: "203.0.113.1", Port: 6000, Type: "srflx", Related: "raddr 192.0.2.1 rport 5000"},
		},
	}
	l.AnswerTo(r)
	return l.Bytes()
}

// TestSDPGolden shows what becomes of peers' offers: what Pion is given, and what the peer is answered.
func TestSDPGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.in")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			in, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Parse(in, true)
			if err != nil {
				t.Fatal(err)
			}
			formats, err := CommonFormats(r.Formats, false)
			if err != nil {
				t.Fatal(err)
			}
			got := "# to Pion\r\n" + r.ForPion() + "# to the peer\r\n" + string(answerTo(r, formats))
			got = strings.ReplaceAll(got, "\r\n", "\n")
			golden := strings.TrimSuffix(file, ".in") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

const goodSDP = "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nt=0 0\nm=audio 4000 UDP/TLS/RTP/SAVPF 0 8\nc=IN IP4 192.0.2.1\n" +
	"a=fingerprint:sha-1 01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14\na=ice-ufrag:abcd\na=ice-pwd:0123456789012345678901\n"

func TestSDPIsRefused(t *testing.T) {
	t.Parallel()
	plain := "v=0\ns=-\nt=0 0\nm=audio 4000 RTP/AVP 0\n"
	for _, tc := range []struct {
		name, in string
		offer    bool
		code     string
		reason   string
	}{
		{name: "garbage", in: "\x00\xff not SDP at all", code: CodeInvalid, reason: "not SDP"},
		{name: "empty", code: CodeInvalid, reason: "not SDP"},
		{name: "no m-line", in: "v=0\ns=-\n", code: CodeInvalid, reason: "no m-line"},
		{name: "broken m-line", in: "v=0\nm=audio x RTP/AVP 0\n", code: CodeInvalid, reason: "m-line"},
		{name: "too long", in: strings.Repeat("a=x\n", 20000), code: CodeInvalid, reason: "bytes"},
		{name: "too many m-lines", in: "v=0\n" + strings.Repeat("m=audio 1 RTP/AVP 0\n", 17), code: CodeInvalid, reason: "more than 16"},
		{name: "plain RTP answer", in: plain, code: CodeProfileMismatch, reason: "the peer answered with plain RTP (RTP/AVP) to a WebRTC offer"},
		{name: "plain RTP offer", in: plain, offer: true, code: CodeProfileMismatch, reason: "the peer offered plain RTP (RTP/AVP) to a WebRTC call"},
		{name: "SDES", in: strings.Replace(plain, "AVP", "SAVP", 1) + "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\n", code: CodeProfileMismatch, reason: "a=crypto"},
		{name: "audio refused", in: strings.Replace(goodSDP, "4000", "0", 1), code: CodeMediaRejected, reason: "m=audio 0"},
		{name: "video only", in: "v=0\nm=video 1 RTP/AVP 96\n", code: CodeMediaRejected, reason: "no m=audio"},
		{name: "no ICE", in: strings.Replace(goodSDP, "a=ice-ufrag:abcd\n", "", 1), code: CodeProfileMismatch, reason: "no ICE"},
		{name: "ufrag with a space", in: strings.Replace(goodSDP, "abcd", "ab cd", 1), code: CodeInvalid, reason: "ice-ufrag"},
		{name: "short fingerprint", in: strings.Replace(goodSDP, "01:02:", "", 1), code: CodeInvalid, reason: "fingerprint"},
		{name: "unknown hash", in: strings.Replace(goodSDP, "sha-1", "md5", 1), code: CodeInvalid, reason: "fingerprint"},
		{name: "no common codec", in: strings.Replace(goodSDP, "0 8\n", "111\na=rtpmap:111 opus/48000/2\n", 1), code: CodeNoCommonCodec, reason: "111"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r, err := Parse([]byte(tc.in), tc.offer)
			if err == nil {
				_, err = CommonFormats(r.Formats, false)
			}
			var f *outcome.Failure
			if !errors.As(err, &f) {
				t.Fatalf("got %v", err)
			}
			if f.Outcome != outcome.MediaIncompatible || f.Stage != outcome.StageMedia || f.Code != tc.code || !strings.Contains(f.Reason, tc.reason) {
				t.Errorf("got %s %s %s %q, want %s with %q", f.Outcome, f.Stage, f.Code, f.Reason, tc.code, tc.reason)
			}
		})
	}
}

func TestSDPProfiles(t *testing.T) {
	t.Parallel()
	for _, proto := range []string{"UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP", "RTP/AVP"} {
		r, err := Parse([]byte(strings.Replace(goodSDP, "UDP/TLS/RTP/SAVPF", proto, 1)), true)
		if err != nil {
			t.Errorf("%s: %v", proto, err)
			continue
		}
		if !strings.Contains(string(answerTo(r, r.Formats)), "m=audio 6000 "+proto+" 0\r\n") {
			t.Errorf("%s is not echoed: %s", proto, answerTo(r, r.Formats))
		}
	}
}

func TestDirections(t *testing.T) {
	t.Parallel()
	for in, want := range map[Direction]Direction{SendRecv: SendRecv, SendOnly: RecvOnly, RecvOnly: SendOnly, Inactive: Inactive} {
		r, err := Parse([]byte(goodSDP+"a="+string(in)+"\n"), true)
		if err != nil || r.Direction != in || r.Direction.answer() != want {
			t.Errorf("%s: got %v, %v", in, r, err)
		}
		if strings.Contains(r.ForPion(), "a="+string(in)+"\r\n") != (in == SendRecv) {
			t.Errorf("%s reaches Pion", in)
		}
	}
}

func FuzzSDPAdapter(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.in")
	for _, file := range files {
		if in, err := os.ReadFile(file); err == nil {
			f.Add(in, true)
			f.Add(in, false)
		}
	}
	f.Add([]byte(goodSDP), true)
	f.Fuzz(func(t *testing.T, in []byte, offer bool) {
		r, err := Parse(in, offer)
		if err != nil {
			var failure *outcome.Failure
			if !errors.As(err, &failure) || failure.Code == "" {
				t.Fatalf("not a failure: %v", err)
			}
			return
		}
		var inner pionsdp.SessionDescription
		if err := inner.UnmarshalString(r.ForPion()); err != nil {
			t.Fatalf("Pion would not read %q: %v", r.ForPion(), err)
		}
		if len(inner.MediaDescriptions) != 1 {
			t.Fatalf("%d m-lines for Pion", len(inner.MediaDescriptions))
		}
		formats, err := CommonFormats(r.Formats, false)
		if err != nil {
			return
		}
		answer := answerTo(r, formats)
		_, sections, err := split(answer)
		if err != nil || len(sections) != len(r.sections) {
			t.Fatalf("the answer has %d m-lines, the offer %d, %v", len(sections), len(r.sections), err)
		}
		for i := range r.sections { // Pion's parser knows few profiles, and few kinds of media
			if r.sections[i].media != "audio" || !slices.Contains(profiles, r.sections[i].proto) {
				return
			}
		}
		var parsed pionsdp.SessionDescription
		if err := parsed.Unmarshal(answer); err != nil {
			t.Fatalf("our answer %q is not SDP: %v", answer, err)
		}
		if _, err := Parse(answer, false); err != nil && !strings.Contains(err.Error(), "fingerprint") {
			t.Fatalf("we would not take our own answer %q: %v", answer, err)
		}
	})
}
