package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/profile"
	"github.com/gossipper/gossipper/internal/scenario"
)

// heardHold is how long the pauses without a length last in calls with media when nobody chose: long enough to connect and to be
// heard.
const heardHold = 5 * time.Second

// request is what the user asked for.
type request struct {
	scenario, target string // from the command line; may be empty
	flags            runFlags
}

// prepared is a run that has been checked as a whole, and can be started. It holds no resources.
type prepared struct {
	profile  *profile.Profile
	webrtc   profile.WebRTCRow
	scenario *scenario.Scenario
	role     scenario.Role
	kind     media.Kind
	// target is where calls go; it is not valid for a UAS.
	target  netip.AddrPort
	host    string
	service string
	local   netip.AddrPort
	row     profile.TransportRow
	play    *media.Clip

	recvTimeout time.Duration
	out         string
	iceByFlag   bool // ICE servers came from the command line
	// askedTarget is the target as the user wrote it.
	askedTarget string
	warnings    []string
}

// prepare checks everything that can be checked before anything is opened. All its errors are of ExitUsage.
func prepare(ctx context.Context, env *Env, r request) (*prepared, error) {
	settings := r.flags.settings
	if r.scenario != "" {
		settings = append(settings, profile.Setting{Path: "scenario", Value: r.scenario, Origin: "SCENARIO"})
	}
	if r.target != "" {
		settings = append(settings, profile.Setting{Path: "target", Value: r.target, Origin: "TARGET"})
	}
	loaded, err := profile.Load(profile.Sources{File: r.flags.profile, Environ: env.Environ, Flags: settings})
	if err != nil {
		return nil, exit(ExitUsage, withoutPath(err))
	}
	p := &prepared{profile: loaded.Profile, recvTimeout: r.flags.recvTimeout, out: r.flags.out, askedTarget: loaded.Profile.Target}
	p.iceByFlag = loaded.Origins["transports.webrtc.ice_servers"].Kind == profile.FromFlag
	p.warnings = slices.Clone(r.flags.warnings)
	for _, w := range loaded.Warnings {
		p.warnings = append(p.warnings, w.String())
	}
	if p.scenario, err = scenario.Open(p.profile.Scenario); err != nil {
		return nil, exit(ExitUsage, err)
	}
	if err := p.setRole(); err != nil {
		return nil, exit(ExitUsage, err)
	}
	if err := p.setMedia(r.flags.media); err != nil {
		return nil, exit(ExitUsage, err)
	}
	if p.play, err = loadPlay(loaded, p.scenario.Dir); err != nil {
		return nil, exit(ExitUsage, err)
	}
	if _, chosen := loaded.Origins["load.hold"]; !chosen && p.kind != media.KindNone {
		p.profile.Load.Hold = profile.Duration(heardHold)
	}
	_, chosen := loaded.Origins["transports.udp.listen"]
	if err := p.setAddresses(ctx, chosen); err != nil {
		return nil, exit(ExitUsage, err)
	}
	return p, nil
}

// withoutPath makes the usual mistakes of the command line short: a missing SCENARIO or TARGET.
func withoutPath(err error) error {
	var broken *profile.Error
	if errors.As(err, &broken) && len(broken.Problems) == 1 && broken.Problems[0].Path == "scenario" && broken.Problems[0].Origin.Name == "" {
		return fmt.Errorf("no scenario: name a built-in one (%s) or a file, or give a profile that does", strings.Join(builtinNames(), ", "))
	}
	return err
}

// setRole takes the role from the scenario. A profile that says otherwise was meant for another scenario.
func (p *prepared) setRole() error {
	p.role = p.scenario.Role()
	if asked := p.profile.Role; asked != "" && string(asked) != p.role.String() {
		return fmt.Errorf("the profile asks for a %s, but the scenario %s plays a %s", asked, p.profile.Scenario, p.role)
	}
	p.profile.Role = profile.Role(p.role.String())
	switch {
	case p.role == scenario.UAC && p.profile.Target == "":
		return fmt.Errorf("no target: the scenario %s calls somebody: give HOST:PORT or a sip: URI", p.profile.Scenario)
	case p.role == scenario.UAS && p.profile.Target != "":
		return fmt.Errorf("the scenario %s waits for calls: it has no target (%s)", p.profile.Scenario, p.profile.Target)
	}
	return nil
}

// setMedia chooses the kind of media and checks that the scenario can have it.
func (p *prepared) setMedia(flag string) error {
	row, enabled := p.profile.WebRTC()
	p.webrtc = row
	kind := p.scenario.EffectiveMedia(enabled, flag)
	if err := p.checkMedia(kind); err != nil {
		return err
	}
	m := p.profile.Media
	wanted := m.Play != "" || m.RecordWAV
	switch p.scenario.RunMedia(kind, flag, wanted) {
	case "webrtc":
		p.kind = media.KindWebRTC
		if err := webrtcOptions(row, netip.Addr{}, nil, nil).Validate(); err != nil {
			return fmt.Errorf("WebRTC: %w", err)
		}
	case "rtp":
		p.kind = media.KindRTP
	}
	if p.kind == media.KindNone && wanted {
		p.warnings = append(p.warnings, "nothing is played or recorded: the run has no media")
	}
	// Whoever has a row and disabled it knows; whoever gave servers by flag may not.
	if row.ICEServers != nil && p.kind != media.KindWebRTC && p.iceByFlag {
		p.warnings = append(p.warnings, "the ICE servers are not used: the media are "+kind+"; --media webrtc gives the calls WebRTC media")
	}
	return nil
}

// loadPlay loads what every call plays; nil if nothing is said of that. beside is the scenario's directory, nil if there is none.
func loadPlay(loaded *profile.Loaded, beside fs.FS) (*media.Clip, error) {
	name := loaded.Profile.Media.Play
	if name == "" {
		return nil, nil
	}
	files := userFiles{beside: beside, written: name}
	if loaded.Origins["media.play"].Kind == profile.FromFile {
		if rel, err := filepath.Rel(filepath.Dir(loaded.File), name); err == nil {
			files.written = rel
		}
	}
	return media.LoadClip(files, name)
}

// checkMedia reports what in the scenario cannot work with this kind of media.
func (p *prepared) checkMedia(kind string) error {
	var wrong []string
	for _, problem := range slices.Concat(p.scenario.Warnings, p.scenario.CheckMedia(kind)) {
		if problem.Severity == scenario.Error {
			wrong = append(wrong, problem.String())
		} else {
			p.warnOf(problem)
		}
	}
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "\n"))
	}
	return nil
}

// warnOf keeps a warning about the scenario. That it is one is said where it is shown.
func (p *prepared) warnOf(problem scenario.Problem) {
	p.warnings = append(p.warnings, strings.Replace(problem.String(), ": warning: ", ": ", 1))
}

// setAddresses resolves the target and chooses the local address.
func (p *prepared) setAddresses(ctx context.Context, listenGiven bool) error {
	rows := p.profile.SIPTransports()
	if len(rows) != 1 {
		return fmt.Errorf("one SIP transport can be used at a time, but %d are enabled", len(rows))
	}
	p.row, p.local = rows[0], rows[0].ListenAddr()
	if p.role == scenario.UAS {
		return nil
	}
	target, err := profile.ParseTarget(p.profile.Target)
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	p.host, p.service = target.Host, target.User
	if p.service == "" {
		p.service = "service"
	}
	if p.target, err = resolve(ctx, target.Address(), p.local, listenGiven); err != nil {
		return err
	}
	if !listenGiven {
		p.local = netip.AddrPortFrom(routeTo(p.target), 0)
	}
	return nil
}

// resolve finds the target's address, of the local address's family if that was given.
func resolve(ctx context.Context, hostPort string, local netip.AddrPort, localGiven bool) (netip.AddrPort, error) {
	host, portText, err := net.SplitHostPort(hostPort)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("target %s: %w", hostPort, err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || port == 0 {
		return netip.AddrPort{}, fmt.Errorf("target %s: the port must be from 1 to 65535", hostPort)
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("target %s: %w", hostPort, err)
	}
	both := local.Addr().Is6() && local.Addr().IsUnspecified()
	for _, want4 := range []bool{true, false} {
		if localGiven && !both && local.Addr().Unmap().Is4() != want4 {
			continue
		}
		for _, a := range addrs {
			if a = a.Unmap(); a.Is4() == want4 {
				return netip.AddrPortFrom(a, uint16(port)), nil
			}
		}
	}
	return netip.AddrPort{}, fmt.Errorf("target %s: it has no address of the same family as --local %s", hostPort, local)
}

// routeTo returns the local address from which the system reaches the target; loopback if it does not know. No packet is sent.
func routeTo(target netip.AddrPort) netip.Addr {
	conn, err := net.Dial("udp", target.String())
	if err == nil {
		defer func() { _ = conn.Close() }() // it sent nothing
		if a, ok := conn.LocalAddr().(*net.UDPAddr); ok {
			return a.AddrPort().Addr().Unmap()
		}
	}
	if target.Addr().Is4() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}

// userFiles finds what --play or a profile names: a file of the user, and if there is none, one beside the scenario or built in with it.
type userFiles struct {
	beside fs.FS
	// written is the name before it was taken to be beside the profile.
	written string
}

// Open implements fs.FS. Unlike other file systems it takes any name: these are the user's own files.
func (u userFiles) Open(name string) (fs.File, error) {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) && u.beside != nil {
		if found, besideErr := u.beside.Open(filepath.ToSlash(u.written)); besideErr == nil {
			return found, nil
		}
	}
	return file, err
}
