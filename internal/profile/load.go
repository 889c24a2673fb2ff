package profile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// maxFile is the most that a profile may hold, in bytes.
const maxFile = 1 << 20

// Sources say where the settings of a run come from, from the weakest to the strongest.
type Sources struct {
	// File is a YAML profile; empty: none.
	File string
	// Data, if not nil, is the content of File, which is then not opened; File is still its name in messages.
	Data []byte
	// Environ has the form of os.Environ; only GOSSIPPER_ variables matter.
	Environ []string
	// Flags are applied in their order.
	Flags []Setting
	// Partial is for a profile that shall be completed later, or on another machine: a missing scenario or target is no problem, and
	// a secret that cannot be read is a warning.
	Partial bool
	// Open opens the profile and the files of secrets. nil: os.Open.
	Open func(name string) (fs.File, error)
}

// Setting is one value from outside of the file.
type Setting struct {
	// Path is load.rate, or transports.webrtc.ice_servers. A list grows by one with each Setting for it; the first one replaces
	// what file and environment say.
	Path, Value string
	// Origin is what the user typed: --rate.
	Origin string
}

// Loaded is a profile that can be used, and where each of its values comes from.
type Loaded struct {
	Profile *Profile
	// File is the name of the profile's file, or empty.
	File string
	// Origins has an entry for each setting that is not a default, by path.
	Origins map[string]Origin
	// Warnings are odd, but usable.
	Warnings []Problem
}

// Load reads the sources in the order defaults, file, environment, flags, and then validates the whole. The error is an *Error
// with every problem there is, or the reason why the file could not be read.
func Load(sources Sources) (*Loaded, error) {
	if sources.Open == nil {
		sources.Open = func(name string) (fs.File, error) { return os.Open(name) }
	}
	l := &loader{
		sources: sources, profile: &Profile{}, origins: map[string]Origin{}, failed: map[string]bool{}, lists: map[string]bool{},
	}
	setDefaults(reflect.ValueOf(l.profile).Elem())
	if err := l.readFile(); err != nil {
		return nil, err
	}
	if len(l.profile.Transports.SIP) == 0 && !l.failed["transports"] {
		l.profile.Transports.SIP = []TransportRow{defaultSIPRow(UDP)}
	}
	l.readEnvironment()
	l.readFlags()
	l.complete()
	if !l.unreadable {
		l.validate()
	}
	if len(l.problems) > 0 {
		sortProblems(l.problems)
		return nil, &Error{l.problems}
	}
	sortProblems(l.warnings)
	return &Loaded{Profile: l.profile, File: sources.File, Origins: l.origins, Warnings: l.warnings}, nil
}

// Lint loads a file by itself, without environment and flags. What the file leaves to the command line is no problem, and secrets
// that are elsewhere need not be there.
func Lint(file string) (*Loaded, error) {
	return Load(Sources{File: file, Partial: true})
}

// loader holds what is known while the sources are read.
type loader struct {
	sources  Sources
	profile  *Profile
	origins  map[string]Origin
	problems []Problem
	warnings []Problem
	// failed are the paths with a problem, whose values must not be judged again.
	failed map[string]bool
	// unreadable is set when nothing of the file could be read, so that nothing is said to be missing.
	unreadable bool
	// lists are the lists that a flag has already begun anew.
	lists map[string]bool
}

func (l *loader) problem(origin Origin, path, format string, args ...any) {
	l.failed[path] = true
	l.problems = append(l.problems, Problem{origin, path, fmt.Sprintf(format, args...)})
}

func (l *loader) warn(origin Origin, path, format string, args ...any) {
	l.warnings = append(l.warnings, Problem{origin, path, fmt.Sprintf(format, args...)})
}

// setDefaults fills a section and those in it. The defaults are our own, so a malformed one is found by the tests.
func setDefaults(section reflect.Value) {
	for _, f := range fieldsOf(section.Type()) {
		value := section.Field(f.index)
		switch {
		case f.typ == typeTransports:
			// Rows exist only when somebody asks for them.
		case isSection(f.typ):
			setDefaults(value)
		case f.def != "":
			_ = setText(value, f, f.def)
		}
	}
}

func defaultSIPRow(t RowType) TransportRow {
	row := TransportRow{Type: t}
	setDefaults(reflect.ValueOf(&row).Elem())
	return row
}

func defaultWebRTCRow() WebRTCRow {
	row := WebRTCRow{Type: WebRTC}
	setDefaults(reflect.ValueOf(&row).Elem())
	return row
}

// row returns the row of the type, or an invalid Value.
func (l *loader) row(t RowType) reflect.Value {
	if t == WebRTC {
		if l.profile.Transports.WebRTC == nil {
			return reflect.Value{}
		}
		return reflect.ValueOf(l.profile.Transports.WebRTC).Elem()
	}
	for i := range l.profile.Transports.SIP {
		if l.profile.Transports.SIP[i].Type == t {
			return reflect.ValueOf(&l.profile.Transports.SIP[i]).Elem()
		}
	}
	return reflect.Value{}
}

// addRow adds a row of the type, with its defaults.
func (l *loader) addRow(t RowType, enabled bool) reflect.Value {
	if t == WebRTC {
		row := defaultWebRTCRow()
		row.Enabled = enabled
		l.profile.Transports.WebRTC = &row
	} else {
		row := defaultSIPRow(t)
		row.Enabled = enabled
		l.profile.Transports.SIP = append(l.profile.Transports.SIP, row)
	}
	return l.row(t)
}

// readEnvironment applies the GOSSIPPER_ variables.
func (l *loader) readEnvironment() {
	settings := allSettings()
	names := make([]string, len(settings))
	for i, s := range settings {
		names[i] = EnvName(s.path)
	}
	for _, entry := range l.sources.Environ {
		name, value, found := strings.Cut(entry, "=")
		if !found || value == "" || !strings.HasPrefix(name, envPrefix) {
			continue
		}
		origin := Origin{Kind: FromEnvironment, Name: name}
		i := slices.Index(names, name)
		if i < 0 {
			// Only a warning: other programs may use the prefix, and what is not ours must not stop a run.
			l.warn(origin, "", "no setting has this variable%s", suggestion(name, names))
			continue
		}
		l.set(settings[i], value, origin, true)
	}
}

// readFlags applies the settings of the command line.
func (l *loader) readFlags() {
	settings := allSettings()
	paths := make([]string, len(settings))
	for i, s := range settings {
		paths[i] = s.path
	}
	for _, flag := range l.sources.Flags {
		origin := Origin{Kind: FromFlag, Name: flag.Origin}
		i := slices.Index(paths, flag.Path)
		if i < 0 {
			l.problem(origin, flag.Path, "there is no such setting%s", suggestion(flag.Path, paths))
			continue
		}
		l.set(settings[i], flag.Value, origin, !l.lists[flag.Path])
		l.lists[flag.Path] = true
	}
}

// set applies text from environment or flags to a setting. A list is begun anew if replace is true.
func (l *loader) set(s setting, text string, origin Origin, replace bool) {
	section := reflect.ValueOf(l.profile).Elem()
	if s.row != "" {
		if section = l.row(s.row); !section.IsValid() {
			// Settings for a row that nobody wrote down do not switch it on: a TURN secret in the environment must not turn an RTP run
			// into a WebRTC run.
			section = l.addRow(s.row, false)
		}
	} else if parent, _, nested := strings.Cut(s.path, "."); nested {
		section = section.Field(fieldNamed(section.Type(), parent).index)
	}
	value := section.Field(s.index)
	if s.typ.Kind() != reflect.Slice {
		l.setScalar(value, s.field, s.path, text, origin)
		return
	}
	if replace {
		value.SetZero()
		l.forget(s.path)
	}
	for _, line := range lines(text) {
		l.appendItem(value, s.field, s.path, line, origin)
	}
	l.origins[s.path] = origin
}

// forget removes the origins of the items of a list.
func (l *loader) forget(path string) {
	for known := range l.origins {
		if strings.HasPrefix(known, path+"[") {
			delete(l.origins, known)
		}
	}
}

func fieldNamed(t reflect.Type, key string) field {
	for _, f := range fieldsOf(t) {
		if f.key == key {
			return f
		}
	}
	return field{}
}

// lines returns the lines of a text that are not blank, without space around them.
func lines(text string) []string {
	var list []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

// complete replaces what only stands for something else: the lifetime 0, relative names of files, the missing name.
func (l *loader) complete() {
	p := l.profile
	if row := p.Transports.WebRTC; row != nil && row.ICEAuthTTLSec == 0 {
		row.ICEAuthTTLSec = defaultWebRTCRow().ICEAuthTTLSec
	}
	if l.origins["scenario"].Kind == FromFile && isScenarioFile(p.Scenario) {
		p.Scenario = l.besideProfile(p.Scenario)
	}
	if l.origins["media.play"].Kind == FromFile && isMediaFile(p.Media.Play) {
		p.Media.Play = l.besideProfile(p.Media.Play)
	}
	if p.Role != "" {
		for i := range p.Transports.SIP {
			if row := &p.Transports.SIP[i]; row.Listen == "" {
				row.Listen = defaultListen(p.Role)
			}
		}
	}
	if p.Name == "" {
		from := l.sources.File
		if from == "" {
			from = p.Scenario
		}
		if from != "" {
			p.Name = strings.TrimSuffix(filepath.Base(from), filepath.Ext(from))
		}
	}
}

// isScenarioFile tells a file from a built-in name.
func isScenarioFile(name string) bool {
	return strings.ContainsRune(name, '/') || strings.ContainsRune(name, filepath.Separator) || strings.HasSuffix(name, ".xml")
}

// isMediaFile tells a file from generated sound.
func isMediaFile(name string) bool {
	return name != "" && name != "silence" && !strings.HasPrefix(name, "tone:")
}

// besideProfile resolves a name relative to the profile.
func (l *loader) besideProfile(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(l.sources.File), name)
}

// read returns at most limit bytes of a file.
func (l *loader) read(name string, limit int64) (data []byte, mode fs.FileMode, err error) {
	file, err := l.sources.Open(name)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return nil, 0, err
	}
	data, err = io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, 0, err
	}
	if int64(len(data)) > limit {
		return nil, 0, fmt.Errorf("it is larger than %d bytes", limit)
	}
	return data, info.Mode(), nil
}
