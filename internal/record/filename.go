package record

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
)

// maxFileName leaves room for an extension and a suffix within the 255 bytes that file systems allow.
const maxFileName = 120

// hashed matches names that look as if FileName had changed them, so that no two texts get one name.
var hashed = regexp.MustCompile(`(^|-)[0-9a-f]{12}$`)

// FileName makes a file name, without extension, of text that came from the network or a scenario, such as a Call-ID. The name
// has no directory part, does not begin with a dot or a dash, and is different for different texts: a text that is not usable
// as it stands is cleaned and a part of its hash is added.
func FileName(text string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("._-@+", r):
			return r
		default:
			return '_'
		}
	}, text)
	clean = strings.TrimLeft(clean, ".-")
	if len(clean) > maxFileName {
		clean = clean[:maxFileName]
	}
	if clean == text && clean != "" && !hashed.MatchString(clean) {
		return clean
	}
	sum := sha256.Sum256([]byte(text))
	return strings.TrimLeft(clean+"-", "-") + hex.EncodeToString(sum[:6])
}
