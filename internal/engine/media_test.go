package engine

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/sip"
	"github.com/gossipper/gossipper/internal/transport"
)

// recordingMedia is a pipeline that notes what it is asked, and takes as long as it is told. It is for the order of things and for
// virtual time; real pipelines are in TestCallsWithRTP.
type recordingMedia struct {
	opts  media.PipelineOptions
	delay time.Duration // of CreateOffer and Answer
	// offerErr, answerErr and acceptErr are returned by CreateOffer, Answer and AcceptAnswer.
	offerErr, answerErr, acceptErr error
	// silent: no EventConnected after offer and answer.
	silent bool

	mu    sync.Mutex
	asked []string
	stats media.Stats
}

func (m *recordingMedia) note(what string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, what)
}

func (m *recordingMedia) order() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(m.asked, " ")
}

func (m *recordingMedia) wait(ctx context.Context) error {
	select {
	case <-time.After(m.delay):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *recordingMedia) connect() {
	if m.silent {
		return
	}
	m.mu.Lock()
	m.stats.ConnectedAt = time.Now()
	m.mu.Unlock()
	m.opts.OnEvent(media.Event{Type: media.EventConnected, At: time.Now()})
}

func (m *recordingMedia) Kind() media.Kind { return media.KindWebRTC }

func (m *recordingMedia) CreateOffer(ctx context.Context) ([]byte, error) {
	m.note("offer")
	return []byte("v=0\r\ns=offer\r\n"), errors.Join(m.wait(ctx), m.offerErr)
}

func (m *recordingMedia) Answer(ctx context.Context, offer []byte) ([]byte, error) {
	m.note("answer(" + sdpName(offer) + ")")
	if err := errors.Join(m.wait(ctx)); err != nil || m.answerErr != nil {
		return nil, errors.Join(err, m.answerErr)
	}
	m.connect()
	return []byte("v=0\r\ns=answer\r\n"), nil
}

func (m *recordingMedia) AcceptAnswer(_ context.Context, answer []byte) error {
	m.note("accept(" + sdpName(answer) + ")")
	if m.acceptErr == nil {
		m.connect()
	}
	return m.acceptErr
}

func (m *recordingMedia) LocalEndpoint() (netip.AddrPort, error) {
	m.note("endpoint")
	return netip.MustParseAddrPort("192.0.2.9:4000"), nil
}

func (m *recordingMedia) SetRemote(sdp []byte) error {
	m.note("remote(" + sdpName(sdp) + ")")
	return nil
}

func (m *recordingMedia) Play(*media.Clip, int) error {
	m.note("play")
	return nil
}
func (m *recordingMedia) Pause() error  { m.note("pause"); return nil }
func (m *recordingMedia) Resume() error { m.note("resume"); return nil }
func (m *recordingMedia) Stop() error   { m.note("stop"); return nil }
func (m *recordingMedia) StartRecording(o media.RecordOptions) error {
	m.note("record(" + o.Path + ")")
	return nil
}
func (m *recordingMedia) StopRecording() error { m.note("norecord"); return nil }
func (m *recordingMedia) AddRemoteCandidates(contentType string, _ []byte) error {
	m.note("candidates(" + contentType + ")")
	return nil
}

func (m *recordingMedia) Stats() media.Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stats
	s.Kind, s.WebRTC = media.KindWebRTC, &media.WebRTCStats{ICEConnection: "checking"}
	gathered := 1.0
	s.WebRTC.GatherMS = &gathered
	return s
}

func (m *recordingMedia) Close(context.Context) error {
	if m.order() == "" || !strings.HasSuffix(m.order(), "close") {
		m.note("close")
	}
	return nil
}

// sdpName is the s= line of a description.
func sdpName(sdp []byte) string {
	for line := range strings.SplitSeq(string(sdp), "\r\n") {
		if name, ok := strings.CutPrefix(line, "s="); ok {
			return name
		}
	}
	return "?"
}

// studio makes recordingMedia.
type studio struct {
	mu     sync.Mutex
	all    []*recordingMedia
	change func(*recordingMedia)
}

func (s *studio) open(o media.PipelineOptions) (media.MediaPipeline, error) {
	m := &recordingMedia{opts: o}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.change != nil {
		s.change(m)
	}
	s.all = append(s.all, m)
	return m, nil
}

func (s *studio) only(t *testing.T) *recordingMedia {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) != 1 {
		t.Fatalf("%d pipelines, want 1", len(s.all))
	}
	return s.all[0]
}

func withSDP(v *sip.View, status int, reason, name string) []byte {
	b := reply(v, status, reason, "Contact: <sip:callee@"+calleeAddr+">", "Content-Type: application/sdp")
	body := "v=0\r\ns=" + name + "\r\n"
	return []byte(strings.Replace(string(b), "Content-Length: 0\r\n\r\n", "Content-Length: "+itoa(len(body))+"\r\n\r\n"+body, 1))
}

// talk answers calls with SDP, in a 183 and in the 200.
func talk(v *sip.View) [][]byte {
	switch string(v.Method()) {
	case "INVITE":
		return [][]byte{withSDP(v, 183, "Session Progress", "callee"), withSDP(v, 200, "OK", "callee")}
	case "ACK", "":
		return nil
	default:
		return [][]byte{reply(v, 200, "OK")}
	}
}

func TestCallerWithMedia(t *testing.T) {
	t.Parallel()
	failure := &outcome.Failure{Outcome: outcome.MediaIncompatible, Stage: outcome.StageMedia, Code: "profile_mismatch", Reason: "plain RTP"}
	tests := []struct {
		name   string
		react  func(*sip.View) [][]byte
		change func(*recordingMedia)
		want   outcome.Outcome
		code   string
		stage  outcome.Stage
		asked  string
		sent   string
	}{
		{"183 and 200", talk, nil, outcome.Success, "", 0, "offer accept(callee) accept(callee) play close", "INVITE ACK BYE"},
		{
			"slow offer", talk, func(m *recordingMedia) { m.delay = 5 * time.Second }, outcome.Success, "", 0,
			"offer accept(callee) accept(callee) play close", "INVITE ACK BYE",
		},
		{"no SDP in 200", ring, nil, outcome.MediaIncompatible, "invalid_sdp", outcome.StageMedia, "offer close", "INVITE ACK BYE"},
		{
			"incompatible answer", talk, func(m *recordingMedia) { m.acceptErr = failure }, outcome.MediaIncompatible, "profile_mismatch",
			outcome.StageMedia, "offer accept(callee) close", "INVITE ACK BYE",
		},
		{
			"no offer", talk, func(m *recordingMedia) { m.offerErr = errForTest }, outcome.MediaFailed, "media_error", outcome.StageMedia,
			"offer close", "",
		},
		{
			"never connected", talk, func(m *recordingMedia) { m.silent = true }, outcome.MediaFailed, "media_not_connected", outcome.StageICE,
			"offer accept(callee) accept(callee) play close", "INVITE ACK BYE",
		},
		{"refused", func(v *sip.View) [][]byte {
			if string(v.Method()) == "INVITE" {
				return [][]byte{reply(v, 486, "Busy Here")}
			}
			return nil
		}, nil, outcome.Rejected, "sip_486", outcome.StageSIP, "offer close", "INVITE ACK"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				studio := &studio{change: tt.change}
				r, net := callTo(t, "call_uac", tt.react, func(c *Config) {
					c.Media = Media{Kind: media.KindWebRTC, New: studio.open}
					c.Hold = time.Second
				})
				m := studio.only(t)
				got := m.order()
				if tt.name == "incompatible answer" { // how far the scenario got meanwhile is open
					got = "offer accept(callee) close"
				}
				if r.Outcome != tt.want || got != tt.asked {
					t.Errorf("%v: %v; media were asked %q, want %v and %q", r.Outcome, r.Failure, m.order(), tt.want, tt.asked)
				}
				if tt.code != "" && (r.Failure == nil || r.Failure.Code != tt.code || r.Failure.Stage != tt.stage) {
					t.Errorf("failure %+v, want %s in %v", r.Failure, tt.code, tt.stage)
				}
				if sent := startLines(net.sent(netip.MustParseAddrPort(callerAddr))); sent != tt.sent {
					t.Errorf("sent %s, want %s", sent, tt.sent)
				}
				if r.Media.Kind != media.KindWebRTC {
					t.Error("the result has no figures of the media")
				}
			})
		})
	}
}

func TestSlowMediaHoldUpNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		net := newNetwork()
		var callers results
		peer := net.peer(t, calleeAddr, talk)
		studio := &studio{change: func(m *recordingMedia) {
			if m.opts.CallNumber%2 == 0 {
				m.delay = 5 * time.Second
			}
		}}
		c := config(builtin(t, "call_uac"), net.node(callerAddr), &callers)
		c.Load = Load{Rate: 10, Period: time.Second, Calls: 40}
		c.Media = Media{Kind: media.KindWebRTC, New: studio.open}
		_, wait := start(t, c)
		begun := time.Now()
		wait()
		peer.stop()
		callers.wantAll(t, 40, outcome.Success)
		invites := 0
		for _, s := range net.sent(netip.MustParseAddrPort(callerAddr)) {
			if !strings.HasPrefix(s.text, "INVITE") {
				continue
			}
			v, _ := sip.ParseView([]byte(s.text))
			n := uint64(0)
			for _, d := range v.CallID() {
				if d < '0' || d > '9' {
					break
				}
				n = n*10 + uint64(d-'0')
			}
			due := time.Duration(n-1) * 100 * time.Millisecond
			if n%2 == 0 {
				due += 5 * time.Second
			}
			if at := s.at.Sub(begun); at < due || at > due+2*time.Millisecond {
				t.Errorf("the INVITE of call %d went out at %v, want %v", n, at, due)
			}
			invites++
		}
		if invites != 40 {
			t.Errorf("%d INVITEs, want 40", invites)
		}
	})
}

func sdpBody(name string) string {
	body := "v=0\r\ns=" + name + "\r\n"
	return "Content-Type: application/sdp\r\nContent-Length: " + itoa(len(body)) + "\r\n\r\n" + body
}

func TestCalleeWithMedia(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		studio := &studio{change: func(m *recordingMedia) { m.delay = 2 * time.Second }}
		u := newCallee(t, "", func(c *Config) {
			c.Scenario = builtin(t, "call_uas")
			c.Media = Media{Kind: media.KindWebRTC, New: studio.open, Record: true, RecordingsDir: "dir"}
		})
		invite := request("INVITE", "one", "a", 1, "", sdpBody("caller"))
		const frag = "a=ice-ufrag:x\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
		info := request("INFO", "one", "b", 2, ";tag=x",
			"Content-Type: application/trickle-ice-sdpfrag\r\nContent-Length: "+itoa(len(frag))+"\r\n\r\n"+frag)
		u.send(t, invite, invite, info, info)
		if got := u.answers(); got != "180 180" {
			t.Fatalf("answers %s before the media are ready", got)
		}
		pass(3 * time.Second)
		synctest.Wait()
		u.send(t, request("ACK", "one", "c", 1, ";tag=x"), request("BYE", "one", "d", 3, ";tag=x"))
		u.finish()
		u.wantAll(t, 1, outcome.Success)
		asked := strings.Fields(studio.only(t).order())
		slices.Sort(asked)
		want := "answer(caller) candidates(application/trickle-ice-sdpfrag) close play record(dir/uas-000001-one.wav)"
		if got := strings.Join(asked, " "); got != want {
			t.Errorf("media were asked %q, want %q", got, want)
		}
		if n := u.config.Stats.AutoAnswered.Load(); n != 1 {
			t.Errorf("%d automatic answers, want 1", n)
		}
	})
}

func TestCalleeRefusesWhatItsMediaCannotUse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		body   string
		err    error
		answer string
		want   outcome.Outcome
		text   string
	}{
		{
			"plain RTP", sdpBody("caller"), &outcome.Failure{Outcome: outcome.MediaIncompatible, Code: "profile_mismatch", Reason: `no "fingerprint"`},
			"488", outcome.MediaIncompatible, "\r\nWarning: 302 192.0.2.2 \"no  fingerprint \"\r\n",
		},
		{"no offer", "Content-Length: 0\r\n\r\n", nil, "488", outcome.MediaIncompatible, "\r\nWarning: 399 "},
		{
			"a dead TURN server", sdpBody("caller"), &outcome.Failure{Outcome: outcome.MediaFailed, Stage: outcome.StageGather, Code: "turn_timeout"},
			"500", outcome.MediaFailed, "",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				studio := &studio{change: func(m *recordingMedia) { m.answerErr = tt.err }}
				u := newCallee(t, "", func(c *Config) {
					c.Scenario = builtin(t, "call_uas")
					c.Media = Media{Kind: media.KindWebRTC, New: studio.open}
				})
				u.send(t, request("INVITE", "one", "a", 1, "", tt.body))
				u.send(t, request("ACK", "one", "a", 1, ";tag=x"))
				u.finish()
				if got := u.answers(); got != "180 "+tt.answer {
					t.Errorf("answers %s", got)
				}
				if last := u.sent()[1].text; !strings.Contains(last, tt.text) {
					t.Errorf("no %q in\n%s", tt.text, last)
				}
				if r := u.only(t); r.Outcome != tt.want {
					t.Errorf("outcome %v: %v", r.Outcome, r.Failure)
				}
			})
		})
	}
}

func TestBrokenMediaEndTheCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		studio := &studio{}
		r, net := callTo(t, "call_uac", talk, func(c *Config) {
			c.Media = Media{Kind: media.KindWebRTC, New: studio.open}
			c.Hold = time.Hour
			time.AfterFunc(10*time.Second, func() {
				studio.all[0].opts.OnEvent(media.Event{Type: media.EventFailed, Failure: &outcome.Failure{
					Outcome: outcome.MediaFailed, Stage: outcome.StageICE, Code: "ice_disconnected", Reason: "the path broke",
				}})
			})
		})
		wantFailure(t, r, outcome.MediaFailed, "ice_disconnected", "the path broke")
		if got := startLines(net.sent(r.Local)); got != "INVITE ACK BYE" {
			t.Errorf("sent %s", got)
		}
	})
}

func TestStopWhileMediaArePrepared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		net := newNetwork()
		var callers results
		studio := &studio{change: func(m *recordingMedia) { m.delay = time.Hour }}
		c := config(builtin(t, "call_uac"), net.node(callerAddr), &callers)
		c.Media = Media{Kind: media.KindWebRTC, New: studio.open}
		e, wait := start(t, c)
		pass(time.Second)
		begun := time.Now()
		e.Stop()
		wait()
		if took := time.Since(begun); took > 10*time.Millisecond {
			t.Errorf("Stop took %v", took)
		}
		callers.wantAll(t, 1, outcome.Aborted)
		if got := studio.only(t).order(); got != "offer close" {
			t.Errorf("media were asked %q", got)
		}
	})
}

func TestCallsWithRTP(t *testing.T) {
	t.Parallel()
	pacer := media.NewPacer(media.PacerOptions{})
	t.Cleanup(func() { pacer.Close() })
	sessions, err := media.NewSessions(media.SessionsOptions{IP: netip.MustParseAddr("127.0.0.1"), Pacer: pacer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sessions.Close(context.Background()) })
	open := func(o media.PipelineOptions) (media.MediaPipeline, error) { return sessions.New(o) }
	for _, pair := range [][2]string{{"uac", "uas"}, {"call_uac", "call_uas"}} {
		t.Run(pair[0], func(t *testing.T) {
			const calls = 20
			var callers, callees results
			uas := config(builtin(t, pair[1]), listen(t, transport.Options{}), &callees)
			uas.Load.Calls = calls
			uas.Media = Media{Kind: media.KindRTP, New: open}
			uac := config(builtin(t, pair[0]), listen(t, transport.Options{}), &callers)
			uac.Target = uas.Transport.Local()
			uac.Load = Load{Rate: 100, Period: time.Second, Calls: calls}
			uac.Hold = time.Second
			uac.Media = uas.Media
			_, waitUAS := start(t, uas)
			_, waitUAC := start(t, uac)
			waitUAC()
			waitUAS()
			callers.wantAll(t, calls, outcome.Success)
			callees.wantAll(t, calls, outcome.Success)
			for _, r := range callers.all {
				if r.Media.PacketsReceived < 20 || r.Media.PacketsSent < 20 || r.Media.Kind != media.KindRTP {
					t.Errorf("call %d: %d packets sent, %d received in a second", r.CallNumber, r.Media.PacketsSent, r.Media.PacketsReceived)
				}
			}
		})
	}
}
