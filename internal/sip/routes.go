package sip

import (
	"slices"
	"strings"
)

// RouteSet returns what the dialog's later requests need (RFC 3261 12.1, 12.2.1.1): routes, a whole "Route: a, b" line without line
// end, or empty, and nextURL, the Request-URI, which is empty if v has no Contact. v is the message that made the dialog: the
// response that a caller got (uac), else the request that came in. A caller reverses the order of Record-Route. If the first route
// is a strict router (no lr), it is the Request-URI and the Contact goes to the end.
func RouteSet(v *View, uac bool) (routes, nextURL string) {
	target := v.ContactURI()
	var set [][]byte
	for route := range v.RecordRoutes() {
		set = append(set, route)
	}
	if len(set) == 0 {
		return "", string(target)
	}
	if uac {
		slices.Reverse(set)
	}
	next := target
	if first := addressURI(set[0]); !isLoose(first) {
		set = set[1:]
		next = first
		if len(target) > 0 {
			set = append(set, append(append([]byte{'<'}, target...), '>'))
		}
	}
	if len(set) == 0 {
		return "", string(next)
	}
	var line strings.Builder
	line.WriteString("Route: ")
	for i, route := range set {
		if i > 0 {
			line.WriteString(", ")
		}
		line.Write(appendUnfolded(nil, route))
	}
	return line.String(), string(next)
}

// isLoose reports whether a route's URI has the lr parameter.
func isLoose(uri []byte) bool {
	_, ok := param(uri, "lr")
	return ok
}
