package report

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/gossipper/gossipper/internal/record"
)

// maxICEWarnings is how many failures of ICE servers a summary warns of.
const maxICEWarnings = 5

// socketError matches how Go describes a socket in an error: "write udp4 127.0.0.1:35500->192.0.2.1:3999: ".
var socketError = regexp.MustCompile(`(?:read|write|dial) (?:udp|tcp)[46]? (\S+?)->(\S+?): (?:\w+: )?`)

// iceErrorLabel names a server and what went wrong with it. Calls with the same trouble get the same label: the local port, which is
// another in each call, is left out.
func iceErrorLabel(e record.ICEError) string {
	text := withoutSocket(e.Text)
	if e.Code != nil {
		text = strings.TrimSpace(fmt.Sprintf("%d %s", *e.Code, text))
	}
	return cmp.Or(e.URL, "unknown server") + ": " + text
}

// withoutSocket removes the addresses of the socket from an error, and explains what the kernel calls an invalid argument: a socket on
// loopback has no way to other machines.
func withoutSocket(text string) string {
	socket := socketError.FindStringSubmatchIndex(text)
	if socket == nil {
		return text
	}
	local, localErr := netip.ParseAddrPort(text[socket[2]:socket[3]])
	remote, remoteErr := netip.ParseAddrPort(text[socket[4]:socket[5]])
	reason := text[socket[1]:]
	if localErr == nil && remoteErr == nil && local.Addr().IsLoopback() && !remote.Addr().IsLoopback() &&
		(strings.HasPrefix(reason, "invalid argument") || strings.HasPrefix(reason, "network is unreachable")) {
		return fmt.Sprintf("cannot be reached from %s: the media use loopback; --local chooses another address", local.Addr())
	}
	return text[:socket[0]] + reason
}

// iceWarnings tell of servers that failed: while there is another path, nothing else shows it.
func (w *WebRTC) iceWarnings() []string {
	var all []string
	labels := slices.SortedFunc(maps.Keys(w.ICEErrors), func(a, b string) int {
		return cmp.Or(cmp.Compare(w.ICEErrors[b], w.ICEErrors[a]), strings.Compare(a, b))
	})
	for i, label := range labels {
		if i == maxICEWarnings {
			return append(all, fmt.Sprintf("ICE servers failed in %d more ways: see ice_errors in summary.json", len(labels)-i))
		}
		all = append(all, fmt.Sprintf("ICE server %s, in %s", label, NumberOfCalls(w.ICEErrors[label])))
	}
	return all
}
