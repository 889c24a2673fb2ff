package media

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"

	"github.com/gossipper/gossipper/internal/outcome"
)

func lines(text ...string) string { return strings.Join(text, "\r\n") + "\r\n" }

func TestParseSDP(t *testing.T) {
	t.Parallel()
	head := lines("v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", "c=IN IP4 192.0.2.1", "t=0 0")
	pcmu, pcma := AudioFormat{PCMU, 0}, AudioFormat{PCMA, 8}
	endpoint := netip.MustParseAddrPort
	plain := AudioSDP{Address: endpoint("192.0.2.1:4000"), RTCP: endpoint("192.0.2.1:4001"), Profile: "RTP/AVP", Formats: []AudioFormat{pcmu, pcma}}
	changed := func(change func(*AudioSDP)) *AudioSDP {
		sdp := plain
		change(&sdp)
		return &sdp
	}
	tests := []struct {
		name, sdp string
		want      *AudioSDP
		code      string
	}{
		{name: "static types without rtpmap", sdp: head + lines("m=audio 4000 RTP/AVP 0 8 101"), want: &plain},
		{name: "bare line feeds", sdp: strings.ReplaceAll(head+lines("m=audio 4000 RTP/AVP 0 8"), "\r", ""), want: &plain},
		{name: "no line end at the end", sdp: head + "m=audio 4000 RTP/AVP 0 8", want: &plain},
		{
			name: "everything", sdp: head + lines("a=sendonly", "m=audio 4000/2 RTP/AVPF 111 96 8", "c=IN IP4 192.0.2.2/127", "a=rtpmap:111 opus/48000/2",
				"a=rtpmap:96 pcmu/8000/1", "a=ptime:30", "a=rtcp:5000 IN IP4 192.0.2.3", "a=recvonly", "a=ssrc:4294967295 cname:x", "a=ssrc:5 cname:y"),
			want: &AudioSDP{
				Address: endpoint("192.0.2.2:4000"), RTCP: endpoint("192.0.2.3:5000"), Profile: "RTP/AVPF", Formats: []AudioFormat{{PCMU, 96}, pcma},
				Direction: RecvOnly, PTime: 30, SSRC: 4294967295,
			},
		},
		{name: "direction of the session", sdp: head + lines("a=inactive", "m=audio 4000 RTP/AVP 0 8"), want: changed(func(s *AudioSDP) { s.Direction = Inactive })},
		{name: "a static type means something else", sdp: head + lines("m=audio 4000 RTP/AVP 0 8", "a=rtpmap:0 G729/8000"), want: changed(func(s *AudioSDP) { s.Formats = []AudioFormat{pcma} })},
		{name: "wideband G.711 is another codec", sdp: head + lines("m=audio 4000 RTP/AVP 97 8", "a=rtpmap:97 PCMU/16000"), want: changed(func(s *AudioSDP) { s.Formats = []AudioFormat{pcma} })},
		{name: "video and refused audio first", sdp: head + lines("m=video 3000 RTP/AVP 31", "c=IN IP4 192.0.2.7", "a=recvonly", "m=audio 0 RTP/AVP 0", "m=audio 4000 RTP/AVP 0 8", "m=audio 6000 RTP/AVP 8", "c=IN IP4 192.0.2.8", "a=ptime:60"), want: &plain},
		{name: "multipart body", sdp: lines("--b", "Content-Type: application/sdp", "") + head + lines("m=audio 4000 RTP/AVP 0 8", "--b", "Content-Type: application/isup", "", "\x01\x00\x49", "--b--"), want: &plain},
		{name: "IPv6", sdp: lines("c=IN IP6 2001:db8::1", "m=audio 4000 RTP/AVP 0 8"), want: changed(func(s *AudioSDP) {
			s.Address, s.RTCP = endpoint("[2001:db8::1]:4000"), endpoint("[2001:db8::1]:4001")
		})},
		{name: "on hold, the old way", sdp: lines("c=IN IP4 0.0.0.0", "m=audio 4000 RTP/AVP 0 8"), want: changed(func(s *AudioSDP) {
			s.Address, s.RTCP = endpoint("0.0.0.0:4000"), endpoint("0.0.0.0:4001")
		})},
		{name: "the highest port", sdp: head + lines("m=audio 65535 RTP/AVP 0 8"), want: changed(func(s *AudioSDP) {
			s.Address, s.RTCP = endpoint("192.0.2.1:65535"), endpoint("192.0.2.1:65535")
		})},
		{name: "no connection", sdp: lines("v=0", "m=audio 4000 RTP/AVP 0"), code: "no_connection"},
		{name: "connection of another stream only", sdp: lines("m=video 1 RTP/AVP 31", "c=IN IP4 192.0.2.1", "m=audio 4000 RTP/AVP 0"), code: "no_connection"},
		{name: "host name", sdp: lines("c=IN IP4 host.example", "m=audio 4000 RTP/AVP 0"), code: "connection_not_ip"},
		{name: "empty", sdp: "", code: "no_audio"},
		{name: "no audio", sdp: head + lines("m=video 4000 RTP/AVP 31"), code: "no_audio"},
		{name: "port out of range", sdp: head + lines("m=audio 70000 RTP/AVP 0"), code: "no_audio"},
		{name: "refused", sdp: head + lines("m=audio 0 RTP/AVP 0"), code: "audio_refused"},
		{name: "no codec of ours", sdp: head + lines("m=audio 4000 RTP/AVP 18 111 999 x"), code: "no_common_codec"},
		{name: "WebRTC", sdp: head + lines("m=audio 9 UDP/TLS/RTP/SAVPF 0"), code: "profile_mismatch"},
		{name: "SDES", sdp: head + lines("m=audio 4000 RTP/SAVP 0"), code: "profile_mismatch"},
		{name: "something else", sdp: head + lines("m=audio 4000 TCP 0"), code: "profile_mismatch"},
		{name: "too long", sdp: strings.Repeat("a=x\n", maxSDP/4+1), code: "invalid_sdp"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseSDP([]byte(test.sdp))
			if test.code != "" {
				var failure *outcome.Failure
				if !errors.As(err, &failure) || failure.Code != test.code || failure.Outcome != outcome.MediaIncompatible || failure.Stage != outcome.StageMedia {
					t.Errorf("got %+v, %+v; want %s", got, err, test.code)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v\nwant %+v", got, err, test.want)
			}
		})
	}
}

func TestProfileMismatchSaysWhatToDo(t *testing.T) {
	t.Parallel()
	_, err := ParseSDP([]byte(lines("c=IN IP4 192.0.2.1", "m=audio 9 UDP/TLS/RTP/SAVPF 0")))
	for _, want := range []string{"UDP/TLS/RTP/SAVPF", "RTP/AVP", "--media webrtc"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not mention %s", err, want)
		}
	}
}

func TestBuildSDP(t *testing.T) {
	t.Parallel()
	got := string(BuildSDP(SDPOptions{
		Address: netip.MustParseAddrPort("192.0.2.1:4000"), SessionID: 7, Version: 2,
		Formats: []AudioFormat{{PCMA, 8}, {PCMU, 0}}, Direction: RecvOnly, SSRC: 9, CNAME: "name",
	}))
	want := lines("v=0", "o=gossipper 7 2 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0", "m=audio 4000 RTP/AVP 8 0",
		"a=rtpmap:8 PCMA/8000", "a=rtpmap:0 PCMU/8000", "a=ptime:20", "a=recvonly", "a=ssrc:9 cname:name")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var parsed sdp.SessionDescription
	if err := parsed.UnmarshalString(got); err != nil {
		t.Errorf("pion cannot read it: %v", err)
	}
}

func FuzzParseSDP(f *testing.F) {
	f.Add([]byte(lines("v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", "c=IN IP4 192.0.2.1", "t=0 0", "m=audio 4000 RTP/AVP 0 8 101", "a=rtpmap:101 telephone-event/8000", "a=rtcp:1")))
	f.Add([]byte(lines("c=IN IP6 ::ffff:1.2.3.4", "m=audio 65535/9 RTP/AVPF 127", "a=rtpmap:127 PCMA/8000", "a=inactive", "a=ssrc:1")))
	f.Add([]byte("m=audio 9 UDP/TLS/RTP/SAVPF 0"))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := ParseSDP(body)
		if err != nil {
			var failure *outcome.Failure
			if !errors.As(err, &failure) || failure.Reason == "" {
				t.Fatalf("an error that is no failure: %v", err)
			}
			return
		}
		// What was understood means the same when we write it.
		again, err := ParseSDP(BuildSDP(SDPOptions{
			Address: got.Address, Profile: got.Profile, Formats: got.Formats, Direction: got.Direction, SSRC: got.SSRC, CNAME: "x",
		}))
		if err != nil {
			t.Fatalf("written again it cannot be read: %v", err)
		}
		got.RTCP, got.PTime, again.RTCP, again.PTime = netip.AddrPort{}, 0, netip.AddrPort{}, 0
		if !reflect.DeepEqual(again, got) {
			t.Fatalf("written and read again it is\n%+v, not\n%+v", again, got)
		}
	})
}
