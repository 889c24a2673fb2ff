package webrtc

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/webrtc/sdp"
)

// exchange makes a call whose SDP is changed on the way.
func exchange(t testing.TB, caller, callee *testBridge, change func(sdp string) string) {
	t.Helper()
	ctx := testContext(t)
	offer, err := caller.CreateOffer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := callee.Answer(ctx, []byte(change(string(offer))))
	if err != nil {
		t.Fatal(err)
	}
	if err := caller.AcceptAnswer(ctx, []byte(change(string(answer)))); err != nil {
		t.Fatal(err)
	}
}

// talk sends a frame each way.
func talk(t testing.TB, a, b *testBridge) {
	t.Helper()
	for _, pair := range [][2]*testBridge{{a, b}, {b, a}} {
		packets := listen(t, pair[1])
		if err := pair[0].WritePCMU(frame(9)); err != nil {
			t.Fatal(err)
		}
		for got := (heard{}); !bytes.Equal(got.payload, frame(9)); {
			select {
			case got = <-packets: // one of before may be on the way still
			case <-time.After(testWait):
				t.Fatal("nothing arrived")
			}
		}
	}
}

func drop(lines ...string) func(string) string {
	re := regexp.MustCompile(`(?m)^(` + strings.Join(lines, "|") + `).*\r\n`)
	return func(sdp string) string { return re.ReplaceAllString(sdp, "") }
}

// TestSDPAsSIPPeersSendIt connects with descriptions that Pion alone would refuse or misunderstand.
func TestSDPAsSIPPeersSendIt(t *testing.T) {
	t.Parallel()
	replace := func(old, new string) func(string) string {
		return func(sdp string) string {
			return strings.ReplaceAll(sdp, old, new)
		}
	}
	for name, change := range map[string]func(string) string{
		"as it is":                       func(s string) string { return s },
		"no mid":                         drop("a=mid", "a=group"),
		"no BUNDLE":                      drop("a=group"),
		"no direction":                   drop("a=sendrecv"),
		"no ssrc":                        drop("a=ssrc"),
		"no rtcp-mux":                    drop("a=rtcp-mux"),
		"no setup":                       drop("a=setup"),
		"nothing that SIP does not know": drop("a=mid", "a=group", "a=sendrecv", "a=ssrc", "a=rtcp-mux", "a=setup", "a=ice-options"),
		"RTP/SAVPF":                      replace("UDP/TLS/RTP/SAVPF", "RTP/SAVPF"),
		"RTP/SAVP":                       replace("UDP/TLS/RTP/SAVPF", "RTP/SAVP"),
		"SHA-256 in capitals":            replace("sha-256", "SHA-256"),
		"fingerprint in small letters": func(s string) string {
			return regexp.MustCompile(`sha-256 \S+`).ReplaceAllStringFunc(s, strings.ToLower)
		},
		"refused video": func(s string) string { return s + "m=video 0 RTP/SAVPF 120\r\na=inactive\r\n" },
		"LF only":       replace("\r\n", "\n"),
		"session level": func(s string) string {
			re := regexp.MustCompile(`(?m)^a=(setup|fingerprint|ice-ufrag|ice-pwd):.*\r\n`)
			lines := strings.Join(re.FindAllString(s, -1), "")
			return strings.Replace(re.ReplaceAllString(s, ""), "m=audio", lines+"m=audio", 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newTestFactory(t, Options{})
			caller, callee := newTestBridge(t, f), newTestBridge(t, f)
			exchange(t, caller, callee, change)
			caller.waitFor(t, media.EventConnected)
			callee.waitFor(t, media.EventConnected)
			talk(t, caller, callee)
		})
	}
}

func TestOfferLines(t *testing.T) {
	t.Parallel()
	for prefer, formats := range map[bool]string{false: "0 8 101", true: "8 0 101"} {
		b := newTestBridge(t, newTestFactory(t, Options{PreferPCMA: prefer}))
		offer, err := b.CreateOffer(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			`m=audio [1-9]\d* UDP/TLS/RTP/SAVPF ` + formats, `a=ice-ufrag:\S{4,}`, `a=ice-pwd:\S{22,}`, `a=fingerprint:sha-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}`,
			`a=setup:actpass`, `a=rtcp-mux`, `a=mid:0`, `a=group:BUNDLE 0`, `a=ice-options:trickle`, `a=ptime:20`, `c=IN IP4 127\.0\.0\.1`, `a=sendrecv`,
			`a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 \d+ typ host`, `a=rtpmap:101 telephone-event/8000`,
		} {
			if !regexp.MustCompile(`(?m)^` + want + `\r$`).Match(offer) {
				t.Errorf("%s is missing in\n%s", want, offer)
			}
		}
		if n := bytes.Count(offer, []byte("a=candidate")); n != 1 {
			t.Errorf("%d candidates:\n%s", n, offer)
		}
	}
}

func TestHoldAndResume(t *testing.T) {
	t.Parallel()
	f := newTestFactory(t, Options{})
	caller, callee := newTestBridge(t, f), newTestBridge(t, f)
	connect(t, caller, callee)
	ctx := testContext(t)
	for _, step := range []struct{ direction, want string }{
		{"sendonly", "a=recvonly"}, {"inactive", "a=inactive"}, {"recvonly", "a=sendonly"}, {"sendrecv", "a=sendrecv"},
	} {
		offer, err := caller.CreateOffer(ctx)
		if err != nil {
			t.Fatal(err)
		}
		held := bytes.Replace(offer, []byte("a=sendrecv"), []byte("a="+step.direction), 1)
		answer, err := callee.Answer(ctx, held)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(answer, []byte(step.want+"\r\n")) || !bytes.Contains(answer, []byte("a=setup:active\r\n")) {
			t.Errorf("%s is answered with\n%s", step.direction, answer)
		}
		if err := caller.AcceptAnswer(ctx, answer); err != nil {
			t.Fatal(err)
		}
		before := callee.Stats().PacketsSent
		if err := callee.WritePCMU(frame(0)); err != nil {
			t.Fatal(err)
		}
		sent := callee.Stats().PacketsSent - before
		if receives := sdp.Direction(step.direction).Receives(); (sent == 1) != receives {
			t.Errorf("%s: %d packets were sent", step.direction, sent)
		}
	}
	talk(t, caller, callee)
}

func TestICERestartOfThePeer(t *testing.T) {
	t.Parallel()
	f := newTestFactory(t, Options{})
	caller, callee, other := newTestBridge(t, f), newTestBridge(t, f), newTestBridge(t, f)
	connect(t, caller, callee)
	ctx := testContext(t)
	// The offer of another bridge of the same factory has the same certificate and new ICE parameters.
	offer, err := other.CreateOffer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	first := callee.params.Ufrag
	answer, err := callee.Answer(ctx, offer)
	if err != nil {
		t.Fatal(err)
	}
	if callee.params.Ufrag == first || !bytes.Contains(answer, []byte("a=ice-ufrag:"+callee.params.Ufrag)) || !bytes.Contains(answer, []byte("a=setup:active")) ||
		!bytes.Contains(answer, []byte("typ host")) {
		t.Errorf("not the answer to an ICE restart:\n%s", answer)
	}
	stranger := newTestBridge(t, newTestFactory(t, Options{}))
	if offer, err = stranger.CreateOffer(ctx); err != nil {
		t.Fatal(err)
	}
	_, err = callee.Answer(ctx, offer)
	wantFailure(t, err, outcome.StageMedia, codeFingerprintNew, "certificate")
}

func TestSecondAnswer(t *testing.T) {
	t.Parallel()
	f := newTestFactory(t, Options{})
	caller, callee := newTestBridge(t, f), newTestBridge(t, f)
	ctx := testContext(t)
	offer, answer := negotiate(t, caller, callee)
	if err := caller.AcceptAnswer(ctx, answer); err != nil {
		t.Errorf("the same answer again: %v", err)
	}
	if err := caller.AcceptAnswer(ctx, append(answer, "a=x:200-after-183\r\n"...)); err != nil {
		t.Errorf("the same session in other words: %v", err)
	}
	if again, err := callee.Answer(ctx, offer); err != nil || !bytes.Equal(again, answer) {
		t.Errorf("the same offer again: %v\n%s", err, again)
	}
}

// TestMoreCandidatesInALaterDescription has candidates only in the second of two descriptions: the 200 after a 183, the offer after an offer.
func TestMoreCandidatesInALaterDescription(t *testing.T) {
	t.Parallel()
	f := newTestFactory(t, Options{})
	for _, offered := range []bool{false, true} {
		caller, callee := newTestBridge(t, f), newTestBridge(t, f)
		ctx := testContext(t)
		offer, err := caller.CreateOffer(ctx)
		if err != nil {
			t.Fatal(err)
		}
		none := drop("a=candidate")
		answer, err := callee.Answer(ctx, []byte(none(string(offer))))
		if err != nil {
			t.Fatal(err)
		}
		if err := caller.AcceptAnswer(ctx, []byte(none(string(answer)))); err != nil {
			t.Fatal(err)
		}
		if offered {
			_, err = callee.Answer(ctx, offer)
		} else {
			err = caller.AcceptAnswer(ctx, answer)
		}
		if err != nil {
			t.Fatal(err)
		}
		caller.waitFor(t, media.EventConnected)
		callee.waitFor(t, media.EventConnected)
		talk(t, caller, callee)
	}
}

func TestGlare(t *testing.T) {
	t.Parallel()
	f := newTestFactory(t, Options{})
	a, b := newTestBridge(t, f), newTestBridge(t, f)
	ctx := testContext(t)
	if _, err := a.CreateOffer(ctx); err != nil {
		t.Fatal(err)
	}
	offer, err := b.CreateOffer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Answer(ctx, offer); err == nil || !strings.Contains(err.Error(), "491") {
		t.Errorf("got %v", err)
	}
}

// TestOfferAfterARefusedOffer has a re-INVITE of ours refused, of which the bridge is not told, and then one of the peer's.
func TestOfferAfterARefusedOffer(t *testing.T) {
	t.Parallel()
	f := newTestFactory(t, Options{})
	caller, callee := newTestBridge(t, f), newTestBridge(t, f)
	connect(t, caller, callee)
	ctx := testContext(t)
	if _, err := caller.CreateOffer(ctx); err != nil {
		t.Fatal(err)
	}
	negotiate(t, callee, caller)
	talk(t, caller, callee)
	negotiate(t, caller, callee)
	talk(t, caller, callee)
}

func TestTrickledCandidatesConnect(t *testing.T) {
	t.Parallel()
	for _, form := range []string{sdp.TypeSDPFrag, sdp.TypeTrickleJSON, sdp.TypeSDP} {
		for _, early := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s early %t", form, early), func(t *testing.T) {
				t.Parallel()
				f := newTestFactory(t, Options{})
				caller, callee := newTestBridge(t, f), newTestBridge(t, f)
				ctx := testContext(t)
				offer, err := caller.CreateOffer(ctx)
				if err != nil {
					t.Fatal(err)
				}
				lines, _ := caller.LocalCandidates()
				body := "a=mid:0\r\na=" + lines[0] + "\r\n"
				if form == sdp.TypeTrickleJSON {
					body = `{"candidate":"` + lines[0] + `","sdpMid":"0","sdpMLineIndex":0}`
				}
				if early {
					if err := callee.AddRemoteCandidates(form, []byte(body)); err != nil {
						t.Fatal(err)
					}
				}
				answer, err := callee.Answer(ctx, []byte(drop("a=candidate")(string(offer))))
				if err != nil {
					t.Fatal(err)
				}
				// Nobody knows an address of the callee: the caller's must have arrived.
				if err := caller.AcceptAnswer(ctx, []byte(drop("a=candidate")(string(answer)))); err != nil {
					t.Fatal(err)
				}
				if !early {
					if err := callee.AddRemoteCandidates(form, []byte(body)); err != nil {
						t.Fatal(err)
					}
				}
				caller.waitFor(t, media.EventConnected)
				callee.waitFor(t, media.EventConnected)
				if d := callee.Diagnostics(); d.RemoteCandidates != 1 || d.TrickleRejected != 0 {
					t.Errorf("%d candidates, %d rejected", d.RemoteCandidates, d.TrickleRejected)
				}
			})
		}
	}
}

func TestCandidatesThatAreNotOurs(t *testing.T) {
	t.Parallel()
	f := newTestFactory(t, Options{})
	caller, callee := newTestBridge(t, f), newTestBridge(t, f)
	flood := func(from, n int) []byte {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "a=candidate:1 1 udp 1 192.0.2.%d %d typ host\r\n", (from+i)/1000, 1000+(from+i)%1000)
		}
		return []byte(b.String())
	}
	for i := range 5 { // more than are kept
		if err := callee.AddRemoteCandidates(sdp.TypeSDP, flood(60*i, 60)); err != nil {
			t.Fatal(err)
		}
	}
	if got := callee.Diagnostics().TrickleRejected; got != 300-maxPending {
		t.Errorf("%d rejected before the offer", got)
	}
	connect(t, caller, callee)
	d := callee.Diagnostics()
	if d.RemoteCandidates != maxRemote || d.TrickleRejected != 300-maxPending+1 {
		t.Errorf("%d candidates, %d rejected", d.RemoteCandidates, d.TrickleRejected)
	}
	before := caller.Diagnostics()
	for _, body := range []string{
		`{"candidate":"` + lineA + `","sdpMid":"7"}`, `{"candidate":"` + lineA + `","sdpMid":"0","usernameFragment":"nope"}`,
		`{"candidate":"` + lineA + `","sdpMLineIndex":1}`, `{"candidate":"candidate:1 1 udp 1 x.local 5 typ host"}`, `{"candidate":"candidate:1 1 tcp 1 192.0.2.1 5 typ host"}`,
	} {
		if err := caller.AddRemoteCandidates(sdp.TypeTrickleJSON, []byte(body)); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
	if err := caller.AddRemoteCandidates("text/plain", nil); err == nil {
		t.Error("no error for text/plain")
	}
	after := caller.Diagnostics()
	if after.RemoteCandidates != before.RemoteCandidates || after.TrickleRejected != before.TrickleRejected+6 {
		t.Errorf("%d candidates, %d rejected", after.RemoteCandidates, after.TrickleRejected)
	}
}
