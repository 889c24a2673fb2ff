package template

// Template is a compiled text. It never changes and is shared by all calls.
type Template struct {
	fields  []field
	uses    uint64
	lines   [keywords]int32
	vars    []string
	headers []string
	mediaAt int
}

type field struct {
	key  Keyword
	bare bool
	n    int
	text string
}

// Options say what kind of text is compiled.
type Options struct {
	// Plain is for text that is no SIP message (that of a log action): it is taken as it stands.
	Plain bool
}

// Compile turns a text into a Template. The Template is nil if there is an error among the problems.
func Compile(text string, opts Options) (*Template, []Problem) { return nil, nil }

// AppendTo appends the rendered text to dst. It allocates nothing if dst is large enough.
func (t *Template) AppendTo(dst []byte, v *Values) []byte { return dst }

// Uses tells whether the keyword occurs.
func (t *Template) Uses(k Keyword) bool { return t.uses&(1<<k) != 0 }

// UsesOffer tells whether the SDP offer of the call's media is needed: [sdp_offer] or [webrtc_offer].
func (t *Template) UsesOffer() bool { return t.Uses(KeySDPOffer) || t.Uses(KeyWebRTCOffer) }

// UsesAnswer tells whether the SDP answer of the call's media is needed: [sdp_answer] or [webrtc_answer].
func (t *Template) UsesAnswer() bool { return t.Uses(KeySDPAnswer) || t.Uses(KeyWebRTCAnswer) }

// UsesMediaAddress tells whether the address of the call's media is needed: [media_ip], [media_ip_type] or [media_port].
func (t *Template) UsesMediaAddress() bool {
	return t.Uses(KeyMediaIP) || t.Uses(KeyMediaIPType) || t.Uses(KeyMediaPort)
}

// LineOf returns the line of the first use of the keyword, from 1; 0 if it does not occur.
func (t *Template) LineOf(k Keyword) int { return int(t.lines[k]) }

// Variables returns the names of the variables used ([$name]), each once, in the order of first use.
func (t *Template) Variables() []string { return t.vars }

// HandWrittenSDP returns the line of the first m= line in the body, from 1; 0 if there is none. Such a body describes media by
// itself, without [sdp_offer] or [sdp_answer].
func (t *Template) HandWrittenSDP() int { return t.mediaAt }
