package profile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// readFile applies the YAML file. The error is only for a file that cannot be read at all.
func (l *loader) readFile() error {
	data := l.sources.Data
	if data == nil {
		if l.sources.File == "" {
			return nil
		}
		var err error
		if data, _, err = l.read(l.sources.File, maxFile); err != nil {
			return fmt.Errorf("cannot read the profile %s: %w", l.sources.File, err)
		}
	} else if len(data) > maxFile {
		return fmt.Errorf("cannot read the profile %s: it is larger than %d bytes", l.sources.File, maxFile)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, next yaml.Node
	err := decoder.Decode(&document)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		l.syntaxError(data, err)
		return nil
	}
	root := document.Content[0]
	if !isNull(root) {
		l.unreadable = root.Kind != yaml.MappingNode
		l.section(root, reflect.ValueOf(l.profile).Elem(), "")
	}
	if err := decoder.Decode(&next); err == nil {
		l.problem(l.at(&next), "", "a second document begins here: a file holds one profile")
	} else if !errors.Is(err, io.EOF) {
		l.syntaxError(data, err)
	}
	return nil
}

var (
	yamlLine   = regexp.MustCompile(`^line (\d+): `)
	yamlQuoted = regexp.MustCompile(`'[^']*'|"[^"]*"|\x60[^\x60]*\x60`)
	yamlAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced`)
	// yamlEarly are the messages for which the YAML parser names the line before.
	yamlEarly = regexp.MustCompile(`^did not find expected (<document start>|node content|'-' indicator|key|',' or)`)
)

// syntaxError reports a file that is not YAML.
func (l *loader) syntaxError(data []byte, err error) {
	l.unreadable = true
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	at := Origin{Kind: FromFile, Name: l.sources.File, Line: 1, Column: 1}
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil && n > 0 {
			at.Line = n
		}
		text = text[len(m[0]):]
		if yamlEarly.MatchString(text) {
			at.Line++
		}
	}
	if m := yamlAnchor.FindStringSubmatch(text); m != nil {
		if before, _, found := bytes.Cut(data, []byte("*"+m[1])); found {
			at.Line = bytes.Count(before, []byte("\n")) + 1
			at.Column = len(before) - bytes.LastIndexByte(before, '\n')
		}
		text = "a value that begins with * must be in quotes"
	}
	// What the message quotes of the file is not shown, unless it is punctuation: it may be part of a secret.
	text = yamlQuoted.ReplaceAllStringFunc(text, func(part string) string {
		if strings.ContainsFunc(part, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
			return "…"
		}
		return part
	})
	l.problem(at, "", "this is not YAML: %s", text)
}

// at returns the place of a node.
func (l *loader) at(node *yaml.Node) Origin {
	return Origin{Kind: FromFile, Name: l.sources.File, Line: max(node.Line, 1), Column: max(node.Column, 1)}
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" }

// kindOf says what a node is, for messages.
func kindOf(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "keys and values"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	default:
		return "a single value"
	}
}

// plain reports nodes that use what profiles do without: aliases, which can make a small file grow without bound, and tags.
func (l *loader) plain(node *yaml.Node, path string) bool {
	if node.Kind == yaml.AliasNode {
		l.problem(l.at(node), path, "aliases (*name) are not supported: write the value itself, in quotes if it begins with *")
		return false
	}
	if node.Style&yaml.TaggedStyle != 0 {
		l.problem(l.at(node), path, "tags are not supported: write the value alone, in quotes if it begins with !")
		return false
	}
	return true
}

// section reads keys and values into a struct.
func (l *loader) section(node *yaml.Node, value reflect.Value, path string) {
	if !l.plain(node, path) || isNull(node) {
		return
	}
	if node.Kind != yaml.MappingNode {
		l.problem(l.at(node), path, "must be keys and values, not %s", kindOf(node))
		return
	}
	fields := fieldsOf(value.Type())
	seen := map[string]*yaml.Node{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, content := node.Content[i], node.Content[i+1]
		f, known := l.key(key, fields, path)
		if !known {
			continue
		}
		keyPath := join(path, f.key)
		if first := seen[f.key]; first != nil {
			l.problem(l.at(key), keyPath, "the key is given twice; the first is in line %d", first.Line)
			continue
		}
		seen[f.key] = key
		l.node(content, value.Field(f.index), f, keyPath)
	}
}

// key finds the field of a key, or reports it.
func (l *loader) key(key *yaml.Node, fields []field, path string) (field, bool) {
	if key.Kind != yaml.ScalarNode {
		l.problem(l.at(key), path, "a key must be a single word, not %s", kindOf(key))
		return field{}, false
	}
	known := make([]string, len(fields))
	for i, f := range fields {
		if f.key == key.Value {
			return f, true
		}
		known[i] = f.key
	}
	hint := suggestion(key.Value, known)
	if hint == "" {
		hint = elsewhere(key.Value)
	}
	l.problem(l.at(key), path, "the key %s is not known%s", quoted(key.Value), hint)
	return field{}, false
}

// elsewhere says where a key belongs that stands in the wrong section.
func elsewhere(key string) string {
	for _, s := range allSettings() {
		if s.key != key {
			continue
		}
		if s.row != "" {
			return fmt.Sprintf("; it belongs into a row of type %s under transports", s.row)
		}
		if parent, _, nested := strings.Cut(s.path, "."); nested {
			return fmt.Sprintf("; it belongs under %s", parent)
		}
		return "; it belongs to the top level"
	}
	return ""
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// node reads the value of a key.
func (l *loader) node(node *yaml.Node, value reflect.Value, f field, path string) {
	switch {
	case f.typ == typeTransports:
		l.rows(node, path)
	case isSection(f.typ):
		l.section(node, value, path)
	case f.typ.Kind() == reflect.Slice:
		l.list(node, value, f, path)
	default:
		if text, ok := l.scalar(node, path); ok {
			l.setScalar(value, f, path, text, l.at(node))
		}
	}
}

// scalar returns the text of a single value.
func (l *loader) scalar(node *yaml.Node, path string) (string, bool) {
	if !l.plain(node, path) {
		return "", false
	}
	if node.Kind != yaml.ScalarNode {
		l.problem(l.at(node), path, "must be a single value, not %s", kindOf(node))
		return "", false
	}
	if isNull(node) {
		l.problem(l.at(node), path, "has no value: write one, or remove the key")
		return "", false
	}
	return node.Value, true
}

// list reads a list of texts, or text with one item per line.
func (l *loader) list(node *yaml.Node, value reflect.Value, f field, path string) {
	if isNull(node) {
		return
	}
	l.origins[path] = l.at(node)
	if node.Kind != yaml.SequenceNode {
		if text, ok := l.scalar(node, path); ok {
			for _, line := range lines(text) {
				l.appendItem(value, f, path, line, l.at(node))
			}
		}
		return
	}
	if !l.plain(node, path) {
		return
	}
	for i, item := range node.Content {
		if text, ok := l.scalar(item, itemPath(path, i)); ok {
			l.appendItem(value, f, path, strings.TrimSpace(text), l.at(item))
		}
	}
}

// rows reads the rows of transports.
func (l *loader) rows(node *yaml.Node, path string) {
	if !l.plain(node, path) || isNull(node) {
		return
	}
	if node.Kind != yaml.SequenceNode {
		l.problem(l.at(node), path, "must be a list of rows like {type: udp}, not %s", kindOf(node))
		return
	}
	first := map[RowType]Origin{}
	for i, row := range node.Content {
		t, ok := l.rowType(row, itemPath(path, i))
		if !ok {
			// A row that could not be read may have been the SIP transport: its absence is no further problem.
			l.failed[path] = true
			continue
		}
		if at, double := first[t]; double {
			l.problem(l.at(row), join(path, string(t)), "there is a row of this type in line %d already", at.Line)
			continue
		}
		first[t] = l.at(row)
		rowPath := join(path, string(t))
		l.origins[rowPath] = l.at(row)
		l.section(row, l.addRow(t, true), rowPath)
	}
}

// rowType finds the type of a row.
func (l *loader) rowType(row *yaml.Node, path string) (RowType, bool) {
	if !l.plain(row, path) {
		return "", false
	}
	if row.Kind != yaml.MappingNode {
		l.problem(l.at(row), path, "must be keys and values like {type: udp}, not %s", kindOf(row))
		return "", false
	}
	for i := 0; i+1 < len(row.Content); i += 2 {
		if row.Content[i].Value != "type" {
			continue
		}
		text, ok := l.scalar(row.Content[i+1], join(path, "type"))
		if !ok {
			return "", false
		}
		if !isRowType(RowType(text)) {
			l.problem(l.at(row.Content[i+1]), join(path, "type"), "must be %s, not %s%s",
				words(rowTypeNames()), quoted(text), suggestion(text, rowTypeNames()))
			return "", false
		}
		return RowType(text), true
	}
	l.problem(l.at(row), path, "has no type: write %s", words(rowTypeNames()))
	return "", false
}

func rowTypeNames() []string {
	names := make([]string, len(rowTypes))
	for i, t := range rowTypes {
		names[i] = string(t)
	}
	return names
}
