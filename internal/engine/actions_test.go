package engine

import (
	"bytes"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
	"github.com/gossipper/gossipper/internal/sip"
)

// probe is a scenario that sends OPTIONS, takes the 200 with the attributes and children, and sends a MESSAGE.
func probe(recvAttributes, children, headers string) string {
	return `<scenario name="probe">
  <send retrans="500"><![CDATA[
    OPTIONS sip:[service]@[remote_ip]:[remote_port] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:a@[local_ip]>;tag=[call_number]
    To: <sip:b@[remote_ip]>
    Call-ID: [call_id]
    CSeq: [cseq] OPTIONS
    Content-Length: 0
  ]]></send>
  <recv response="200" ` + recvAttributes + `>` + children + `</recv>
  <send retrans="500"><![CDATA[
    MESSAGE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:a@[local_ip]>;tag=[call_number]
    To: <sip:b@[remote_ip]>[peer_tag_param]
    Call-ID: [call_id]
    CSeq: [cseq] MESSAGE
    ` + headers + `
    Content-Length: 0
  ]]></send>
  <label id="late"/>
  <recv response="200"/>
</scenario>`
}

func TestEreg(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		ereg   string
		sent   string // in the MESSAGE
		want   outcome.Outcome
		reason string
	}{
		{
			"groups", `regexp="Server: ([a-z]*)/([0-9.]*)" search_in="msg" check_it="true" assign_to="all,name,version"`,
			"X-Found: Server: box/1.2|box|1.2\r\n", outcome.Success, "",
		},
		{
			"header", `regexp="[0-9]+" search_in="hdr" header="X-Num:" occurrence="2" check_it="true" assign_to="all"`,
			"X-Found: 22|", outcome.Success, "",
		},
		{
			"no match", `regexp="nothing like it" search_in="msg" check_it="true" assign_to="all"`,
			"X-Found: ||\r\n", outcome.CheckFailed, "the message does not match nothing like it (line",
		},
		{
			"no header", `regexp=".*" search_in="hdr" header="X-None:" check_it="true" assign_to="all"`,
			"X-Found: ||\r\n", outcome.CheckFailed, `the header "X-None:" does not match`,
		},
		{
			"inverse", `regexp="OK" search_in="msg" check_it_inverse="true" assign_to="all"`,
			"X-Found: OK||\r\n", outcome.CheckFailed, "the message matches OK",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				scenario := probe("", `<action><ereg `+tt.ereg+`/><log message="found [$all] in call [call_number]"/></action>`, "X-Found: [$all]|[$name]|[$version]")
				if !strings.Contains(tt.ereg, "version") {
					scenario = strings.Replace(scenario, `<recv response="200" >`, `<Global variables="name,version"/><recv response="200" >`, 1)
				}
				var log bytes.Buffer
				r, net := callTo(t, scenario, func(v *sip.View) [][]byte {
					return [][]byte{reply(v, 200, "OK", "Server: box/1.2", "X-Num: 11", "X-Num: 22")}
				}, func(c *Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
				if r.Outcome != tt.want || tt.want != outcome.Success && !strings.Contains(r.Failure.Reason, tt.reason) {
					t.Errorf("%v: %v", r.Outcome, r.Failure)
				}
				if tt.want != outcome.Success && !strings.HasPrefix(r.FailedStep, "recv 200 (line") {
					t.Errorf("failed at %q", r.FailedStep)
				}
				sent := net.sent(r.Local)
				if len(sent) != 2 || !strings.Contains(sent[1].text, tt.sent) || !strings.Contains(sent[1].text, "CSeq: 2 MESSAGE") {
					t.Errorf("sent %+v", sent)
				}
				if !strings.Contains(log.String(), "in call 1") || !strings.Contains(log.String(), "call_id=") {
					t.Errorf("log: %s", log.String())
				}
			})
		})
	}
}

func TestRecvTimeoutGoesToItsLabel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		late := false
		r, net := callTo(t, probe(`timeout="300" ontimeout="late"`, "", ""), func(v *sip.View) [][]byte {
			if late {
				return [][]byte{reply(v, 200, "OK")}
			}
			late = true
			return nil
		}, nil)
		if r.Outcome != outcome.Success {
			t.Errorf("%v: %v", r.Outcome, r.Failure)
		}
		if got := startLines(net.sent(r.Local)); got != "OPTIONS OPTIONS" {
			t.Errorf("sent %s", got)
		}
	})
}

func TestRecvTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, _ := callTo(t, probe(`timeout="300"`, "", ""), func(*sip.View) [][]byte { return nil }, nil)
		wantFailure(t, r, outcome.RecvTimeout, "recv_timeout", "within 300ms at recv 200 (line 11), from "+calleeAddr)
		if d := r.EndedAt.Sub(r.StartedAt); d < 300*time.Millisecond || d > 302*time.Millisecond {
			t.Errorf("the call took %v", d)
		}
	})
}

func TestResponseOfAnotherRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, _ := callTo(t, probe("", "", ""), func(v *sip.View) [][]byte {
			return [][]byte{bytes.Replace(reply(v, 200, "OK"), []byte("CSeq: 1"), []byte("CSeq: 7"), 1)}
		}, nil)
		wantFailure(t, r, outcome.UnexpectedMessage, "unexpected_response", "200 OK answers no request of this call (CSeq 7 OPTIONS) at recv 200")
	})
}

func TestEndlessScenarioIsStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := strings.Replace(probe("", "", ""), `<label id="late"/>`, `<label id="late"/><nop next="late"/>`, 1)
		r, _ := callTo(t, s, ring, nil)
		wantFailure(t, r, outcome.InternalError, "endless_loop", "goes in circles")
	})
}

func TestOptionalMessagesInAnyOrder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		statuses []int
		want     outcome.Outcome
	}{
		{[]int{200}, outcome.Success},
		{[]int{180, 100, 200}, outcome.Success},
		{[]int{183, 180, 100, 180, 200}, outcome.Success},
		{[]int{180, 180, 200}, outcome.Success},
		{[]int{200, 180}, outcome.Success},
		{[]int{182, 200}, outcome.UnexpectedMessage},
	}
	for _, tt := range tests {
		name := ""
		for _, status := range tt.statuses {
			name += itoa(status) + " "
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, _ := callTo(t, "", func(v *sip.View) (answers [][]byte) {
					if string(v.Method()) != "INVITE" {
						return ring(v)
					}
					for _, status := range tt.statuses {
						answers = append(answers, reply(v, status, "Reason"))
					}
					return answers
				}, func(c *Config) { c.Hold = 100 * time.Millisecond })
				if r.Outcome != tt.want {
					t.Errorf("%v: %v, want %v", r.Outcome, r.Failure, tt.want)
				}
			})
		})
	}
}

func TestCommaListOfResponses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := probe("", "", "")
		s = strings.ReplaceAll(s, `response="200" `, `response="200,183"`)
		r, net := callTo(t, s, func(v *sip.View) [][]byte {
			if string(v.Method()) == "OPTIONS" {
				return [][]byte{reply(v, 183, "Session Progress"), reply(v, 200, "OK")}
			}
			return [][]byte{reply(v, 200, "OK")}
		}, nil)
		if r.Outcome != outcome.Success {
			t.Errorf("%v: %v", r.Outcome, r.Failure)
		}
		if got := startLines(net.sent(r.Local)); got != "OPTIONS MESSAGE" {
			t.Errorf("sent %s", got)
		}
	})
}

func TestNewNamesEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	_, err := New(Config{Scenario: builtin(t, "uac"), Hold: -1, Load: Load{Limit: -1}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"no transport", "hold is", "limit is -1", "no target", "rate is 0", "period", "T2"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
	n := newNetwork().node(callerAddr)
	var r results
	c := config(builtin(t, "webrtc_uac"), n, &r)
	if _, err := New(c); err == nil || !strings.Contains(err.Error(), "webrtc_offer") {
		t.Errorf("a WebRTC scenario without WebRTC: %v", err)
	}
	c.Target = netip.AddrPort{}
	if _, err := New(c); err == nil {
		t.Error("a caller without a target")
	}
}

// A check at an optional step is named as that step, though the call waits for the mandatory one behind it.
func TestFailedCheckAtAnOptionalStep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, _ := callTo(t, `<scenario name="checks">`+tell("INVITE", 1, noBody, "")+`
<recv response="180" optional="true">
  <action><ereg regexp="no such text" search_in="msg" check_it="true" assign_to="x"/></action>
</recv>
<recv response="200"/><Reference variables="x"/>`+tell("ACK", 1, noBody, "")+hangsUp(2)+`</scenario>`, ring, nil)
		wantFailure(t, r, outcome.CheckFailed, "check_failed", "does not match no such text")
		if !strings.HasPrefix(r.FailedStep, "recv 180 (optional) (line ") {
			t.Errorf("failed at %q", r.FailedStep)
		}
	})
}
