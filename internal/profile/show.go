package profile

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"

	"gopkg.in/yaml.v3"
)

// Masked returns a copy of the profile in which every secret is the mask itself, fit to be written to a file. (The profile
// itself marshals masked too; the copy cannot be revealed by accident.)
func (p *Profile) Masked() *Profile {
	masked := *p
	masked.Thresholds = append([]string{}, p.Thresholds...)
	masked.Transports.SIP = append([]TransportRow(nil), p.Transports.SIP...)
	if p.Transports.WebRTC != nil {
		row := *p.Transports.WebRTC
		row.ICECredential, row.ICEAuthSecret = NewSecret(row.ICECredential.String()), NewSecret(row.ICEAuthSecret.String())
		row.ICEServers = make([]ICEServer, len(row.ICEServers))
		for i, server := range p.Transports.WebRTC.ICEServers {
			row.ICEServers[i] = NewICEServer(server.String())
		}
		masked.Transports.WebRTC = &row
	}
	return &masked
}

// MarshalJSON returns the rows as the list that they are in a profile.
func (t Transports) MarshalJSON() ([]byte, error) {
	rows := make([]any, 0, len(t.SIP)+1)
	for _, row := range t.SIP {
		rows = append(rows, row)
	}
	if t.WebRTC != nil {
		rows = append(rows, t.WebRTC)
	}
	return json.Marshal(rows)
}

// MarshalYAML returns the rows as the list that they are in a profile.
func (t Transports) MarshalYAML() (any, error) {
	return rowNodes(&t, nil), nil
}

// Show writes the effective profile as YAML that can be loaded again, apart from the secrets, which are masked. Each value has a
// comment that says where it comes from.
func Show(w io.Writer, loaded *Loaded) error {
	node := sectionNode(reflect.ValueOf(loaded.Profile).Elem(), "", loaded.Origins)
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	if err := encoder.Encode(node); err != nil {
		return fmt.Errorf("cannot write the profile: %w", err)
	}
	if err := encoder.Close(); err != nil {
		return fmt.Errorf("cannot write the profile: %w", err)
	}
	return nil
}

// sectionNode returns a section as YAML. Without origins there are no comments.
func sectionNode(section reflect.Value, path string, origins map[string]Origin) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode}
	for _, f := range fieldsOf(section.Type()) {
		value, fieldPath := section.Field(f.index), join(path, f.key)
		if f.key == "role" && value.IsZero() {
			// An empty role means that nothing was said; the word cannot be written.
			continue
		}
		node.Content = append(node.Content, textNode(f.key), fieldNode(value, f, fieldPath, origins))
	}
	return node
}

func fieldNode(value reflect.Value, f field, path string, origins map[string]Origin) *yaml.Node {
	var node *yaml.Node
	switch {
	case f.typ == typeTransports:
		transports, _ := value.Addr().Interface().(*Transports)
		return rowNodes(transports, origins)
	case isSection(f.typ):
		return sectionNode(value, path, origins)
	case f.typ.Kind() == reflect.Slice:
		return listNode(value, path, origins)
	default:
		node = scalarNode(value)
	}
	comment(node, path, origins)
	return node
}

func rowNodes(t *Transports, origins map[string]Origin) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for i := range t.SIP {
		row := sectionNode(reflect.ValueOf(&t.SIP[i]).Elem(), "transports."+string(t.SIP[i].Type), origins)
		list.Content = append(list.Content, row)
	}
	if t.WebRTC != nil {
		list.Content = append(list.Content, sectionNode(reflect.ValueOf(t.WebRTC).Elem(), "transports.webrtc", origins))
	}
	return list
}

func listNode(value reflect.Value, path string, origins map[string]Origin) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for i := range value.Len() {
		item := scalarNode(value.Index(i))
		comment(item, itemPath(path, i), origins)
		list.Content = append(list.Content, item)
	}
	if value.Len() == 0 {
		list.Style = yaml.FlowStyle
		comment(list, path, origins)
	}
	return list
}

// scalarNode returns a single value; what may hold a secret goes through its String.
func scalarNode(value reflect.Value) *yaml.Node {
	if s, ok := value.Interface().(fmt.Stringer); ok {
		return textNode(s.String())
	}
	switch value.Kind() {
	case reflect.Bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: strconv.FormatBool(value.Bool())}
	case reflect.Int:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: strconv.FormatInt(value.Int(), 10)}
	case reflect.Uint64:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: strconv.FormatUint(value.Uint(), 10)}
	case reflect.Float64:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: strconv.FormatFloat(value.Float(), 'g', -1, 64)}
	default:
		return textNode(value.String())
	}
}

// textNode returns a node for text, in quotes where YAML needs them.
func textNode(text string) *yaml.Node {
	node := &yaml.Node{}
	node.SetString(text)
	return node
}

func comment(node *yaml.Node, path string, origins map[string]Origin) {
	if origins == nil {
		return
	}
	// The zero Origin is the default's.
	origin := origins[path]
	node.LineComment = origin.String()
	if origin.Lacking != "" {
		node.LineComment += ", but " + origin.Lacking
	}
}
