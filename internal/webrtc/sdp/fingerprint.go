package sdp

import (
	"crypto"
	_ "crypto/sha1" // fingerprints of old peers
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/hex"
	"strings"
)

var fingerprintHashes = map[string]crypto.Hash{
	"sha-1": crypto.SHA1, "sha-224": crypto.SHA224, "sha-256": crypto.SHA256, "sha-384": crypto.SHA384, "sha-512": crypto.SHA512,
}

// parseFingerprint reads the value of a=fingerprint (RFC 8122 5). Case does not matter: some peers write "SHA-256" or lower
// case digits.
func parseFingerprint(value string) (hash, fingerprint string, ok bool) {
	hash, fingerprint, _ = strings.Cut(value, " ")
	hash = strings.ToLower(hash)
	fingerprint = strings.ToUpper(strings.TrimSpace(fingerprint))
	h, known := fingerprintHashes[hash]
	raw, err := hex.DecodeString(strings.ReplaceAll(fingerprint, ":", ""))
	return hash, fingerprint, known && err == nil && len(raw) == h.Size() && len(fingerprint) == 3*len(raw)-1
}

// Matches tells whether the certificate (DER) is the one that the description announced.
func (r *Remote) Matches(certificate []byte) bool {
	h := fingerprintHashes[r.hash].New()
	h.Write(certificate)
	return strings.EqualFold(hex.EncodeToString(h.Sum(nil)), strings.ReplaceAll(r.fingerprint, ":", ""))
}

// SameTransport tells whether r goes on with the same ICE and DTLS session.
func (r *Remote) SameTransport(o *Remote) bool {
	return r.Ufrag == o.Ufrag && r.pwd == o.pwd && r.SameCertificate(o)
}

// SameCertificate tells whether r announces the certificate that o announces.
func (r *Remote) SameCertificate(o *Remote) bool {
	return r.hash == o.hash && r.fingerprint == o.fingerprint
}
