package main

import (
	"log/slog"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/profile"
	"github.com/gossipper/gossipper/internal/webrtc"
)

// Each setting of the webrtc row gets a value of its own, from YAML, and must be found in the options of the bridges.
func TestEverySettingOfTheWebRTCRowReachesTheBridge(t *testing.T) {
	t.Parallel()
	loaded, err := profile.Load(profile.Sources{File: "p.yaml", Partial: true, Data: []byte(`
transports:
  - {type: udp}
  - type: webrtc
    ice_servers: ["stun:a:1000", "turn:user:pass@b:2000"]
    ice_username: alice
    ice_credential: static password
    ice_auth_secret: shared secret
    ice_auth_ttl_sec: 1234
    prefer_pcma: true
    ice_policy: relay
    trickle: full
    gather_timeout: 7s
    host_grace: 250ms
    turn_refresh: off
`)})
	if err != nil {
		t.Fatal(err)
	}
	row, enabled := loaded.Profile.WebRTC()
	if !enabled {
		t.Error("the row does not switch the media to WebRTC")
	}
	ip, pacer, log := netip.MustParseAddr("192.0.2.7"), media.NewPacer(media.PacerOptions{}), slog.New(slog.DiscardHandler)
	defer pacer.Close()
	want := webrtc.Options{
		ICEServers: []string{"stun:a:1000", "turn:user:pass@b:2000"}, ICEUsername: "alice", ICECredential: "static password",
		ICEAuthSecret: "shared secret", ICEAuthTTL: 1234 * time.Second, ICEPolicy: webrtc.PolicyRelay, ICETrickleFullGather: true,
		ICEGatherTimeout: 7 * time.Second, HostGrace: 250 * time.Millisecond, TURNRefresh: webrtc.TURNRefreshOff, PreferPCMA: true,
		IP: ip, Pacer: pacer, Logger: log,
	}
	got := webrtcOptions(row, ip, pacer, log)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the options differ in a field that String may not show: %v", got)
	}
	// A field that is added to the options must be set from the profile, or be named here.
	notOfTheProfile := map[string]bool{"ICEConnectTimeout": true, "DTLSTimeout": true, "Interface": true}
	for i := range reflect.TypeFor[webrtc.Options]().NumField() {
		name := reflect.TypeFor[webrtc.Options]().Field(i).Name
		if reflect.ValueOf(got).Field(i).IsZero() != notOfTheProfile[name] {
			t.Errorf("webrtc.Options.%s: set from the profile: %v", name, !reflect.ValueOf(got).Field(i).IsZero())
		}
	}
	// And one that is added to the row must be used: change each, and something in the options must change.
	for i := range reflect.TypeFor[profile.WebRTCRow]().NumField() {
		field := reflect.TypeFor[profile.WebRTCRow]().Field(i)
		if field.Name == "Type" || field.Name == "Enabled" {
			continue
		}
		changed := row
		reflect.ValueOf(&changed).Elem().Field(i).SetZero()
		if reflect.DeepEqual(webrtcOptions(changed, ip, pacer, log), want) {
			t.Errorf("the setting %s does not reach the bridge", field.Tag.Get("yaml"))
		}
	}
}

func TestMediaAddress(t *testing.T) {
	t.Parallel()
	any4, any6 := netip.IPv4Unspecified(), netip.IPv6Unspecified()
	target := netip.MustParseAddrPort("127.0.0.1:5060")
	if got := reachableAddress(target, any4); got != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("towards loopback: %v", got)
	}
	for _, bind := range []netip.Addr{any4, any6} {
		if got := reachableAddress(netip.AddrPort{}, bind); !got.IsValid() || got.IsUnspecified() {
			t.Errorf("bound to %v without a target: %v cannot be written into SDP", bind, got)
		}
	}
}
