package main

import (
	"fmt"
	"log/slog"
	"net/netip"
	"reflect"
	"strings"
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
    udp_mux_port: 3999
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
		UDPMuxPort: 3999, IP: ip, Pacer: pacer, Logger: log,
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

// The nearest word on the kind of media wins: flag, scenario, profile.
func TestKindOfMedia(t *testing.T) {
	t.Parallel()
	const call = "<scenario name=\"x\"%s>\n<recv request=\"INVITE\"/>\n<send><![CDATA[\nSIP/2.0 200 OK\n[last_Via:]\n\n[sdp_answer]\n]]></send>\n</scenario>"
	const on, off = "transports: [{type: udp}, {type: webrtc}]\n", "transports: [{type: udp}, {type: webrtc, enabled: false}]\n"
	for _, c := range []struct {
		name, attribute, profile, flag string
		want                           media.Kind
	}{
		{"nothing said", "", "", "", media.KindRTP},
		{"row", "", on, "", media.KindWebRTC},
		{"row that is not enabled", "", off, "", media.KindRTP},
		{"attribute", ` webrtc="true"`, "", "", media.KindWebRTC},
		{"attribute and row that is not enabled", ` webrtc="true"`, off, "", media.KindWebRTC},
		{"attribute against row", ` webrtc="false"`, on, "", media.KindRTP},
		{"flag against row", "", on, "rtp", media.KindRTP},
		{"flag against attribute", ` webrtc="true"`, on, "rtp", media.KindRTP},
		{"flag", "", "", "webrtc", media.KindWebRTC},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := request{scenario: writeFile(t, "x.xml", fmt.Sprintf(call, c.attribute)), flags: runFlags{media: c.flag}}
			if c.profile != "" {
				r.flags.profile = writeFile(t, "p.yaml", c.profile)
			}
			p, err := prepare(t.Context(), &Env{}, r)
			if err != nil {
				t.Fatal(err)
			}
			if p.kind != c.want {
				t.Errorf("media %v, want %v", p.kind, c.want)
			}
			if rows := p.profile.SIPTransports(); len(rows) != 1 || rows[0].Type != profile.UDP {
				t.Errorf("SIP transports %v, want UDP alone", rows)
			}
		})
	}
	for _, c := range []struct {
		name, scenario, flag string
		want                 media.Kind
	}{
		{"a scenario without media has none", "options_ping", "", media.KindNone},
		{"SDP written by hand needs none", "uac", "", media.KindNone},
		{"SDP written by hand with media asked for", "uac", "rtp", media.KindRTP},
		{"SDP written by hand without media", "uac", "none", media.KindNone},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := prepare(t.Context(), &Env{}, request{scenario: c.scenario, target: "127.0.0.1", flags: runFlags{media: c.flag}})
			if err != nil || p.kind != c.want {
				t.Errorf("%v, %v", p, err)
			}
		})
	}
	t.Run("a webrtc row alone carries no SIP", func(t *testing.T) {
		t.Parallel()
		file := writeFile(t, "p.yaml", "transports: [{type: udp, enabled: false}, {type: webrtc}]\n")
		_, err := prepare(t.Context(), &Env{}, request{scenario: "uas", flags: runFlags{profile: file}})
		if exitCodeOf(err) != ExitUsage || !strings.Contains(err.Error(), "no SIP transport") {
			t.Errorf("error %v", err)
		}
	})
}

func TestAddressesOfACaller(t *testing.T) {
	t.Parallel()
	p, err := prepare(t.Context(), &Env{}, request{scenario: "uac", target: "sip:alice@127.0.0.1:5099"})
	if err != nil {
		t.Fatal(err)
	}
	if p.target.String() != "127.0.0.1:5099" || p.service != "alice" || p.host != "127.0.0.1" || p.local.String() != "127.0.0.1:0" {
		t.Errorf("target %v, service %s, host %s, local %v", p.target, p.service, p.host, p.local)
	}
	if p, err = prepare(t.Context(), &Env{}, request{scenario: "uac", target: "[::1]:5099"}); err != nil {
		t.Fatal(err)
	}
	if p.local.String() != "[::1]:0" || p.service != "service" {
		t.Errorf("local %v, service %s; want an IPv6 address and the default user", p.local, p.service)
	}
}
