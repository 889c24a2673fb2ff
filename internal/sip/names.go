package sip

import "strings"

// compactNames are the one-letter header names, by letter from a on (RFC 3261 7.3.3 and the registry of header fields).
var compactNames = [26]string{
	0:         "Accept-Contact",
	'b' - 'a': "Referred-By",
	'c' - 'a': "Content-Type",
	'd' - 'a': "Request-Disposition",
	'e' - 'a': "Content-Encoding",
	'f' - 'a': "From",
	'i' - 'a': "Call-ID",
	'j' - 'a': "Reject-Contact",
	'k' - 'a': "Supported",
	'l' - 'a': "Content-Length",
	'm' - 'a': "Contact",
	'n' - 'a': "Identity-Info",
	'o' - 'a': "Event",
	'r' - 'a': "Refer-To",
	's' - 'a': "Subject",
	't' - 'a': "To",
	'u' - 'a': "Allow-Events",
	'v' - 'a': "Via",
	'x' - 'a': "Session-Expires",
	'y' - 'a': "Identity",
}

// longName returns the long form of a compact header name, and any other name unchanged.
func longName(name string) string {
	if len(name) == 1 {
		if c := lower(name[0]); c >= 'a' && c <= 'z' && compactNames[c-'a'] != "" {
			return compactNames[c-'a']
		}
	}
	return name
}

// headerName is a name to look for, in both forms.
type headerName struct {
	long    string
	compact byte // 0: none
}

func newHeaderName(name string) headerName {
	name = longName(name)
	for i, long := range compactNames {
		if len(long) == len(name) && long != "" && lower(long[0]) == lower(name[0]) && strings.EqualFold(long, name) {
			return headerName{long, 'a' + byte(i)}
		}
	}
	return headerName{long: name}
}

func (h headerName) matches(name []byte) bool {
	if len(name) == 1 && h.compact != 0 {
		return lower(name[0]) == h.compact
	}
	return equalFold(name, h.long)
}
