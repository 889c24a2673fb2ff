package webrtc

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestMintREST(t *testing.T) {
	t.Parallel()
	now := time.Unix(1700000000, 999)
	// openssl dgst -sha1 -hmac north -binary | base64, of the user name.
	for _, tc := range []struct {
		name, secret, identity, wantUser, wantPassword string
		ttl                                            time.Duration
	}{
		{
			name: "one day", secret: "north", identity: "alice", ttl: 86400 * time.Second,
			wantUser: "1700086400:alice", wantPassword: "SXua5ne/+mDhiHTp0pQJzRO4ESg=",
		},
		{name: "defaults", secret: "north", wantUser: "1700086400:gossipper", wantPassword: "DMrIbFup8aMbzxyPPreE5QknUDU="},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := MintREST(tc.secret, tc.identity, tc.ttl, now)
			if c.Username != tc.wantUser || c.Password != tc.wantPassword || c.Expires.Unix() != 1700086400 {
				t.Errorf("got %q %q %v", c.Username, c.Password, c.Expires)
			}
			if s := fmt.Sprintf("%v %+v %#v %s", c, c, c, c); strings.Contains(s, c.Password) {
				t.Errorf("printing shows the password: %s", s)
			}
		})
	}
}
