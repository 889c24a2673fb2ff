package e2e

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// callerWithShortTimers is a WebRTC caller that gives up after a few seconds. Its [call_number] in From tells the peer which call it is.
const callerWithShortTimers = `<scenario name="caller with short timers" webrtc="true">
  <send retrans="50"><![CDATA[
    INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:caller-[call_number]-@[local_ip]:[local_port]>;tag=[pid]-[call_number]
    To: <sip:[service]@[remote_ip]:[remote_port]>
    Call-ID: [call_id]
    CSeq: [cseq] INVITE
    Contact: <sip:caller@[local_ip]:[local_port]>
    Max-Forwards: 70
    Content-Type: application/sdp
    Content-Length: [len]

    [webrtc_offer]
  ]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="200"/>
  <send><![CDATA[
    ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:caller-[call_number]-@[local_ip]:[local_port]>;tag=[pid]-[call_number]
    To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
    Call-ID: [call_id]
    CSeq: [cseq-1] ACK
    Max-Forwards: 70
    Content-Length: 0
  ]]></send>
  <pause milliseconds="1500"/>
  <send retrans="500"><![CDATA[
    BYE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:caller-[call_number]-@[local_ip]:[local_port]>;tag=[pid]-[call_number]
    To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
    Call-ID: [call_id]
    CSeq: [cseq] BYE
    Max-Forwards: 70
    Content-Length: 0
  ]]></send>
  <recv response="200"/>
</scenario>
`

// The calls that the peer below treats badly, by call number.
const (
	callUnanswered = 2
	callBusy       = 4
	callGarbage    = 6
	callPlainRTP   = 8
)

func TestEachMisbehaviourHasItsOwnOutcome(t *testing.T) {
	t.Parallel()
	uas, address := listen(t, "webrtc_uas")
	peer := startPeer(t, address)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "caller.xml"), []byte(callerWithShortTimers), 0o600); err != nil {
		t.Fatal(err)
	}
	uac := startIn(t, dir, "caller.xml", peer, "--calls", "20", "--rate", "10", "--sockets", "per-call")
	uac.end(t, 1)
	_ = uas
	all := uac.wantOutcomes(t, map[string]int{
		"success": 16, "no_answer": 1, "rejected": 1, "malformed_answer": 1, "media_incompatible": 1,
	})
	want := map[int]struct{ outcome, stage, reason string }{
		callUnanswered: {"no_answer", "sip", `no answer to INVITE`},
		callBusy:       {"rejected", "sip", `486 Busy Here`},
		callGarbage:    {"malformed_answer", "sip", `not SIP`},
		callPlainRTP:   {"media_incompatible", "media", `RTP/AVP`},
	}
	for _, rec := range all {
		expected, bad := want[rec.CallNumber]
		if !bad {
			continue
		}
		if rec.Outcome != expected.outcome || text(rec.FailStage) != expected.stage || !strings.Contains(text(rec.Reason), expected.reason) {
			t.Errorf("call %d: %s at %s: %s; want %s at %s: …%s…", rec.CallNumber, rec.Outcome, text(rec.FailStage), text(rec.Reason),
				expected.outcome, expected.stage, expected.reason)
		}
	}
}

// peer stands between the caller and a UAS that behaves: it passes the messages of most calls through and answers some itself.
type peer struct {
	front *net.UDPConn // towards the caller
	back  *net.UDPConn // towards the UAS
	uas   netip.AddrPort

	mu      sync.Mutex
	callers map[string]netip.AddrPort // by Call-ID: each call has a socket of its own
}

// startPeer returns the address to call.
func startPeer(t *testing.T, uas string) string {
	t.Helper()
	p := &peer{uas: netip.MustParseAddrPort(uas), callers: make(map[string]netip.AddrPort)}
	for _, conn := range []**net.UDPConn{&p.front, &p.back} {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		*conn = c
	}
	var readers sync.WaitGroup
	readers.Go(func() { p.read(p.front, p.fromCaller) })
	readers.Go(func() { p.read(p.back, p.fromUAS) })
	t.Cleanup(func() {
		p.front.Close()
		p.back.Close()
		readers.Wait()
	})
	return p.front.LocalAddr().String()
}

// read hands over datagrams until the socket is closed.
func (p *peer) read(conn *net.UDPConn, handle func([]byte, netip.AddrPort)) {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		handle(buf[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
	}
}

func (p *peer) fromUAS(message []byte, _ netip.AddrPort) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = p.front.WriteToUDPAddrPort(message, p.callers[callID(message)])
}

var (
	callerNumber = regexp.MustCompile(`sip:caller-(\d+)-`)
	callIDLine   = regexp.MustCompile(`\r\nCall-ID: *([^\r]+)`)
)

func callID(message []byte) string {
	if match := callIDLine.FindSubmatch(message); match != nil {
		return string(match[1])
	}
	return ""
}

func (p *peer) fromCaller(message []byte, from netip.AddrPort) {
	p.mu.Lock()
	p.callers[callID(message)] = from
	p.mu.Unlock()
	number := 0
	if match := callerNumber.FindSubmatch(message); match != nil {
		_, _ = fmt.Sscan(string(match[1]), &number)
	}
	invite := bytes.HasPrefix(message, []byte("INVITE "))
	var answer string
	switch number {
	case callUnanswered:
	case callBusy:
		answer = reply(message, "486 Busy Here", "")
	case callGarbage:
		answer = "\x00\xff this was never SIP \r\n"
	case callPlainRTP:
		answer = reply(message, "200 OK", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n")
	default:
		_, _ = p.back.WriteToUDPAddrPort(message, p.uas)
		return
	}
	switch {
	case invite && answer != "":
		_, _ = p.front.WriteToUDPAddrPort([]byte(answer), from)
	case bytes.HasPrefix(message, []byte("BYE ")):
		_, _ = p.front.WriteToUDPAddrPort([]byte(reply(message, "200 OK", "")), from)
	}
}

// reply answers a request with its own headers.
func reply(request []byte, status, sdp string) string {
	answer := "SIP/2.0 " + status + "\r\n"
	for _, line := range strings.Split(string(request), "\r\n") {
		name, _, _ := strings.Cut(line, ":")
		switch name {
		case "Via", "From", "Call-ID", "CSeq":
			answer += line + "\r\n"
		case "To":
			answer += line + ";tag=peer\r\n"
		}
	}
	if sdp != "" {
		answer += "Contact: <sip:peer@127.0.0.1>\r\nContent-Type: application/sdp\r\n"
	}
	return answer + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(sdp), sdp)
}
