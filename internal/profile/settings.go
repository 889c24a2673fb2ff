package profile

import (
	"reflect"
	"strings"
)

// field is one key of a section, as the struct tags of Profile describe it.
type field struct {
	key   string
	index int
	typ   reflect.Type
	// def is the default as text; empty: the zero value.
	def  string
	enum []string
	doc  string
}

// fieldsOf returns the keys of a section in the order in which they are declared.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		key, tagged := f.Tag.Lookup("yaml")
		if !tagged {
			continue
		}
		described := field{
			key: key, index: i, typ: f.Type, def: f.Tag.Get("default"), doc: f.Tag.Get("doc"),
		}
		if words := f.Tag.Get("enum"); words != "" {
			described.enum = strings.Split(words, ",")
		}
		fields = append(fields, described)
	}
	return fields
}

// The types that the loader treats in their own way.
var (
	typeProfile    = reflect.TypeFor[Profile]()
	typeTransports = reflect.TypeFor[Transports]()
	typeSIPRow     = reflect.TypeFor[TransportRow]()
	typeWebRTCRow  = reflect.TypeFor[WebRTCRow]()
	typeSecret     = reflect.TypeFor[Secret]()
	typeICEServer  = reflect.TypeFor[ICEServer]()
	typeDuration   = reflect.TypeFor[Duration]()
)

// rowTypes are the words that can stand for type in a row.
var rowTypes = []RowType{UDP, TCP, TLS, WS, WSS, WebRTC}

func isRowType(t RowType) bool {
	for _, known := range rowTypes {
		if t == known {
			return true
		}
	}
	return false
}

// isSection tells whether values of the type hold further keys.
func isSection(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != typeSecret && t != typeICEServer
}

// setting is one value that can be set from outside.
type setting struct {
	// path is load.rate, or transports.webrtc.ice_policy: a row is named by its type.
	path string
	// row is the row's type, for settings under transports.
	row RowType
	field
}

// allSettings returns every setting, in the order of the documentation.
func allSettings() []setting {
	return appendSettings(nil, typeProfile, "", "")
}

func appendSettings(list []setting, t reflect.Type, prefix string, row RowType) []setting {
	for _, f := range fieldsOf(t) {
		path := prefix + f.key
		switch {
		case f.typ == typeTransports:
			for _, rowType := range rowTypes {
				list = appendSettings(list, rowStruct(rowType), path+"."+string(rowType)+".", rowType)
			}
		case isSection(f.typ):
			list = appendSettings(list, f.typ, path+".", "")
		case row != "" && f.key == "type":
			// The type is the row's name, not a setting of it.
		default:
			list = append(list, setting{path: path, row: row, field: f})
		}
	}
	return list
}

// rowStruct returns the struct that holds rows of the type.
func rowStruct(t RowType) reflect.Type {
	if t == WebRTC {
		return typeWebRTCRow
	}
	return typeSIPRow
}

// envPrefix begins the names of all variables.
const envPrefix = "GOSSIPPER_"

// EnvName returns the environment variable for the setting at path: GOSSIPPER_LOAD_RATE for load.rate,
// GOSSIPPER_WEBRTC_ICE_POLICY for transports.webrtc.ice_policy.
func EnvName(path string) string {
	name := strings.TrimPrefix(path, "transports.")
	return envPrefix + strings.ToUpper(strings.ReplaceAll(name, ".", "_"))
}
