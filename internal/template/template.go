// Package template turns the text of a scenario's messages into bytes to send.
//
// Compile reads a text once, with its [keywords], and finds every mistake in it; the Template that results is rendered for each
// message into a buffer that the caller reuses, without allocating. The keywords and their rules are SIPp's.
//
// The package knows neither calls nor sockets nor XML: what a keyword stands for is handed in as Values.
package template

import "slices"

// Template is a compiled text. It never changes and is shared by all calls.
type Template struct {
	fields []field
	uses   uint64 // bit k: keyword k occurs
	lines  [keywords]int32
	vars   []string
	// headers are the names of the headers that the text writes, in lower case and long form.
	headers map[string]bool
	start   string
	mediaAt int
}

// field is a piece of a template: literal text if key is 0, otherwise a keyword.
type field struct {
	key Keyword
	// bare: an IPv6 address is written without brackets here.
	bare bool
	n    int    // the offset of [keyword+n]
	text string // literal text, name of the header, name of the variable
}

// AppendTo appends the rendered text to dst and returns the extended buffer. It allocates nothing if dst is large enough.
func (t *Template) AppendTo(dst []byte, v *Values) []byte {
	r := renderer{v: v, start: len(dst)}
	for i := range t.fields {
		if f := &t.fields[i]; f.key == 0 {
			dst = r.literal(dst, f.text)
		} else {
			dst = r.keyword(dst, f)
		}
	}
	if r.lens > 0 {
		dst = r.putLengths(dst)
	}
	return dst
}

// Bind returns a Template in which the given keywords are replaced by their values as they are now. Rendering it is several times
// faster. Only keywords that belong to the run can be bound, that is those before KeyCallNumber; the others are left alone. What
// Uses and the other questions say does not change.
func (t *Template) Bind(v *Values, keys ...Keyword) *Template {
	bound := *t
	bound.fields = make([]field, 0, len(t.fields))
	r := renderer{v: v}
	for _, f := range t.fields {
		if f.key != 0 && f.key < KeyCallNumber && slices.Contains(keys, f.key) {
			f = field{text: string(r.runKeyword(nil, &f))}
		}
		if n := len(bound.fields); n > 0 && f.key == 0 && bound.fields[n-1].key == 0 {
			bound.fields[n-1].text += f.text
			continue
		}
		bound.fields = append(bound.fields, f)
	}
	return &bound
}

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
func (t *Template) LineOf(k Keyword) int {
	if k >= keywords {
		return 0
	}
	return int(t.lines[k])
}

// Variables returns the names of the variables used ([$name]), each once, in the order of first use.
func (t *Template) Variables() []string { return t.vars }

// HandWrittenSDP returns the line of the first m= line in the body, from 1; 0 if there is none. Such a body describes media by
// itself, without [sdp_offer] or [sdp_answer].
func (t *Template) HandWrittenSDP() int { return t.mediaAt }

// Start returns the literal text before the first keyword: the method or SIP version and what follows it.
func (t *Template) Start() string { return t.start }

// HasHeader tells whether the text writes the header, in its long or compact form or as [last_Name:]. The case of the name does
// not matter. A header inside a keyword such as [last_message] is not seen.
func (t *Template) HasHeader(name string) bool { return t.headers[canonical(name)] }

func (t *Template) note(k Keyword, line int) {
	t.uses |= 1 << k
	if t.lines[k] == 0 {
		t.lines[k] = int32(line) //nolint:gosec // texts are bounded far below 2^31 lines by whoever reads the file
	}
}
