package engine

import (
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/sip"
)

// TestTransportInViaAndContact holds the headers that name a transport to the letter. Via says how the message travels, whatever the
// media are: a peer that takes it literally must find its way back. Only [contact_transport] shows the WebRTC side.
func TestTransportInViaAndContact(t *testing.T) {
	t.Parallel()
	const caller = `<scenario name="transports">
  <send><![CDATA[
    INVITE sip:[service]@[remote_ip]:[remote_port];transport=[sip_transport] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:caller@[local_ip]:[local_port]>;tag=1
    To: <sip:[service]@[remote_ip]:[remote_port]>
    Call-ID: [call_id]
    CSeq: [cseq] INVITE
    Contact: <sip:caller@[local_ip]:[local_port];transport=[contact_transport]>
    X-Media: [media_transport]
    Content-Length: 0
  ]]></send>
  <recv response="486"/>
  <send><![CDATA[
    ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
    Via: SIP/2.0/[sip_transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:caller@[local_ip]:[local_port]>;tag=1
    To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
    Call-ID: [call_id]
    CSeq: [cseq] ACK
    Content-Length: 0
  ]]></send>
</scenario>`
	const callee = `<scenario name="transports">
  <recv request="INVITE"/>
  <send><![CDATA[
    SIP/2.0 486 Busy Here
    [last_Via:]
    [last_From:]
    [last_To:];tag=2
    [last_Call-ID:]
    [last_CSeq:]
    Contact: <sip:callee@[local_ip]:[local_port];transport=[contact_transport]>
    X-Signalling: [transport] [sip_transport]
    X-Media: [media_transport]
    Content-Length: 0
  ]]></send>
  <recv request="ACK"/>
</scenario>`
	const via = `Via: SIP/2.0/UDP 192.0.2.1:5060;branch=(branch)`
	tests := []struct {
		kind           media.Kind
		caller, callee []string
	}{
		{media.KindNone, []string{
			"INVITE sip:service@192.0.2.2:5060;transport=UDP SIP/2.0",
			via,
			"Contact: <sip:caller@192.0.2.1:5060;transport=UDP>",
			"X-Media: none",
			"ACK sip:service@192.0.2.2:5060 SIP/2.0",
			via,
		}, []string{
			"SIP/2.0 486 Busy Here", via,
			"Contact: <sip:callee@192.0.2.2:5060;transport=UDP>", "X-Signalling: UDP UDP", "X-Media: none",
		}},
		{media.KindRTP, []string{
			"INVITE sip:service@192.0.2.2:5060;transport=UDP SIP/2.0",
			via,
			"Contact: <sip:caller@192.0.2.1:5060;transport=UDP>",
			"X-Media: rtp",
			"ACK sip:service@192.0.2.2:5060 SIP/2.0",
			via,
		}, []string{
			"SIP/2.0 486 Busy Here", via,
			"Contact: <sip:callee@192.0.2.2:5060;transport=UDP>", "X-Signalling: UDP UDP", "X-Media: rtp",
		}},
		{media.KindWebRTC, []string{
			"INVITE sip:service@192.0.2.2:5060;transport=UDP SIP/2.0",
			via,
			"Contact: <sip:caller@192.0.2.1:5060;transport=WSS>",
			"X-Media: webrtc",
			"ACK sip:service@192.0.2.2:5060 SIP/2.0",
			via,
		}, []string{
			"SIP/2.0 486 Busy Here", via,
			"Contact: <sip:callee@192.0.2.2:5060;transport=WSS>", "X-Signalling: UDP UDP", "X-Media: webrtc",
		}},
	}
	branch := regexp.MustCompile(`branch=z9hG4bK[^;\s]+`)
	// shown are the lines of the messages that the golden ones are about.
	shown := func(messages []sighting) string {
		var lines []string
		for _, m := range messages {
			for i, line := range strings.Split(m.text, "\r\n") {
				if i == 0 || strings.HasPrefix(line, "Via:") || strings.HasPrefix(line, "Contact:") || strings.HasPrefix(line, "X-") {
					lines = append(lines, branch.ReplaceAllString(line, "branch=(branch)"))
				}
			}
		}
		return strings.Join(lines, "\n")
	}
	for _, tt := range tests {
		t.Run(tt.kind.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				studio := &studio{}
				withMedia := func(c *Config) {
					if c.Media.Kind = tt.kind; tt.kind != media.KindNone {
						c.Media.New = studio.open
					}
				}
				r, net := callTo(t, caller, func(v *sip.View) [][]byte {
					if string(v.Method()) == methodInvite {
						return [][]byte{reply(v, 486, "Busy Here")}
					}
					return nil
				}, withMedia)
				if got, want := shown(net.sent(r.Local)), strings.Join(tt.caller, "\n"); got != want {
					t.Errorf("the caller sent\n%s\nwant\n%s", got, want)
				}
				u := newCallee(t, callee, withMedia)
				u.send(t, request("INVITE", "one", "a", 1, ""), request("ACK", "one", "a", 1, ";tag=2"))
				u.finish()
				if got, want := shown(u.sent()), strings.Join(tt.callee, "\n"); got != want {
					t.Errorf("the callee sent\n%s\nwant\n%s", got, want)
				}
			})
		})
	}
}
