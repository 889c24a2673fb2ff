package scenario

import (
	"strings"
	"testing"
)

func TestEffectiveMedia(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		webrtc  Switch
		profile bool
		flag    string
		want    string
	}{
		{"nothing said", Unset, false, "", "rtp"},
		{"profile", Unset, true, "", "webrtc"},
		{"scenario", On, false, "", "webrtc"},
		{"scenario against profile", Off, true, "", "rtp"},
		{"flag against scenario", On, true, "rtp", "rtp"},
		{"flag against webrtc=false", Off, false, "webrtc", "webrtc"},
		{"flag none", On, true, "none", "none"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := &Scenario{WebRTC: tc.webrtc}
			if got := s.EffectiveMedia(tc.profile, tc.flag); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestCheckMedia(t *testing.T) {
	t.Parallel()
	const webrtcOffer = "<scenario>\n<send><![CDATA[INVITE sip:a SIP/2.0\n\n[webrtc_offer]]]></send></scenario>"
	const handWritten = "<scenario>\n<send><![CDATA[\nINVITE sip:a SIP/2.0\n\nv=0\nm=audio [media_port] RTP/AVP 0\n]]></send></scenario>"
	for _, tc := range []struct{ name, text, kind, want string }{
		{
			"webrtc keyword with rtp", webrtcOffer, "rtp", `t.xml:4: [webrtc_offer] needs WebRTC media, and the run has rtp: add webrtc="true" to ` +
				`<scenario>, enable the profile's webrtc row, or write [sdp_offer], which works with either`,
		},
		{"webrtc keyword with webrtc", webrtcOffer, "webrtc", ""},
		{"webrtc keyword without media", webrtcOffer, "none", "t.xml:4: [webrtc_offer] needs media, and the run has none: leave out --media none"},
		{
			"answer with rtp", strings.ReplaceAll(webrtcOffer, "offer", "answer"), "rtp", `t.xml:4: [webrtc_answer] needs WebRTC media, and the run ` +
				`has rtp: add webrtc="true" to <scenario>, enable the profile's webrtc row, or write [sdp_answer], which works with either`,
		},
		{"hand-written with rtp", handWritten, "rtp", ""},
		{
			"hand-written with webrtc", handWritten, "webrtc", "t.xml:6: SDP written by hand cannot describe WebRTC media: " +
				"replace the body by [sdp_offer], or by [sdp_answer] in the message that answers an offer",
		},
		{
			"media address with webrtc", strings.ReplaceAll(webrtcOffer, "\n\n", "\nX: [media_port] [media_ip]\n\n"), "webrtc",
			"t.xml:3: [media_ip] has no meaning with WebRTC media: replace the body by [sdp_offer] or [sdp_answer]\n" +
				"t.xml:3: [media_port] has no meaning with WebRTC media: replace the body by [sdp_offer] or [sdp_answer]",
		},
		{
			"log with webrtc", "<scenario><recv request=\"A\">\n<action><log message=\"[media_port]\"/></action></recv></scenario>", "webrtc",
			"t.xml:2: [media_ip] and [media_port] have no meaning with WebRTC media: leave them out of the <log>",
		},
		{
			"actions without media", "<scenario><recv request=\"A\">\n<action><exec rtp_stream=\"stop\"/>\n<exec rtp_record=\"stop\"/></action></recv></scenario>", "none",
			"t.xml:2: warning: rtp_stream plays nothing: the run has no media: leave out --media none\n" +
				"t.xml:3: warning: rtp_record records nothing: the run has no media: leave out --media none",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, err := Parse("t.xml", []byte(tc.text), nil)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range s.CheckMedia(tc.kind) {
				got = append(got, p.String())
			}
			if strings.Join(got, "\n") != tc.want {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), tc.want)
			}
		})
	}
}

func TestNeedsMedia(t *testing.T) {
	t.Parallel()
	send := func(body string) string {
		return "<scenario><send><![CDATA[\nINVITE sip:a SIP/2.0\n\n" + body + "\n]]></send></scenario>"
	}
	act := func(action string) string {
		return `<scenario><recv request="A"><action>` + action + `</action></recv></scenario>`
	}
	for _, tc := range []struct {
		name, text       string
		needs, describes bool
	}{
		{"no body", send(""), false, false},
		{"SDP by hand", send("v=0\nm=audio 4000 RTP/AVP 0"), false, true},
		{"SDP by hand with the address", send("v=0\nc=IN IP[media_ip_type] [media_ip]\nm=audio [media_port] RTP/AVP 0"), false, true},
		{"address alone", send("[media_port]"), false, true},
		{"sdp_offer", send("[sdp_offer]"), true, false},
		{"sdp_answer", send("[sdp_answer]"), true, false},
		{"webrtc_offer", send("[webrtc_offer]"), true, false},
		{"webrtc_answer", send("[webrtc_answer]"), true, false},
		{"rtp_stream", act(`<exec rtp_stream="silence"/>`), true, false},
		{"rtp_record", act(`<exec rtp_record="start"/>`), true, false},
		{"log of the address", act(`<log message="[media_port]"/>`), false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, err := Parse("t.xml", []byte(tc.text), nil)
			if err != nil {
				t.Fatal(err)
			}
			if s.NeedsMedia() != tc.needs || s.DescribesMedia() != tc.describes {
				t.Errorf("needs media %v, describes them %v; want %v, %v", s.NeedsMedia(), s.DescribesMedia(), tc.needs, tc.describes)
			}
		})
	}
}
