// Package filename makes file names of text that came from elsewhere. It knows nothing of what the files are for.
package filename

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
)

// maxLength leaves room for an extension and a suffix within the 255 bytes that file systems allow.
const maxLength = 120

// hashed matches names that look as if Of had changed them, so that no two texts get one name.
var hashed = regexp.MustCompile(`(^|-)[0-9a-f]{12}$`)

// Of makes a file name, without extension, of text that came from the network or a scenario, such as a Call-ID. The name
// has no directory part, does not begin with a dot or a dash, and is different for different texts: a text that is not usable
// as it stands is cleaned and a part of its hash is added.
func Of(text string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("._-@+", r):
			return r
		default:
			return '_'
		}
	}, text)
	clean = strings.TrimLeft(clean, ".-")
	if len(clean) > maxLength {
		clean = clean[:maxLength]
	}
	if clean == text && clean != "" && !hashed.MatchString(clean) {
		return clean
	}
	sum := sha256.Sum256([]byte(text))
	return strings.TrimLeft(clean+"-", "-") + hex.EncodeToString(sum[:6])
}
