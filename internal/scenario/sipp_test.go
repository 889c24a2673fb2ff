package scenario

import (
	"net"
	"net/netip"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/template"
)

// TestSameBytesAsSIPp lets SIPp send the first message of a scenario and compares it with what the template gives.
func TestSameBytesAsSIPp(t *testing.T) {
	t.Parallel()
	sipp, err := exec.LookPath("sipp")
	if err != nil {
		t.Skip("sipp is not installed (Debian package sip-tester)")
	}
	for _, path := range []string{"testdata/shape.xml", "../../scenarios/uac.xml", "../../scenarios/options_ping.xml"} {
		s, err := Load(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		got, from, to := firstMessage(t, sipp, path)
		pid := regexp.MustCompile(`1-([0-9]+)@`).FindSubmatch(got)
		if pid == nil {
			t.Errorf("%s: no Call-ID in %q", path, got)
			continue
		}
		v := &template.Values{
			RemoteIP: "127.0.0.1", RemotePort: int(to.Port()), LocalIP: "127.0.0.1", LocalIPType: "4", LocalPort: int(from.Port()),
			Transport: "UDP", Service: "service", MediaIP: "127.0.0.1", MediaIPType: "4", MediaPort: 6000,
			CallNumber: 1, CallID: "1-" + string(pid[1]) + "@127.0.0.1", CSeq: 1,
		}
		v.PID, _ = strconv.Atoi(string(pid[1]))
		if want := s.Steps[0].Send.Message.AppendTo(nil, v); string(got) != string(want) {
			t.Errorf("%s: SIPp sent\n%q\nwe send\n%q", path, got, want)
		}
	}
}

// firstMessage runs SIPp as a client and returns the first datagram, and where it came from and went to.
func firstMessage(t *testing.T, sipp, path string) (msg []byte, from, to netip.AddrPort) {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	to = conn.LocalAddr().(*net.UDPAddr).AddrPort()
	free, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	port := free.LocalAddr().(*net.UDPAddr).Port
	free.Close()
	cmd := exec.Command(sipp, "-sf", path, "-i", "127.0.0.1", "-p", strconv.Itoa(port), "-mp", "6000", "-m", "1", "-nostdin", "-timeout", "5",
		"127.0.0.1:"+strconv.Itoa(int(to.Port())))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cmd.Process.Kill() //nolint:errcheck // it may have ended by itself
		cmd.Wait()         //nolint:errcheck // it was killed
	}()
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
