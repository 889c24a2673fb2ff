// Package webrtc gives a call WebRTC media: ICE, DTLS-SRTP and TURN, made with Pion.
//
// A Factory holds what the calls of a run share. A Bridge is one peer: it makes an offer or an answer, takes the other
// side's, and carries G.711 both ways. A Pipeline is a Bridge with a media.Stream in front of it, so that a call can use it
// as its media.MediaPipeline.
//
// All SDP is read and written by package sdp. Pion, behind the interface peer, sees a description of one shape only, made
// from what was read; what it writes is read for its parameters and never sent. So the peculiarities of SIP peers, and of
// Pion towards them, end in package sdp.
//
// It knows nothing of scenarios, SIP messages or the engine, and can be used without them.
package webrtc
