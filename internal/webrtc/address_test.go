package webrtc

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/pion/transport/v4/stdnet"
)

func loopbackInterface(t *testing.T) string {
	t.Helper()
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagLoopback != 0 && i.Flags&net.FlagUp != 0 {
			return i.Name
		}
	}
	t.Skip("this machine has no loopback interface")
	return ""
}

func TestMediaAddress(t *testing.T) {
	t.Parallel()
	network, err := stdnet.NewNet()
	if err != nil {
		t.Fatal(err)
	}
	lo := loopbackInterface(t)
	for _, tc := range []struct {
		name, iface string
		ip          netip.Addr
		want        netip.Addr
		err         string
	}{
		{name: "address", ip: loopback, want: loopback},
		{name: "mapped address", ip: netip.MustParseAddr("::ffff:127.0.0.1"), want: loopback},
		{name: "interface", iface: lo, want: loopback},
		{name: "both", iface: lo, ip: loopback, want: loopback},
		{name: "foreign address", ip: netip.MustParseAddr("192.0.2.99"), err: "no network interface"},
		{name: "address of another interface", iface: lo, ip: netip.MustParseAddr("192.0.2.99"), err: "does not have the address"},
		{name: "no such interface", iface: "nope0", err: "does not exist"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := mediaAddress(network, tc.iface, tc.ip)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("got %v, %v", got, err)
				}
				return
			}
			if err != nil || got != tc.want {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	if got, err := mediaAddress(network, "", netip.Addr{}); err != nil || !got.IsValid() || got.IsUnspecified() {
		t.Errorf("by default: %v, %v", got, err)
	}
}

func TestIPv6LoopbackIsRefused(t *testing.T) {
	t.Parallel()
	probe, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no IPv6")
	}
	_ = probe.Close()
	if _, err := NewFactory(Options{IP: netip.IPv6Loopback()}); err == nil || !strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("got %v", err)
	}
}
