package transport

import "net/netip"

// Endpoint is a socket or connection that was made outside of this package, for a Transport of another kind. It must be
// comparable: a pointer.
type Endpoint interface {
	Send(b []byte, remote netip.AddrPort) error
	Local() netip.AddrPort
	Protocol() Protocol
	Release()
}

// NewFlow returns the flow through an endpoint of another kind to remote.
func NewFlow(e Endpoint, remote netip.AddrPort) Flow {
	return Flow{endpoint: outside{e}, remote: remote}
}

// outside adapts an Endpoint.
type outside struct{ Endpoint }

func (o outside) send(b []byte, remote netip.AddrPort) error { return o.Send(b, remote) }
func (o outside) local() netip.AddrPort                      { return o.Local() }
func (o outside) protocol() Protocol                         { return o.Protocol() }
func (o outside) release()                                   { o.Release() }
