package template

// Values are what the keywords of one message stand for. The engine keeps one Values for its loop and sets what differs
// before each rendering, so that nothing is allocated per message.
type Values struct {
	// The run. IPv6 addresses stand here without brackets: rendering puts them in brackets in the header of a message, where SIP
	// wants them so, and leaves them bare in the body, where SDP does.
	RemoteHost    string // [remote_host]: the target as the user wrote it
	RemoteIP      string // [remote_ip]
	RemotePort    int    // [remote_port]
	LocalIP       string // [local_ip]
	LocalIPType   string // [local_ip_type]: 4 or 6
	LocalPort     int    // [local_port]
	ServerIP      string // [server_ip]: the address at which the last message came in
	Transport     string // [transport], [sip_transport]: UDP, TCP, TLS, WS, WSS
	Service       string // [service]
	PID           int    // [pid]
	MediaIP       string // [media_ip]
	MediaIPType   string // [media_ip_type]: 4 or 6
	MediaPort     int    // [media_port]
	MediaKind     string // [media_transport]: rtp, webrtc, none
	ContactScheme string // [contact_transport]: WSS with WebRTC media, otherwise as [transport]

	// The call.
	CallNumber   uint64 // [call_number]
	CallID       string // [call_id]
	CSeq         uint32 // [cseq]
	PeerTagParam string // [peer_tag_param]: ";tag=…" or empty
	Routes       string // [routes]: a whole "Route: …" line without its line end, or empty
	NextURL      string // [next_url]
	SDPOffer     []byte // [webrtc_offer], [sdp_offer]
	SDPAnswer    []byte // [webrtc_answer], [sdp_answer]

	// The step.
	MsgIndex  int    // [msg_index], and part of [branch]
	ClockTick int64  // [clock_tick]: milliseconds since the start of the run
	Timestamp string // [timestamp]; may be left empty when no template of the plan uses it

	Last      LastMessage // [last_…]; nil before the first message
	Variables Variables   // [$name]; nil if the scenario has none
}

// LastMessage is what [last_…] keywords need of the last message received.
type LastMessage interface {
	// AppendHeader appends "Name: value" as it is to be sent, several instances joined by ", " on one line, without line end.
	// It reports false, and appends nothing, when the message has no such header. The name is without colon; case does not matter.
	AppendHeader(dst []byte, name string) ([]byte, bool)
	// RequestURI is the Request-URI, empty for a response.
	RequestURI() []byte
	// CSeqNumber is the number of the CSeq header.
	CSeqNumber() uint32
	// Bytes is the whole message.
	Bytes() []byte
}

// Variables give the value of scenario variables as text.
type Variables interface {
	// AppendVariable appends the value; it reports false when the variable has none.
	AppendVariable(dst []byte, name string) ([]byte, bool)
}
