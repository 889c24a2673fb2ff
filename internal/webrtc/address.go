package webrtc

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/pion/transport/v4"
)

// mediaAddress finds the one address that bridges use: each further one would cost a socket and several goroutines a call.
func mediaAddress(network transport.Net, name string, ip netip.Addr) (netip.Addr, error) {
	ip = ip.Unmap()
	if !ip.IsValid() && name == "" {
		return defaultMediaAddress(), nil
	}
	interfaces, err := network.Interfaces()
	if err != nil {
		return netip.Addr{}, fmt.Errorf("WebRTC: listing the network interfaces: %w", err)
	}
	var found netip.Addr
	for _, i := range interfaces {
		if name != "" && i.Name != name || i.Flags&net.FlagUp == 0 {
			continue
		}
		addresses, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addresses {
			prefix, err := netip.ParsePrefix(a.String())
			if err != nil {
				continue
			}
			switch addr := prefix.Addr().Unmap(); {
			case ip.IsValid() && addr == ip.WithZone(""):
				return ip, nil
			case ip.IsValid() || addr.IsLinkLocalUnicast():
			case !found.IsValid() || found.Is6() && addr.Is4():
				found = addr
			}
		}
	}
	switch {
	case ip.IsValid() && name != "":
		return netip.Addr{}, fmt.Errorf("WebRTC: interface %q does not have the address %s", name, ip)
	case ip.IsValid():
		return netip.Addr{}, fmt.Errorf("WebRTC: no network interface that is up has the address %s", ip)
	case !found.IsValid():
		return netip.Addr{}, fmt.Errorf("WebRTC: the network interface %q does not exist, is down or has no address", name)
	}
	return found, nil
}

// defaultMediaAddress is the source address of packets to the Internet. Connecting a UDP socket sends nothing; the address is
// one that is reserved for documentation (RFC 5737). Without a route it is loopback.
func defaultMediaAddress() netip.Addr {
	conn, err := net.Dial("udp4", "192.0.2.1:9")
	if err == nil {
		defer func() { _ = conn.Close() }()
		if local, ok := conn.LocalAddr().(*net.UDPAddr); ok {
			return local.AddrPort().Addr().Unmap()
		}
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}
