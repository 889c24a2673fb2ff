package profile

import (
	"fmt"
	"strings"

	"github.com/gossipper/gossipper/internal/nearest"
)

// suggestion returns `; did you mean "rate"?`, or nothing when no known word is near.
func suggestion(word string, known []string) string {
	if near := nearest.Word(word, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// words joins a list for a sentence: a, b or c.
func words(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
}
