package scenario

import (
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/template"
	"github.com/gossipper/gossipper/internal/testpeer"
)

// TestSameBytesAsSIPp lets SIPp send the first message of a scenario and compares it with what the template gives.
func TestSameBytesAsSIPp(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"testdata/shape.xml", "../../scenarios/uac.xml", "../../scenarios/options_ping.xml"} {
		s, err := Load(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		mediaPort := testpeer.FreeMediaPort(t)
		got, from, to := firstMessage(t, path, mediaPort)
		pid := regexp.MustCompile(`1-([0-9]+)@`).FindSubmatch(got)
		if pid == nil {
			t.Errorf("%s: no Call-ID in %q", path, got)
			continue
		}
		v := &template.Values{
			RemoteIP: "127.0.0.1", RemotePort: int(to.Port()), LocalIP: "127.0.0.1", LocalIPType: "4", LocalPort: int(from.Port()),
			Transport: "UDP", Service: "service", MediaIP: "127.0.0.1", MediaIPType: "4", MediaPort: mediaPort,
			CallNumber: 1, CallID: "1-" + string(pid[1]) + "@127.0.0.1", CSeq: 1,
		}
		v.PID, _ = strconv.Atoi(string(pid[1]))
		if want := s.Steps[0].Send.Message.AppendTo(nil, v); string(got) != string(want) {
			t.Errorf("%s: SIPp sent\n%q\nwe send\n%q", path, got, want)
		}
	}
}

// firstMessage runs SIPp as a client and returns the first datagram, and where it came from and went to.
func firstMessage(t *testing.T, path string, mediaPort int) (msg []byte, from, to netip.AddrPort) {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	to = conn.LocalAddr().(*net.UDPAddr).AddrPort()
	if path, err = filepath.Abs(path); err != nil {
		t.Fatal(err)
	}
	testpeer.SIPp(t, "-sf", path, "-i", "127.0.0.1", "-p", strconv.Itoa(testpeer.FreeUDPPort(t)), "-mp", strconv.Itoa(mediaPort),
		"-m", "1", "-timeout", "5", to.String())
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 65535)
	n, from, err := conn.ReadFromUDPAddrPort(buf)
	if err != nil {
		t.Fatalf("%s: SIPp sent nothing: %v", path, err)
	}
	return buf[:n], from, to
}
