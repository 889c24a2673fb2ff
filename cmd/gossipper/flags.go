package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/gossipper/gossipper/internal/profile"
)

// settingFlag is a flag that stands for a setting of the profile. The profile package reads and judges its value, so that the rules
// for files, variables and flags are the same.
type settingFlag struct {
	name, short string
	path        string
	usage       string
	kind        flagKind
	secret      bool
}

type flagKind uint8

const (
	flagText flagKind = iota
	flagBool
	flagList
)

// settingFlags are the flags of run that stand for settings, in the order of the help.
func settingFlags() []settingFlag {
	const ice = "transports.webrtc."
	return []settingFlag{
		{name: "rate", short: "r", path: "load.rate", usage: "`calls` started in each period (default 10)"},
		{name: "period", path: "load.period", usage: "`time` that the rate refers to (default 1s)"},
		{name: "calls", short: "m", path: "load.calls", usage: "`number` of calls after which the run ends (default: no end)"},
		{name: "limit", short: "l", path: "load.limit", usage: "`number` of calls that may be open at once (default: no limit)"},
		{name: "duration", path: "load.duration", usage: "`time` for which calls are started or accepted (default: no end)"},
		{name: "hold", path: "load.hold", usage: "`time` that a pause of the scenario without a length lasts (default: 5s with media, otherwise 0s)"},
		{name: "local", path: "transports.udp.listen", usage: "`address:port` to send from and listen on; port 0: the system chooses"},
		{name: "advertise", path: "transports.udp.advertise", usage: "IP `address` to write into messages in place of the local one"},
		{name: "sockets", path: "transports.udp.sockets", usage: "one socket for all calls or one each: `shared|per-call` (default shared)"},
		{name: "play", path: "media.play", usage: "WAV `file` that every call plays; or tone:HZ, or silence"},
		{name: "record-wav", path: "media.record_wav", kind: flagBool, usage: "record what each call receives to a WAV file"},
		{name: "record-stereo", path: "media.record_stereo", kind: flagBool, usage: "record both directions: caller left, callee right"},
		{name: "ice-server", path: ice + "ice_servers", kind: flagList, usage: "STUN or TURN `URL`; can be given several times"},
		{name: "ice-username", path: ice + "ice_username", usage: "user `name` for TURN, or the identity in minted credentials"},
		{name: "ice-credential", path: ice + "ice_credential", secret: true, usage: "`password` for TURN: @FILE or env:NAME"},
		{name: "ice-auth-secret", path: ice + "ice_auth_secret", secret: true, usage: "`secret` from which each call mints its TURN credentials: @FILE or env:NAME"},
		{name: "ice-auth-ttl", path: ice + "ice_auth_ttl_sec", usage: "`time` for which minted credentials are valid (default 24h)"},
		{name: "ice-policy", path: ice + "ice_policy", usage: "candidates that may be used: `all|relay` (default all)"},
		{name: "trickle", path: ice + "trickle", usage: "send SDP after the first candidates, or after all: `trickle|full` (default trickle)"},
		{name: "gather-timeout", path: ice + "gather_timeout", usage: "longest `wait` for candidates (default 5s)"},
		{name: "prefer-pcma", path: ice + "prefer_pcma", kind: flagBool, usage: "prefer G.711 A-law (PCMA) to µ-law (PCMU)"},
	}
}

// runFlags are the flags of run.
type runFlags struct {
	profile     string
	transport   string
	media       string
	out         string
	progress    string
	recvTimeout time.Duration
	// settings are the values of the other flags, in the order of the table.
	settings []profile.Setting
	warnings []string
}

func (f *runFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&f.profile, "profile", "p", "", "YAML `file` with settings; flags win over it")
	flags.StringVar(&f.transport, "transport", "", "transport for SIP: `udp` (tcp, tls, ws and wss are not supported yet)")
	flags.StringVar(&f.media, "media", "", "media of the calls: `rtp|webrtc|none` (default: as scenario and profile say)")
	for _, s := range settingFlags() {
		switch s.kind {
		case flagText:
			flags.StringP(s.name, s.short, "", s.usage)
		case flagBool:
			flags.BoolP(s.name, s.short, false, s.usage)
		case flagList:
			flags.StringArrayP(s.name, s.short, nil, s.usage)
		}
	}
	flags.DurationVar(&f.recvTimeout, "recv-timeout", 0, "longest wait for a message, for steps without a timeout (default: no limit)")
	flags.StringVar(&f.out, "out", "", "`directory` for records and recordings (default: a new one in runs/)")
	flags.StringVar(&f.progress, "progress", "auto", "how to show progress: `auto|tty|plain|none`")
}

// read takes the flags that were given.
func (f *runFlags) read(flags *pflag.FlagSet) error {
	if err := checkMediaFlag(f.media); err != nil {
		return err
	}
	if f.recvTimeout < 0 {
		return exitf(ExitUsage, "--recv-timeout: must not be negative")
	}
	if err := checkProgressFlag(f.progress); err != nil {
		return err
	}
	if f.transport != "" {
		if err := f.readTransport(); err != nil {
			return err
		}
	}
	for _, s := range settingFlags() {
		if flags.Changed(s.name) {
			if err := f.readSetting(s, flags); err != nil {
				return err
			}
		}
	}
	return nil
}

// readTransport switches on a SIP transport. Those that do not work yet get the profile's own message.
func (f *runFlags) readTransport() error {
	switch t := strings.ToLower(f.transport); t {
	case "udp", "tcp", "tls", "ws", "wss":
		f.set("transports."+t+".enabled", "true", "--transport")
		return nil
	case "webrtc":
		return exitf(ExitUsage, "--transport: webrtc is not a SIP transport; --media webrtc gives the calls WebRTC media")
	default:
		return exitf(ExitUsage, "--transport: must be udp, not %q", f.transport)
	}
}

func (f *runFlags) readSetting(s settingFlag, flags *pflag.FlagSet) error {
	origin := "--" + s.name
	if s.kind == flagList {
		values, err := flags.GetStringArray(s.name)
		if err != nil {
			return fmt.Errorf("%s: %w", origin, err)
		}
		for _, value := range values {
			if profile.NewICEServer(value).String() != value {
				f.warnings = append(f.warnings, urlWarning(origin))
			}
			f.set(s.path, value, origin)
		}
		return nil
	}
	value := flags.Lookup(s.name).Value.String()
	switch s.name {
	case "ice-auth-ttl":
		seconds, err := secondsOf(value)
		if err != nil {
			return exitf(ExitUsage, "%s: %w, not %q", origin, err, value)
		}
		value = strconv.Itoa(seconds)
	case "record-stereo":
		if value == "true" && !flags.Changed("record-wav") {
			f.set("media.record_wav", "true", origin)
		}
	}
	if s.secret && literalSecret(value) {
		f.warnings = append(f.warnings, literalWarning(origin))
	}
	f.set(s.path, value, origin)
	return nil
}

func (f *runFlags) set(path, value, origin string) {
	f.settings = append(f.settings, profile.Setting{Path: path, Value: value, Origin: origin})
}

func checkMediaFlag(kind string) error {
	switch kind {
	case "", "rtp", "webrtc", "none":
		return nil
	default:
		return exitf(ExitUsage, "--media: must be rtp, webrtc or none, not %q", kind)
	}
}
