// Package sdp reads and writes the SDP of SIP peers for one WebRTC audio m-line: offers, answers, and the candidates that trickle in
// after them. It chooses what to answer, and makes of a peer's description the one shape that Pion gets to see.
//
// It knows nothing of Pion's PeerConnection, bridges or sockets: text goes in, text and plain values come out.
package sdp
