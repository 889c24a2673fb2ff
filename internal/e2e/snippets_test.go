package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/webrtc"
)

// The two scenarios as the documentation that users come from prints them; "..." stands for what is left out there.
const (
	publishedUAS = `<scenario name="webrtc_uas" webrtc="true">
<recv request="INVITE"/>
<send retrans="500">
<![CDATA[SIP/2.0 200 OK
Content-Type: application/sdp
Content-Length: [len]
[webrtc_answer]]]>
</send>
...
</scenario>
`
	publishedUAC = `<scenario name="webrtc_uac">
<send>
<![CDATA[INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
...
Content-Type: application/sdp
Content-Length: [len]
[webrtc_offer]]]>
</send>
<recv response="200,183"/>
...
</scenario>
`
)

// What is put in place of "...".
const (
	uacHeaders = `Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:caller@[local_ip]>;tag=[call_number]
To: <sip:[service]@[remote_ip]>
Call-ID: [call_id]
CSeq: [cseq] INVITE
Contact: <sip:caller@[local_ip]:[local_port];transport=[contact_transport]>
X-Media: [media_transport]`
	uacRest = `<send><![CDATA[ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:caller@[local_ip]>;tag=[call_number]
To: <sip:[service]@[remote_ip]>[peer_tag_param]
Call-ID: [call_id]
CSeq: [cseq-1] ACK
Content-Length: 0]]></send>
<recv request="BYE"/>`
	uasRest = `<recv request="ACK"/><recv request="BYE"/>`
)

// sipPeer is the other end of a published scenario: a UDP socket and a bridge.
type sipPeer struct {
	conn   net.Conn
	bridge *webrtc.Bridge
	heard  chan struct{} // the first packet arrived
}

func newSIPPeer(t *testing.T) *sipPeer {
	t.Helper()
	factory, err := webrtc.NewFactory(webrtc.Options{IP: netip.MustParseAddr("127.0.0.1")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { factory.Close() })
	p := &sipPeer{heard: make(chan struct{}, 1)}
	p.bridge, err = factory.NewBridge(webrtc.BridgeOptions{IdleSilence: true, OnEvent: func(e media.Event) {
		if e.Type == media.EventFirstPacket {
			p.heard <- struct{}{}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// send sends one message with SDP, or without if sdp is nil.
func (p *sipPeer) send(t *testing.T, start, headers string, sdp []byte) {
	t.Helper()
	message := fmt.Sprintf("%s\r\n%sContent-Length: %d\r\n", start, headers, len(sdp))
	if sdp != nil {
		message += "Content-Type: application/sdp\r\n"
	}
	if _, err := fmt.Fprintf(p.conn, "%s\r\n%s", message, sdp); err != nil {
		t.Fatal(err)
	}
}

// receive returns the next message, split at its blank line.
func (p *sipPeer) receive(t *testing.T) (head, body []byte) {
	t.Helper()
	buf := make([]byte, 1<<16)
	if err := p.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, err := p.conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	head, body, found := bytes.Cut(buf[:n], []byte("\r\n\r\n"))
	if !found {
		t.Fatalf("no blank line in %q", buf[:n])
	}
	return head, body
}

// wantLength checks that [len] is the number of body bytes.
func wantLength(t *testing.T, head, body []byte) {
	t.Helper()
	for _, line := range strings.Split(string(head), "\r\n") {
		if value, found := strings.CutPrefix(line, "Content-Length:"); found {
			if n, err := strconv.Atoi(strings.TrimSpace(value)); err != nil || n != len(body) {
				t.Errorf("%q, but the body has %d bytes", line, len(body))
			}
			return
		}
	}
	t.Errorf("no Content-Length in %q", head)
}

// waitHeard waits until the program's audio arrives: media are up on both sides then.
func (p *sipPeer) waitHeard(t *testing.T) {
	t.Helper()
	select {
	case <-p.heard:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing is heard of the program")
	}
}

func writeScenario(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "published.xml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPublishedUASRunsAsItStands(t *testing.T) {
	t.Parallel()
	path := writeScenario(t, strings.Replace(publishedUAS, "...", uasRest, 1))
	run, address := listen(t, path, "--calls", "1")
	peer := newSIPPeer(t)
	var err error
	if peer.conn, err = net.Dial("udp4", address); err != nil {
		t.Fatal(err)
	}
	defer peer.conn.Close()
	offer, err := peer.bridge.CreateOffer(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	headers := "Via: SIP/2.0/UDP " + peer.conn.LocalAddr().String() + ";branch=z9hG4bK1\r\nFrom: <sip:a@127.0.0.1>;tag=a\r\n" +
		"To: <sip:b@127.0.0.1>\r\nCall-ID: published\r\n"
	peer.send(t, "INVITE sip:b@"+address+" SIP/2.0", headers+"CSeq: 1 INVITE\r\n", offer)
	head, answer := peer.receive(t)
	wantLength(t, head, answer)
	if want := "SIP/2.0 200 OK\r\nContent-Type: application/sdp\r\nContent-Length:"; !strings.HasPrefix(string(head), want) {
		t.Errorf("the 200 is %q, want it as written: %q…", head, want)
	}
	if err := peer.bridge.AcceptAnswer(context.Background(), answer); err != nil {
		t.Fatal(err)
	}
	peer.waitHeard(t)
	peer.send(t, "ACK sip:b@"+address+" SIP/2.0", headers+"CSeq: 1 ACK\r\n", nil)
	peer.send(t, "BYE sip:b@"+address+" SIP/2.0", headers+"CSeq: 2 BYE\r\n", nil)
	run.end(t, 0)
	run.wantOutcomes(t, map[string]int{"success": 1})
}

func TestPublishedUACRunsAsItStands(t *testing.T) {
	t.Parallel()
	text := strings.Replace(strings.Replace(publishedUAC, "...", uacHeaders, 1), "\n...\n", "\n"+uacRest+"\n", 1)
	peer := newSIPPeer(t)
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	run := start(t, writeScenario(t, text), conn.LocalAddr().String(), "--calls", "1",
		"--profile", profileWith(t, "enabled: true"))
	connected := &answering{UDPConn: conn}
	peer.conn = connected
	head, offer := peer.receive(t)
	wantLength(t, head, offer)
	if !strings.Contains(string(head), ";transport=WSS>") || !strings.Contains(string(head), "X-Media: webrtc") {
		t.Errorf("[contact_transport] or [media_transport] is wrong in %q", head)
	}
	answer, err := peer.bridge.Answer(context.Background(), offer)
	if err != nil {
		t.Fatal(err)
	}
	headers := copiedHeaders(head)
	peer.send(t, "SIP/2.0 200 OK", headers, answer)
	if head, _ := peer.receive(t); !strings.HasPrefix(string(head), "ACK ") {
		t.Errorf("got %q after the 200, want the ACK", head)
	}
	peer.waitHeard(t)
	peer.send(t, "BYE sip:caller@127.0.0.1 SIP/2.0", strings.Replace(headers, "CSeq: 1 INVITE", "CSeq: 7 BYE", 1), nil)
	run.end(t, 0)
	run.wantOutcomes(t, map[string]int{"success": 1})
}

func TestPublishedUACWithoutWebRTCIsRefused(t *testing.T) {
	t.Parallel()
	text := strings.Replace(strings.Replace(publishedUAC, "...", uacHeaders, 1), "\n...\n", "\n"+uacRest+"\n", 1)
	run := start(t, writeScenario(t, text), "127.0.0.1:9", "--calls", "1")
	run.end(t, 64)
	if out := run.Output(); !strings.Contains(out, "[webrtc_offer]") || !strings.Contains(out, "published.xml:") {
		t.Errorf("the message names not both keyword and line:\n%s", out)
	}
}

// answering is an unconnected socket that writes to whoever wrote last.
type answering struct {
	*net.UDPConn
	to netip.AddrPort
}

func (a *answering) Read(b []byte) (int, error) {
	n, from, err := a.ReadFromUDPAddrPort(b)
	a.to = from
	return n, err
}

func (a *answering) Write(b []byte) (int, error) { return a.WriteToUDPAddrPort(b, a.to) }

// copiedHeaders are the headers that a response takes from its request.
func copiedHeaders(head []byte) string {
	var headers string
	for _, line := range strings.Split(string(head), "\r\n")[1:] {
		switch name, _, _ := strings.Cut(line, ":"); name {
		case "Via", "From", "Call-ID", "CSeq":
			headers += line + "\r\n"
		case "To":
			headers += line + ";tag=b\r\n"
		}
	}
	return headers
}
