package sdp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"strings"
)

// Media types of messages with candidates.
const (
	TypeSDPFrag     = "application/trickle-ice-sdpfrag" // RFC 8840 9
	TypeTrickleJSON = "application/trickle-ice+json"
	TypeSDP         = "application/sdp"
)

// maxTrickled bounds the candidates of one message, maxTrickleDepth the nesting of JSON.
const (
	maxTrickled     = 64
	maxTrickleDepth = 3
)

// Trickled is one candidate of the peer, with what tells which description it belongs to.
type Trickled struct {
	Candidate Candidate
	Mid       string // empty if not said
	Line      int    // index of the m-line, -1 if not said
	Ufrag     string // empty if not said
}

// Trickle is what a message with candidates says.
type Trickle struct {
	Candidates []Trickled
	End        bool // no more candidates will follow; nobody waits for that, Pion checks until it connects or gives up
	Rejected   int  // malformed or too many
}

func (t *Trickle) add(line, mid string, index int, ufrag string) {
	c, err := ParseCandidate(line)
	if err != nil || len(t.Candidates) == maxTrickled {
		t.Rejected++
		return
	}
	if c.Ufrag != "" {
		ufrag = c.Ufrag
	}
	t.Candidates = append(t.Candidates, Trickled{Candidate: c, Mid: mid, Line: index, Ufrag: ufrag})
}

// ParseTrickle reads the body of a SIP message with ICE candidates. Accepted are
//
//   - application/trickle-ice-sdpfrag (RFC 8840): a=ice-ufrag, m=, a=mid, a=candidate, a=end-of-candidates
//   - application/sdp with candidates only, or a whole description
//   - application/trickle-ice+json: {"candidate": "candidate:…", "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": "…"},
//     an array of such objects or of strings, or an object whose "candidates" is such an array. An empty candidate, or
//     null, ends the candidates.
func ParseTrickle(contentType string, body []byte) (Trickle, error) {
	if len(body) > maxSize {
		return Trickle{}, fmt.Errorf("ICE candidates: the message body has %d bytes, more than the %d that are read", len(body), maxSize)
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		mediaType = strings.ToLower(strings.TrimSpace(contentType))
	}
	switch mediaType {
	case TypeSDPFrag, TypeSDP:
		return parseFrag(body)
	case TypeTrickleJSON:
		var t Trickle
		err := t.addJSON(body, maxTrickleDepth)
		return t, err
	default:
		return Trickle{}, fmt.Errorf("ICE candidates: content type %.80q is none of %s, %s, %s", contentType, TypeSDPFrag, TypeTrickleJSON, TypeSDP)
	}
}

func parseFrag(body []byte) (Trickle, error) {
	var t Trickle
	session := &section{}
	current := session
	index := -1
	type pending struct {
		line  string
		owner *section
		index int
	}
	var lines []pending
	for line := range strings.SplitSeq(string(body), "\n") {
		line = strings.TrimRight(line, "\r\t ")
		switch {
		case strings.HasPrefix(line, "m="):
			current = &section{}
			index++
		case strings.HasPrefix(line, "a="):
			key, value, _ := strings.Cut(line[2:], ":")
			switch key {
			case "candidate":
				lines = append(lines, pending{line, current, index})
			case "end-of-candidates":
				t.End = true
			case "mid", "ice-ufrag":
				current.attributes = append(current.attributes, attribute{key, strings.TrimSpace(value)})
			}
		}
	}
	if len(lines) == 0 && !t.End {
		return t, fmt.Errorf("ICE candidates: the message has neither a=candidate nor a=end-of-candidates")
	}
	// The mid may follow its candidates, so they are looked up at the end.
	for _, p := range lines {
		mid, _ := p.owner.attr("mid")
		ufrag, ok := p.owner.attr("ice-ufrag")
		if !ok {
			ufrag, _ = session.attr("ice-ufrag")
		}
		t.add(p.line, mid, p.index, ufrag)
	}
	return t, nil
}

// jsonCandidate has the members of RTCIceCandidateInit (W3C WebRTC 4.8.1.1).
type jsonCandidate struct {
	Candidate        json.RawMessage   `json:"candidate"`
	Candidates       []json.RawMessage `json:"candidates"`
	SDPMid           string            `json:"sdpMid"`
	SDPMLineIndex    *int              `json:"sdpMLineIndex"`
	UsernameFragment string            `json:"usernameFragment"`
}

func (t *Trickle) addJSON(raw []byte, depth int) error {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || depth == 0 {
		return fmt.Errorf("ICE candidates: the JSON is empty or nested too deeply")
	}
	switch raw[0] {
	case '[':
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil {
			return fmt.Errorf("ICE candidates: %w", err)
		}
		return t.addItems(items, depth)
	case '"', 'n':
		return t.addJSONString(raw, jsonCandidate{})
	}
	var j jsonCandidate
	if err := json.Unmarshal(raw, &j); err != nil {
		return fmt.Errorf("ICE candidates: %w", err)
	}
	if j.Candidates != nil {
		return t.addItems(j.Candidates, depth)
	}
	switch inner := bytes.TrimSpace(j.Candidate); {
	case len(inner) == 0:
		return fmt.Errorf(`ICE candidates: the JSON has neither "candidate" nor "candidates"`)
	case inner[0] == '{':
		return t.addJSON(inner, depth-1)
	default:
		return t.addJSONString(inner, j)
	}
}

func (t *Trickle) addItems(items []json.RawMessage, depth int) error {
	for _, item := range items {
		if err := t.addJSON(item, depth-1); err != nil {
			return err
		}
	}
	return nil
}

func (t *Trickle) addJSONString(raw []byte, j jsonCandidate) error {
	var line string
	if err := json.Unmarshal(raw, &line); err != nil {
		return fmt.Errorf("ICE candidates: %w", err)
	}
	if strings.TrimSpace(line) == "" {
		t.End = true
		return nil
	}
	index := -1
	if j.SDPMLineIndex != nil {
		index = *j.SDPMLineIndex
	}
	t.add(line, j.SDPMid, index, j.UsernameFragment)
	return nil
}
