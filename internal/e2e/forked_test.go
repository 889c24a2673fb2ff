package e2e

import (
	"context"
	"net"
	"strings"
	"testing"
)

const forkedUAC = `<scenario name="forked" webrtc="true">
<send>
<![CDATA[INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
` + uacHeaders + `
Content-Type: application/sdp
Content-Length: [len]

[webrtc_offer]]]>
</send>
<recv response="183" optional="true"/>
<recv response="200"/>
` + uacRest + `
</scenario>
`

// TestForkedCallHearsWhoAnswers has one callee ring with early media and another answer (RFC 3261 13.2.2.4).
func TestForkedCallHearsWhoAnswers(t *testing.T) {
	t.Parallel()
	ringer, taker := newSIPPeer(t), newSIPPeer(t)
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	run := start(t, writeScenario(t, forkedUAC), conn.LocalAddr().String(), "--calls", "1")
	proxy := &answering{UDPConn: conn}
	ringer.conn, taker.conn = proxy, proxy
	head, offer := ringer.receive(t)
	headers := copiedHeaders(head)
	early, err := ringer.bridge.Answer(context.Background(), offer)
	if err != nil {
		t.Fatal(err)
	}
	ringer.send(t, "SIP/2.0 183 Session Progress", strings.Replace(headers, ";tag=b", ";tag=ringing", 1), early)
	ringer.waitHeard(t)
	final, err := taker.bridge.Answer(context.Background(), offer)
	if err != nil {
		t.Fatal(err)
	}
	taker.send(t, "SIP/2.0 200 OK", headers, final)
	if head, _ := taker.receive(t); !strings.HasPrefix(string(head), "ACK ") {
		t.Errorf("got %q after the 200, want the ACK", head)
	}
	taker.waitHeard(t)
	if err := ringer.bridge.Close(context.Background()); err != nil {
		t.Error(err)
	}
	taker.send(t, "BYE sip:caller@127.0.0.1 SIP/2.0", strings.Replace(headers, "CSeq: 1 INVITE", "CSeq: 7 BYE", 1), nil)
	run.end(t, 0)
	run.wantOutcomes(t, map[string]int{"success": 1})
}
