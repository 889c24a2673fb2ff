package webrtc

import (
	"time"

	"github.com/pion/rtp"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/webrtc/sdp"
)

// peer is what a bridge needs of a WebRTC transport for one audio stream. It is told parameters, not SDP, and it is not
// told of codecs: what is written goes out as it is.
//
// The methods may be called from any goroutine.
type peer interface {
	// offer starts gathering as the side that will control ICE.
	offer() (sdp.LocalParams, error)
	// answer takes the offerer's parameters, starts gathering and connecting. Called again, it restarts ICE.
	answer(remote *sdp.Remote) (sdp.LocalParams, error)
	// accept takes the answerer's parameters and starts connecting.
	accept(remote *sdp.Remote) error
	// addCandidate adds a candidate of the other side.
	addCandidate(c sdp.Candidate) error

	writeRTP(header *rtp.Header, payload []byte) (int, error)
	writeRTCP(packet []byte) (int, error)

	// selectedPair returns nil until ICE has chosen one; the round trip time is zero until it was measured.
	selectedPair() (*media.CandidatePair, time.Duration)
	// close ends everything and waits for it.
	close() error
}

// peerEvents is what a peer tells its bridge. The methods may be called from any goroutine, also after close; they return
// at once and do not call the peer.
type peerEvents interface {
	onCandidate(c sdp.Candidate)
	onGathered()
	onICEState(state string)
	onConnectionState(state string)
	// onServerError reports what a STUN or TURN server answered, or that it did not.
	onServerError(hostPort string, err error)
	// onHandshakeError reports that DTLS failed. mismatch: the certificate is not the one that SDP announced.
	onHandshakeError(err error, mismatch bool)
	// onTooManySources reports that the other side sends from more SSRCs than can be kept.
	onTooManySources()
	// onRTP and onRTCP get decrypted packets, each from one goroutine; the slice is valid during the call only.
	onRTP(packet []byte)
	onRTCP(packet []byte)
}

// peerConfig is what a factory gives to a peer.
type peerConfig struct {
	servers []authorized
	policy  Policy
	again   *offered // nil, or what the peer must go on with
}

// offered is what an offer said of the peer that is replaced.
type offered struct {
	sdp.LocalParams
	port uint16 // of the host candidate; 0: there was none
}
