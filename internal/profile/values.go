package profile

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// maxSecret is the most that the file of a secret may hold, in bytes.
const maxSecret = 4096

// setScalar sets a value that is not a list.
func (l *loader) setScalar(value reflect.Value, f field, path, text string, origin Origin) {
	if f.typ == typeSecret {
		secret, err := l.resolveSecret(text, path, origin)
		if err != nil {
			if l.sources.Partial {
				l.failed[path] = true
				l.warn(origin, path, "%v", err)
				origin.Lacking = err.Error()
				l.origins[path] = origin
			} else {
				l.problem(origin, path, "%v", err)
			}
			return
		}
		value.Set(reflect.ValueOf(secret))
	} else if err := setText(value, f, text); err != nil {
		l.problem(origin, path, "%v", err)
		return
	}
	l.origins[path] = origin
}

// appendItem adds an item to a list.
func (l *loader) appendItem(list reflect.Value, f field, path, text string, origin Origin) {
	item := reflect.New(f.typ.Elem()).Elem()
	if f.typ.Elem() == typeICEServer {
		item.Set(reflect.ValueOf(NewICEServer(text)))
	} else {
		item.SetString(text)
	}
	l.origins[itemPath(path, list.Len())] = origin
	list.Set(reflect.Append(list, item))
}

func itemPath(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// setText sets a value that is neither a list nor a secret from its text.
func setText(value reflect.Value, f field, text string) error {
	if f.typ == typeDuration {
		return setDuration(value, text)
	}
	switch f.typ.Kind() {
	case reflect.Bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("must be true or false, not %s", quoted(text))
		}
		value.SetBool(text == "true")
	case reflect.Int:
		n, err := strconv.ParseInt(text, 10, strconv.IntSize)
		if err != nil {
			return numberError("a whole number", text, err)
		}
		value.SetInt(n)
	case reflect.Uint64:
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return numberError("a whole number of at least 0", text, err)
		}
		value.SetUint(n)
	case reflect.Float64:
		n, err := strconv.ParseFloat(text, 64)
		if err == nil && (math.IsInf(n, 0) || math.IsNaN(n)) {
			err = strconv.ErrSyntax
		}
		if err != nil {
			return numberError("a number", text, err)
		}
		value.SetFloat(n)
	default:
		return setWord(value, f, text)
	}
	return nil
}

func setDuration(value reflect.Value, text string) error {
	d, err := parseDuration(text)
	switch {
	case errors.Is(err, errNoUnit):
		return fmt.Errorf("%s has no unit: write %ss or %sms", quoted(text), text, text)
	case err != nil:
		return fmt.Errorf("must be a duration like 5s, 400ms or 1m30s, not %s", quoted(text))
	case d < 0:
		return fmt.Errorf("must not be negative, but is %s", quoted(text))
	}
	value.SetInt(int64(d))
	return nil
}

func numberError(what, text string, err error) error {
	if errors.Is(err, strconv.ErrRange) {
		return fmt.Errorf("%s is too large", quoted(text))
	}
	return fmt.Errorf("must be %s, not %s", what, quoted(text))
}

// setWord sets a string, or one of a few words.
func setWord(value reflect.Value, f field, text string) error {
	if len(f.enum) > 0 && !slices.Contains(f.enum, text) {
		return fmt.Errorf("must be %s, not %s%s", words(f.enum), quoted(text), suggestion(text, f.enum))
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }); i >= 0 {
		return fmt.Errorf("must be one line of text, but %s has a control character", quoted(text))
	}
	value.SetString(text)
	return nil
}

// quoted returns the text for a message, in quotes and not longer than a line can bear.
func quoted(text string) string {
	const longest = 60
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest]) + "…"
	}
	return strconv.Quote(text)
}

// resolveSecret returns the secret itself: @FILE is the content of a file, env:NAME that of an environment variable. Errors never
// show what was read.
func (l *loader) resolveSecret(text, path string, origin Origin) (Secret, error) {
	if name, isFile := strings.CutPrefix(text, "@"); isFile {
		return l.readSecret(name, path, origin)
	}
	if name, isVariable := strings.CutPrefix(text, "env:"); isVariable {
		return l.secretVariable(name)
	}
	return NewSecret(text), nil
}

func (l *loader) readSecret(name, path string, origin Origin) (Secret, error) {
	if name == "" {
		return Secret{}, errors.New("after the @ the name of a file must stand")
	}
	if origin.Kind == FromFile {
		name = l.besideProfile(name)
	}
	data, mode, err := l.read(name, maxSecret)
	if err != nil {
		// The name is not shown: if there is no such file, it may be a password that begins with @.
		var pathError *fs.PathError
		if errors.As(err, &pathError) {
			err = pathError.Err
		}
		return Secret{}, fmt.Errorf("the file named after the @ cannot be read: %w", err)
	}
	text := strings.TrimSpace(string(data))
	if text == "" {
		return Secret{}, fmt.Errorf("the secret's file %s is empty", filepath.Clean(name))
	}
	if strings.ContainsAny(text, "\r\n\x00") {
		return Secret{}, fmt.Errorf("the secret's file %s must hold one line of text", filepath.Clean(name))
	}
	if mode.Perm()&0o004 != 0 {
		l.warn(origin, path, "every user of this machine can read %s: chmod 600 it", filepath.Clean(name))
	}
	return NewSecret(text), nil
}

func (l *loader) secretVariable(name string) (Secret, error) {
	if name == "" {
		return Secret{}, errors.New("after env: the name of an environment variable must stand")
	}
	for _, entry := range slices.Backward(l.sources.Environ) {
		if value, found := strings.CutPrefix(entry, name+"="); found && value != "" {
			return NewSecret(value), nil
		}
	}
	// The name is not shown: it may be a password that begins with env:.
	return Secret{}, errors.New("the environment variable named after env: is not set")
}
