package auth

import (
	"strings"

	"github.com/xdg-go/stringprep"
)

// Prepare makes one string of those that look the same, by SASLprep (RFC 4013):
// names and passwords are compared in this form. What SASLprep knows nothing
// of, such as an emoji or an old program's Latin-1, stays as it is, so that who
// has such a password can log in. The result is empty where nothing is left,
// and for a string with a NUL in it; neither is a name or a password.
func Prepare(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		return ""
	}
	if isPrintableASCII(s) {
		return s
	}
	if p, err := stringprep.SASLprep.Prepare(s); err == nil {
		return p
	}
	return s
}

func isPrintableASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
