package engine

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/sip"
)

func TestWhereTheAnswerStands(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, m Media, offer, answer string) {
		t.Parallel()
		tests := []struct {
			name, early, final string
			code               string // of the caller's failure; empty: it succeeds
		}{
			{"183 and 200 with the same", sdp(answer), sdp(answer), ""},
			{"183 only", sdp(answer), noBody, ""},
			{"200 only", noBody, sdp(answer), ""},
			{"nowhere", noBody, noBody, "invalid_sdp"},
			{"in one part of many", noBody, withISUP(answer), ""},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				action := ""
				if tt.code == "" { // otherwise the callee has no media
					action = plays(calleeTone)
				}
				c := converse(t, m,
					tell("INVITE", 1, sdp(offer), "")+`<recv response="183" optional="true"/>`+expect("200")+
						tell("ACK", 1, noBody, plays(callerTone))+talking+hangsUp(2),
					expect("INVITE")+respond("183 Session Progress", tt.early, action)+respond("200 Answer", tt.final, "")+
						expect("ACK")+isHungUp(), nil)
				if tt.code == "" {
					c.wantTalk(t)
					return
				}
				wantFailure(t, c.caller, outcome.MediaIncompatible, tt.code, "the final response from "+calleeAddr+" brought no SDP answer to our offer")
				if got := startLines(c.net.sent(c.caller.Local)); got != "INVITE ACK BYE" {
					t.Errorf("sent %s", got)
				}
			})
		}
	})
}

// withISUP is a body of several parts, as gateways to the telephone network send it.
func withISUP(keyword string) string {
	return body(`multipart/mixed;boundary="part one"`, `--part one
Content-Type: application/isup;version=itu-t92+

not text

--part one
Content-Type: application/sdp

`+keyword+`
--part one--
`)
}

func TestOfferInOnePartOfMany(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, m Media, offer, answer string) {
		t.Parallel()
		c := converse(t, m,
			tell("INVITE", 1, withISUP(offer), "")+expect("200")+tell("ACK", 1, noBody, plays(callerTone))+talking+hangsUp(2),
			expect("INVITE")+respond("200 Answer", sdp(answer), plays(calleeTone))+expect("ACK")+isHungUp(), nil)
		c.wantTalk(t)
		offers, _ := c.bodies(t, callerAddr, "INVITE", "INVITE")
		if !strings.HasPrefix(offers[1], "--part one\r\n") || !strings.Contains(offers[1], "\r\nv=0\r\n") {
			t.Errorf("offer:\n%s", offers[1])
		}
	})
}

func TestTrickledCandidates(t *testing.T) {
	t.Parallel()
	const candidate = "candidate:7 1 udp 1694498815 127.0.0.1 4 typ srflx raddr 127.0.0.1 rport 5"
	bodies := []struct{ name, body string }{
		{"RFC 8840", body("application/trickle-ice-sdpfrag", "a=mid:0\na="+candidate+"\na=end-of-candidates\n")},
		{"JSON", body("application/trickle-ice+json", `{"candidate":"`+candidate+`","sdpMid":"0","sdpMLineIndex":0}`)},
		{"SDP with candidates only", body("application/sdp", "a="+candidate+"\n")},
	}
	eachKind(t, func(t *testing.T, m Media, offer, answer string) {
		t.Parallel()
		for _, tt := range bodies {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				var log logText
				var autoAnswered func() uint64
				c := converse(t, m,
					tell("INVITE", 1, sdp(offer), "")+expect("200")+tell("ACK", 1, noBody, plays(callerTone))+
						tell("INFO", 2, tt.body, "")+expect("200")+tell("INFO", 3, tt.body, "")+expect("200")+talking+hangsUp(4),
					expect("INVITE")+respond("200 Answer", sdp(answer), plays(calleeTone))+expect("ACK")+isHungUp(),
					func(_, uas *Config, _ *network) {
						uas.Log, autoAnswered = log.logger(), uas.Stats.AutoAnswered.Load
					})
				c.wantTalk(t)
				if n := autoAnswered(); n != 2 {
					t.Errorf("%d automatic answers, want 2", n)
				}
				if w := c.callee.Media.WebRTC; m.Kind == media.KindWebRTC && (w.RemoteCandidates != 2 || w.TrickleRejected != 0) {
					t.Errorf("%d remote candidates, %d rejected; want that of the offer and the late one", w.RemoteCandidates, w.TrickleRejected)
				}
				// Without ICE there is nothing to apply, and the log says so, once.
				want := 0
				if m.Kind == media.KindRTP {
					want = 1
				}
				if n := strings.Count(log.String(), "are not used"); n != want || strings.Count(log.String(), "\n") != want {
					t.Errorf("log, want %d lines:\n%s", want, log.String())
				}
			})
		}
	})
}

// deafAnswer is what a WebRTC device would answer whose network lets nothing through.
const deafAnswer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n" +
	"a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\na=setup:passive\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:0 PCMU/8000\r\n" +
	"a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n" +
	"a=candidate:1 1 udp 2130706431 127.0.0.1 4 typ host\r\n"

// Only WebRTC can be agreed upon and not connected: RTP is as soon as both sides are described.
func TestScenarioEndsBeforeItsMediaConnect(t *testing.T) {
	t.Parallel()
	m := realBridges(t, nil)
	for _, hold := range []string{"0", "300"} {
		t.Run("after "+hold+" ms", func(t *testing.T) {
			t.Parallel()
			net := newNetwork()
			var r results
			net.peer(t, calleeAddr, deaf(deafAnswer))
			c := config(parse(t, `<scenario name="short">`+tell("INVITE", 1, sdp("[webrtc_offer]"), "")+expect("200")+
				tell("ACK", 1, noBody, "")+`<pause milliseconds="`+hold+`"/>`+hangsUp(2)+`</scenario>`), net.node(callerAddr), &r)
			c.Media = m
			_, wait := start(t, c)
			wait()
			one := r.only(t)
			wantFailure(t, one, outcome.MediaFailed, "media_not_connected", "the scenario ended after ")
			if one.FailedStep != "the end of the scenario" || one.SIP.FinalStatus != 200 {
				t.Errorf("failed at %q, status %d", one.FailedStep, one.SIP.FinalStatus)
			}
			if hold != "0" && one.Failure.Stage != outcome.StageICE {
				t.Errorf("stage %v, want ice", one.Failure.Stage)
			}
			if got := startLines(net.sent(netip.MustParseAddrPort(callerAddr))); got != "INVITE ACK BYE" {
				t.Errorf("sent %s", got)
			}
		})
	}
}

// The caller answers the offer of the 200 in its ACK, and nothing connects: that is a failed call too.
func TestAnsweredInTheACKAndNeverConnected(t *testing.T) {
	t.Parallel()
	net := newNetwork()
	var r results
	net.peer(t, calleeAddr, deaf(strings.Replace(deafAnswer, "setup:passive", "setup:actpass", 1)))
	c := config(parse(t, `<scenario name="short">`+tell("INVITE", 1, noBody, "")+expect("200")+tell("ACK", 1, sdp("[webrtc_answer]"), "")+
		`<pause milliseconds="200"/>`+hangsUp(2)+`</scenario>`), net.node(callerAddr), &r)
	c.Media = realBridges(t, nil)
	_, wait := start(t, c)
	wait()
	wantFailure(t, r.only(t), outcome.MediaFailed, "media_not_connected", "the scenario ended after ")
}

// deaf is a peer that takes calls with this SDP.
func deaf(description string) func(*sip.View) [][]byte {
	return func(v *sip.View) [][]byte {
		switch string(v.Method()) {
		case "INVITE":
			ok := string(reply(v, 200, "OK", "Contact: <sip:callee@"+calleeAddr+">", "Content-Type: application/sdp"))
			return [][]byte{[]byte(strings.Replace(ok, "Content-Length: 0\r\n\r\n",
				"Content-Length: "+itoa(len(description))+"\r\n\r\n"+description, 1))}
		case "BYE":
			return [][]byte{reply(v, 200, "OK")}
		default:
			return nil
		}
	}
}
