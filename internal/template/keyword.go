package template

import "strconv"

// Keyword is one of the words that stand in square brackets. The zero Keyword is none.
type Keyword uint8

// The keywords.
const (
	KeyRemoteHost Keyword = iota + 1
	KeyRemoteIP
	KeyRemotePort
	KeyLocalIP
	KeyLocalIPType
	KeyLocalPort
	KeyServerIP
	KeyTransport
	KeySIPTransport
	KeyService
	KeyPID
	KeyMediaIP
	KeyMediaIPType
	KeyMediaPort
	KeyMediaTransport
	KeyContactTransport
	KeyCallNumber
	KeyCallID
	KeyCSeq
	KeyBranch
	KeyMsgIndex
	KeyPeerTagParam
	KeyRoutes
	KeyNextURL
	KeyLen
	KeyClockTick
	KeyTimestamp
	KeyLastMessage
	KeyLastRequestURI
	KeyLastCSeqNumber
	KeyLastHeader // [last_Via:] and so on, for any header
	KeyVariable   // [$name]
	KeySDPOffer
	KeySDPAnswer
	KeyWebRTCOffer
	KeyWebRTCAnswer
	keywords // one more than the last
)

var keywordNames = [keywords]string{
	KeyRemoteHost: "remote_host", KeyRemoteIP: "remote_ip", KeyRemotePort: "remote_port",
	KeyLocalIP: "local_ip", KeyLocalIPType: "local_ip_type", KeyLocalPort: "local_port", KeyServerIP: "server_ip",
	KeyTransport: "transport", KeySIPTransport: "sip_transport", KeyService: "service", KeyPID: "pid",
	KeyMediaIP: "media_ip", KeyMediaIPType: "media_ip_type", KeyMediaPort: "media_port",
	KeyMediaTransport: "media_transport", KeyContactTransport: "contact_transport",
	KeyCallNumber: "call_number", KeyCallID: "call_id", KeyCSeq: "cseq", KeyBranch: "branch", KeyMsgIndex: "msg_index",
	KeyPeerTagParam: "peer_tag_param", KeyRoutes: "routes", KeyNextURL: "next_url", KeyLen: "len",
	KeyClockTick: "clock_tick", KeyTimestamp: "timestamp",
	KeyLastMessage: "last_message", KeyLastRequestURI: "last_Request_URI", KeyLastCSeqNumber: "last_cseq_number",
	KeyLastHeader: "last_", KeyVariable: "$",
	KeySDPOffer: "sdp_offer", KeySDPAnswer: "sdp_answer", KeyWebRTCOffer: "webrtc_offer", KeyWebRTCAnswer: "webrtc_answer",
}

// String returns the word as it stands between the brackets; "last_" and "$" for the two that are followed by a name.
func (k Keyword) String() string {
	if k > 0 && k < keywords {
		return keywordNames[k]
	}
	return "keyword(" + strconv.Itoa(int(k)) + ")"
}

// isSDP tells whether the keyword stands for a whole SDP body.
func (k Keyword) isSDP() bool {
	return k >= KeySDPOffer && k <= KeyWebRTCAnswer
}

// takesOffset tells whether [keyword+n] has a meaning.
func (k Keyword) takesOffset() bool {
	switch k {
	case KeyRemotePort, KeyLocalPort, KeyMediaPort, KeyCSeq, KeyBranch, KeyMsgIndex, KeyLen, KeyCallNumber, KeyLastCSeqNumber:
		return true
	default:
		return false
	}
}
