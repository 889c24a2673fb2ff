package webrtc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"strings"
	"time"

	pion "github.com/pion/webrtc/v4"
)

// certificateLife is longer than any run. Pion's own certificates end after a month, and a peer made after that is refused.
const certificateLife = 10 * 365 * 24 * time.Hour

// newCertificate makes the DTLS certificate of a run. One for all calls: making a key costs a tenth of a call's set-up. The key is
// ECDSA on P-256, the quickest in Go that every WebRTC peer accepts.
func newCertificate(now time.Time) (*pion.Certificate, string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, "", err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, "", err
	}
	certificate, err := pion.NewCertificate(key, x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "WebRTC"},
		// A clock that is a little behind must not make the certificate "not yet valid".
		NotBefore: now.Add(-24 * time.Hour),
		NotAfter:  now.Add(certificateLife),
	})
	if err != nil {
		return nil, "", err
	}
	fingerprints, err := certificate.GetFingerprints()
	if err != nil {
		return nil, "", err
	}
	for _, f := range fingerprints {
		if f.Algorithm == "sha-256" {
			return certificate, "sha-256 " + strings.ToUpper(f.Value), nil
		}
	}
	return nil, "", errors.New("the certificate has no SHA-256 fingerprint")
}
