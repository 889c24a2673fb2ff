package profile

import (
	"fmt"
	"io"
	"log/slog"
)

// mask is what stands in place of a secret.
const mask = "********"

// Secret is a string that must not be shown. Whatever prints, logs or marshals it gets ********, or nothing when it is empty.
//
// It holds a pointer so that printing a struct that hides it in an unexported field, where package fmt does not call methods,
// shows an address and not the text.
type Secret struct{ text *string }

// NewSecret returns a Secret that holds text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// Reveal returns the secret itself. Its result must not reach an error, a log or a file.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsSet tells whether there is a secret.
func (s Secret) IsSet() bool { return s.text != nil }

// String returns the mask, or nothing.
func (s Secret) String() string {
	if !s.IsSet() {
		return ""
	}
	return mask
}

// GoString returns the mask, for %#v.
func (s Secret) GoString() string { return fmt.Sprintf("%q", s.String()) }

// Format prints the mask for every verb: without it a wrong verb would print the value beneath.
func (s Secret) Format(f fmt.State, verb rune) { formatMasked(f, verb, s.String()) }

// MarshalText returns the mask, for JSON and other encodings.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON returns the mask.
func (s Secret) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, "%q", s.String()), nil }

// MarshalYAML returns the mask.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// LogValue returns the mask, for log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// formatMasked writes text that is fit to be shown; %q and %#v with quotes.
func formatMasked(f fmt.State, verb rune, text string) {
	if verb == 'q' || verb == 'v' && f.Flag('#') {
		text = fmt.Sprintf("%q", text)
	}
	// An error of the writer behind f is its caller's to report.
	_, _ = io.WriteString(f, text)
}
