package engine

import (
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/scenario"
	"github.com/gossipper/gossipper/internal/template"
	"github.com/gossipper/gossipper/internal/transport"
)

// initValues sets what stays the same for the whole run.
func (l *loop) initValues() {
	v := &l.values
	v.RemoteHost = l.cfg.RemoteHost
	v.Service = l.cfg.Service
	v.PID = os.Getpid()
	v.MediaKind = l.cfg.Media.Kind.String()
	v.Transport = l.cfg.Transport.Protocol().String()
	v.ContactScheme = v.Transport
	if l.cfg.Media.Kind == media.KindWebRTC {
		v.ContactScheme = "WSS"
	}
}

// bindMessages fills into the templates what is the same for all calls. A caller has one target; a callee learns who calls, and so
// its own address if it listens on all, with each call.
func (l *loop) bindMessages() {
	v := &l.values
	keys := []template.Keyword{
		template.KeyTransport, template.KeySIPTransport, template.KeyService, template.KeyPID,
		template.KeyMediaTransport, template.KeyContactTransport,
	}
	if l.plan.role == scenario.UAC {
		v.RemoteIP, v.RemotePort = l.names.text(l.cfg.Target.Addr()), int(l.cfg.Target.Port())
		if v.RemoteHost == "" {
			v.RemoteHost = v.RemoteIP
		}
		v.LocalIP = l.names.localFor(l.cfg.Target.Addr())
		v.ServerIP, v.LocalIPType = v.LocalIP, ipType(v.LocalIP)
		keys = append(keys, template.KeyRemoteHost, template.KeyRemoteIP, template.KeyRemotePort,
			template.KeyLocalIP, template.KeyLocalIPType, template.KeyServerIP)
	}
	l.messages = make([]*template.Template, len(l.plan.steps))
	for i := range l.plan.steps {
		if send := l.plan.steps[i].Send; send != nil {
			l.messages[i] = send.Message.Bind(v, keys...)
		}
	}
}

// setValues sets what the step's message, or an action's text, stands for in this call.
func (l *loop) setValues(c *call, s *planStep) {
	v := &l.values
	remote := c.remote()
	v.RemoteIP, v.RemotePort = l.names.text(remote.Addr()), int(remote.Port())
	if l.cfg.RemoteHost == "" {
		v.RemoteHost = v.RemoteIP
	}
	v.LocalIP = l.names.localFor(remote.Addr())
	v.LocalIPType = ipType(v.LocalIP)
	v.LocalPort = int(c.flow.Local().Port())
	v.ServerIP = v.LocalIP
	v.MediaIP, v.MediaPort = v.LocalIP, l.cfg.Media.Port
	if l.cfg.Media.IP.IsValid() {
		v.MediaIP = l.names.text(l.cfg.Media.IP)
	}
	v.SDPOffer, v.SDPAnswer = nil, nil
	if c.media != nil {
		c.media.values(v)
	}
	v.MediaIPType = ipType(v.MediaIP)

	v.CallNumber, v.CallID, v.CSeq = c.number, c.id, c.cseq
	v.PeerTagParam, v.Routes, v.NextURL = c.peerTag, c.routes, c.nextURL
	v.MsgIndex = s.index
	v.ClockTick = l.elapsed.Milliseconds()
	v.Last = nil
	if c.hasLast {
		v.Last = &c.last
	}
	if v.NextURL == "" && c.hasLast && s.Send != nil && s.Send.Message.Uses(template.KeyNextURL) {
		v.NextURL = string(c.last.ContactURI()) // without rrs: as things stand
	}
	if l.plan.usesTimestamp {
		v.Timestamp = l.cfg.Now().Format("2006-01-02 15:04:05.000000")
	}
	v.Variables = nil
	if len(l.plan.variables) > 0 {
		v.Variables = c
	}
}

// ipType is 4 or 6, for the c= and o= lines of SDP.
func ipType(ip string) string {
	for i := range len(ip) {
		if ip[i] == ':' {
			return "6"
		}
	}
	return "4"
}

// addressNames give addresses as text without making it anew for each message.
type addressNames struct {
	advertise, local netip.Addr
	texts            map[netip.Addr]string
	locals           map[netip.Addr]netip.Addr
}

// maxNames bounds the addresses that are remembered.
const maxNames = 4096

// text is the address as text.
func (n *addressNames) text(a netip.Addr) string {
	if s, ok := n.texts[a]; ok {
		return s
	}
	if n.texts == nil || len(n.texts) >= maxNames {
		n.texts = make(map[netip.Addr]string)
	}
	s := a.Unmap().WithZone("").String()
	n.texts[a] = s
	return s
}

// localFor is the address at which the remote one reaches this side, as text.
func (n *addressNames) localFor(remote netip.Addr) string { return n.text(n.localAddr(remote)) }

// localAddr is the advertised address, the one that the socket is bound to, or the one that the system sends from to the remote.
func (n *addressNames) localAddr(remote netip.Addr) netip.Addr {
	if n.advertise.IsValid() {
		return n.advertise
	}
	if n.local.IsValid() && !n.local.IsUnspecified() {
		return n.local.Unmap()
	}
	if a, ok := n.locals[remote]; ok {
		return a
	}
	if n.locals == nil || len(n.locals) >= maxNames {
		n.locals = make(map[netip.Addr]netip.Addr)
	}
	a := sourceAddr(remote)
	n.locals[remote] = a
	return a
}

// localAddrPort is the address of a flow's near end as the peer sees it.
func (n *addressNames) localAddrPort(f transport.Flow) netip.AddrPort {
	return netip.AddrPortFrom(n.localAddr(f.Remote().Addr()), f.Local().Port())
}

// sourceAddr is the address that the system sends from to the remote. Connecting a UDP socket looks at the routing table and sends
// nothing.
func sourceAddr(remote netip.Addr) netip.Addr {
	conn, err := net.DialTimeout("udp", net.JoinHostPort(remote.Unmap().String(), "9"), time.Second)
	if err != nil {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	defer func() { _ = conn.Close() }()
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return local.Addr().Unmap().WithZone("")
}

func appendUint(dst []byte, n uint64) []byte { return strconv.AppendUint(dst, n, 10) }
