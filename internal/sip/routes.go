package sip

// RouteSet returns what the dialog's later requests need (RFC 3261 12.1, 12.2.1.1): routes, a whole "Route: a, b" line without line
// end, or empty, and nextURL, the Request-URI. v is the message that made the dialog: the response that a caller got (uac), else
// the request that came in.
func RouteSet(v *View, uac bool) (routes, nextURL string) { return "", "" }
