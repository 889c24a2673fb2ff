// Package schematest compares what the program writes with the JSON Schemas in docs/schema. It is for tests only.
package schematest

import (
	"encoding"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Validate fails the test if the text does not conform to the schema of that name ("call_record").
func Validate(t testing.TB, name string, text []byte) {
	t.Helper()
	if err := Check(t, name, text); err != nil {
		t.Errorf("%s\ndoes not conform to %s: %v", text, name, err)
	}
}

// Check returns how the text violates the schema of that name.
func Check(t testing.TB, name string, text []byte) error {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	schema, err := compiler.Compile(path(t, name))
	if err != nil {
		t.Fatalf("schema %s: %v", name, err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatalf("%s\nis not JSON: %v", text, err)
	}
	return schema.Validate(value)
}

// path finds docs/schema from the directory of any package.
func path(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		file := filepath.Join(dir, "docs", "schema", name+".schema.json")
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	t.Fatalf("docs/schema/%s.schema.json is not there", name)
	return ""
}

// SameProperties fails the test if the schema's properties are not exactly the JSON fields of the type, at every depth, or if
// one that is always written is not required.
func SameProperties(t testing.TB, name string, of reflect.Type) {
	t.Helper()
	text, err := os.ReadFile(path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	var root node
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatalf("schema %s: %v", name, err)
	}
	compare(t, name, &root, &root, of)
}

// node is the part of a JSON Schema that is compared.
type node struct {
	Ref                  string           `json:"$ref"`
	Defs                 map[string]*node `json:"$defs"`
	Properties           map[string]*node `json:"properties"`
	Required             []string         `json:"required"`
	Items                *node            `json:"items"`
	AnyOf                []*node          `json:"anyOf"`
	AdditionalProperties json.RawMessage  `json:"additionalProperties"`
}

func compare(t testing.TB, where string, root, n *node, of reflect.Type) {
	t.Helper()
	n = resolve(root, n)
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	switch {
	case n == nil:
		t.Errorf("%s: the schema says nothing of it", where)
	case of.Kind() == reflect.Slice && of.Elem().Kind() != reflect.Uint8:
		compare(t, where+"[]", root, n.Items, of.Elem())
	case of.Kind() == reflect.Map:
		var values node
		if err := json.Unmarshal(n.AdditionalProperties, &values); err == nil {
			compare(t, where+".*", root, &values, of.Elem())
		}
	case isObject(of):
		compareFields(t, where, root, n, of)
	}
}

func compareFields(t testing.TB, where string, root, n *node, of reflect.Type) {
	t.Helper()
	var fields, always []string
	for i := range of.NumField() {
		field, options, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		if field == "-" || !of.Field(i).IsExported() {
			continue
		}
		if field == "" {
			t.Errorf("%s: field %s of %v has no json tag", where, of.Field(i).Name, of)
			continue
		}
		fields = append(fields, field)
		if !strings.Contains(options, "omit") {
			always = append(always, field)
		}
		property := n.Properties[field]
		if property == nil {
			t.Errorf("%s.%s is written, but the schema lacks it", where, field)
			continue
		}
		compare(t, where+"."+field, root, property, of.Field(i).Type)
	}
	for property := range n.Properties {
		if !slices.Contains(fields, property) {
			t.Errorf("%s.%s is in the schema, but never written", where, property)
		}
	}
	slices.Sort(always)
	required := slices.Sorted(slices.Values(n.Required))
	if !slices.Equal(always, required) {
		t.Errorf("%s: the schema requires %v, always written are %v", where, required, always)
	}
	if string(n.AdditionalProperties) != "false" {
		t.Errorf("%s: the schema allows other properties", where)
	}
}

// isObject reports whether the type is written as a JSON object, field by field: not a time, nor what writes itself.
func isObject(of reflect.Type) bool {
	for _, own := range []reflect.Type{reflect.TypeFor[encoding.TextMarshaler](), reflect.TypeFor[json.Marshaler]()} {
		if reflect.PointerTo(of).Implements(own) {
			return false
		}
	}
	return of.Kind() == reflect.Struct
}

// resolve follows $ref, and takes the branch of an anyOf that is not null.
func resolve(root, n *node) *node {
	for n != nil {
		switch {
		case n.Ref != "":
			n = root.Defs[strings.TrimPrefix(n.Ref, "#/$defs/")]
		case len(n.AnyOf) > 0:
			n = n.AnyOf[0]
		default:
			return n
		}
	}
	return nil
}
