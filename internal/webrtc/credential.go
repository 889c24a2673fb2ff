package webrtc

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the TURN REST scheme is defined with HMAC-SHA1
	"encoding/base64"
	"strconv"
	"time"
)

const (
	// DefaultIdentity is the user part of REST credentials when none is configured.
	DefaultIdentity = "gossipper"
	// DefaultAuthTTL is how long REST credentials are valid when nothing else is configured.
	DefaultAuthTTL = 86400 * time.Second
)

// Credential is a user name and password for TURN servers.
type Credential struct {
	Username string
	Password string
	// Expires is when the server stops accepting the credential; zero if it never does.
	Expires time.Time
}

// String shows the user name only.
func (c Credential) String() string { return c.Username + ":***" }

// GoString shows the user name only.
func (c Credential) GoString() string { return c.String() }

// MintREST makes a short-lived credential from the secret shared with the TURN server (coturn: use-auth-secret): the user
// name is "<expiry>:<identity>", the password base64(HMAC-SHA1(secret, user name)). An empty identity becomes
// DefaultIdentity; a ttl of zero or less becomes DefaultAuthTTL.
func MintREST(secret, identity string, ttl time.Duration, now time.Time) Credential {
	if identity == "" {
		identity = DefaultIdentity
	}
	if ttl <= 0 {
		ttl = DefaultAuthTTL
	}
	expires := time.Unix(now.Add(ttl).Unix(), 0)
	username := strconv.FormatInt(expires.Unix(), 10) + ":" + identity
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(username))
	return Credential{Username: username, Password: base64.StdEncoding.EncodeToString(mac.Sum(nil)), Expires: expires}
}
