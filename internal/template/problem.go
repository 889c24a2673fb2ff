package template

// Severity says whether a Problem keeps the text from being used.
type Severity uint8

// The severities.
const (
	Error Severity = iota + 1
	Warning
)

// String returns error or warning.
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Problem is a mistake in a text.
type Problem struct {
	Line     int // within the text, from 1
	Severity Severity
	Text     string // what is wrong
	Hint     string // what would be right; may be empty
}
