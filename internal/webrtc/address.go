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
		for _, addr := range addressesOf(i) {
			switch {
			case addr == ip.WithZone(""):
				return ip, nil
			case preferred(addr, found):
				found = addr
			}
		}
	}
	if ip.IsValid() || !found.IsValid() {
		return netip.Addr{}, noAddress(name, ip)
	}
	return found, nil
}

// preferred tells whether an address is better than the one found before, if any. One of a single link takes no calls further.
func preferred(addr, found netip.Addr) bool {
	return !addr.IsLinkLocalUnicast() && (!found.IsValid() || found.Is6() && addr.Is4())
}

// addressesOf lists the addresses of an interface. One that just went away has none.
func addressesOf(i *transport.Interface) []netip.Addr {
	list, err := i.Addrs()
	if err != nil {
		return nil
	}
	var out []netip.Addr
	for _, a := range list {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, prefix.Addr().Unmap())
		}
	}
	return out
}

func noAddress(name string, ip netip.Addr) error {
	switch {
	case ip.IsValid() && name != "":
		return fmt.Errorf("WebRTC: interface %q does not have the address %s", name, ip)
	case ip.IsValid():
		return fmt.Errorf("WebRTC: no network interface that is up has the address %s", ip)
	default:
		return fmt.Errorf("WebRTC: the network interface %q does not exist, is down or has no address", name)
	}
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
