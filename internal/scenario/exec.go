package scenario

import (
	"io/fs"
	"strconv"
	"strings"
)

// Limits of a tone in Hz: what is neither inaudible nor beyond the band of G.711.
const (
	minTone = 20
	maxTone = 3900
)

// unsupportedExec are SIPp's exec attributes that have no meaning here yet, and what to write in their place.
var unsupportedExec = map[string]string{
	"command":         `<log message="…"/> writes what a program needs to errors.log; run the program beside this one`,
	"int_cmd":         `leave it out: next="label" ends a scenario early, --calls and --duration end a run`,
	"play_dtmf":       `play a WAV file of the tones: rtp_stream="digits.wav"`,
	"play_pcap_audio": `convert the capture to a WAV file and play that: rtp_stream="file.wav"`,
	"play_pcap_image": "leave it out: the media are audio",
	"play_pcap_video": "leave it out: the media are audio",
	"rtp_echo":        `play something with rtp_stream="file.wav", or keep what arrives with rtp_record="start"`,
}

// exec reads <exec>, which has exactly one attribute.
func (b *builder) exec(n *node) Action {
	stream, record := b.take(n, "rtp_stream"), b.take(n, "rtp_record")
	unsupported := false
	for _, a := range n.attrs {
		if instead, known := unsupportedExec[a.name]; known {
			a.used, unsupported = true, true
			b.errorf(a.line, "<exec "+a.name+"> is not supported yet", instead)
		}
	}
	switch {
	case stream != nil && record != nil:
		b.errorf(n.line, "<exec> has both rtp_stream and rtp_record", "write one <exec> for each")
	case stream != nil:
		if s := b.rtpStream(n, stream); s != nil {
			return s
		}
	case record != nil:
		if r := b.rtpRecord(n, record); r != nil {
			return r
		}
	case !unsupported:
		b.errorf(n.line, "<exec> does not say what to do", `write rtp_stream="…" or rtp_record="…"`)
	}
	return nil
}

// rtpStream reads "file[,loops[,PT[,NAME/RATE]]]", or a command.
func (b *builder) rtpStream(n *node, a *attr) *RTPStream {
	s := &RTPStream{Line: n.line, Loops: 1}
	switch a.value {
	case "pause":
		s.Op = RTPPause
		return s
	case "resume":
		s.Op = RTPResume
		return s
	case "stop":
		s.Op = RTPStop
		return s
	}
	parts := strings.Split(a.value, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	if len(parts) > 4 {
		b.errorf(a.line, "rtp_stream="+quote(a.value)+" has too many parts", "write file,loops,payload type,NAME/RATE")
		return nil
	}
	ok := b.source(a, parts[0])
	s.Source = parts[0]
	if len(parts) > 1 {
		loops, err := strconv.Atoi(parts[1])
		if err != nil || loops < -1 || loops == 0 {
			b.errorf(a.line, quote(parts[1])+" is not a number of loops", "write how often to play it, or -1 for ever")
			ok = false
		}
		s.Loops = loops
	}
	if !b.payload(a, parts) || !ok {
		return nil
	}
	return s
}

// source checks what an rtp_stream plays.
func (b *builder) source(a *attr, source string) bool {
	hz, isTone := strings.CutPrefix(source, "tone:")
	switch {
	case source == "silence":
		return true
	case source == "":
		b.errorf(a.line, "rtp_stream names no source", "write a WAV file, tone:440 or silence")
		return false
	case isMicrophone(source):
		b.errorf(a.line, "rtp_stream="+quote(source)+": a microphone is not supported", "write a WAV file, or tone:HZ as in tone:440")
		return false
	case strings.HasSuffix(source, "pattern"), strings.ContainsRune(source, '['):
		b.errorf(a.line, "rtp_stream="+quote(source)+" is not supported yet", "write a WAV file, tone:440 or silence")
		return false
	case isTone:
		if f, err := strconv.Atoi(hz); err != nil || f < minTone || f > maxTone {
			b.errorf(a.line, quote(source)+" is not a tone", "write tone: and a frequency from 20 to 3900 Hz")
			return false
		}
		return true
	}
	return b.exists(a, source)
}

// isMicrophone tells whether live sound of this machine is meant, not a file.
func isMicrophone(source string) bool {
	device, _, _ := strings.Cut(strings.ToLower(source), ":")
	return device == "mic" || device == "microphone"
}

// exists checks that a file of the scenario is there.
func (b *builder) exists(a *attr, name string) bool {
	if b.s.Dir == nil {
		return true
	}
	info, err := fs.Stat(b.s.Dir, name)
	switch {
	case err != nil:
		b.errorf(a.line, "the file "+quote(name)+" cannot be found", "put it beside the scenario, or write tone:440 or silence")
		return false
	case !info.Mode().IsRegular():
		b.errorf(a.line, quote(name)+" is not a file", "name a WAV file")
		return false
	}
	return true
}

// payload checks the payload type and its name. They do not choose the codec (the negotiation does), so only the two codecs
// that can be negotiated are accepted.
func (b *builder) payload(a *attr, parts []string) bool {
	if len(parts) < 3 {
		return true
	}
	const hint = "possible are 0 (PCMU/8000) and 8 (PCMA/8000)"
	codec := map[string]string{"0": "PCMU/8000", "8": "PCMA/8000"}[parts[2]]
	if codec == "" {
		b.errorf(a.line, "payload type "+quote(parts[2])+" is not supported", hint)
		return false
	}
	if len(parts) > 3 && !strings.EqualFold(parts[3], codec) {
		b.errorf(a.line, quote(parts[3])+" does not belong to payload type "+parts[2], hint)
		return false
	}
	return true
}

// maxRecordName bounds the name of a recording; file systems allow 255 bytes.
const maxRecordName = 200

// rtpRecord reads "start", "stop" or a file name, the first and last with ",stereo" if wanted.
func (b *builder) rtpRecord(n *node, a *attr) *RTPRecord {
	r := &RTPRecord{Line: n.line}
	name, option, hasOption := strings.Cut(a.value, ",")
	name, option = strings.TrimSpace(name), strings.TrimSpace(option)
	switch {
	case hasOption && (option != "stereo" || name == "stop"):
		b.errorf(a.line, "rtp_record="+quote(a.value)+" is not possible", `write "start", "start,stereo", "name.wav", "name.wav,stereo" or "stop"`)
		return nil
	case name == "stop":
		r.Stop = true
		return r
	case name != "start":
		if !b.recordName(a, name) {
			return nil
		}
		r.File = name
	}
	r.Stereo = hasOption
	return r
}

// recordName checks that a name cannot lead out of the recordings directory, on any system.
func (b *builder) recordName(a *attr, name string) bool {
	bad := func(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune(`/\:*?"<>|`, r) }
	switch {
	case strings.ContainsRune(name, '['):
		b.errorf(a.line, "keywords in rtp_record are not supported yet", `write "start" to name the file after the call`)
	case strings.ContainsFunc(name, bad), strings.HasPrefix(name, "."):
		b.errorf(a.line, "rtp_record="+quote(name)+" is not a plain file name", "recordings stay in the recordings directory: write name.wav")
	case !strings.HasSuffix(strings.ToLower(name), ".wav"):
		b.errorf(a.line, "rtp_record="+quote(name)+" is not a WAV file", `write "start", "stop" or "name.wav"`)
	case len(name) > maxRecordName:
		b.errorf(a.line, "the name in rtp_record is too long", "the limit is "+strconv.Itoa(maxRecordName)+" bytes")
	default:
		return true
	}
	return false
}
