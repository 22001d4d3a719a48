package talk

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// visible gives bytes of the peer as text that does nothing to a terminal but
// show itself: lines end in \n whatever ended them, tabs stay, every other
// control character is written ^X, and what is no UTF-8 \xNN. rest is what
// could still become a character, or CR LF, with the bytes to come.
func visible(b []byte) (text string, rest []byte) {
	var out strings.Builder
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		switch {
		case r == '\r' && len(b) == 1, r == utf8.RuneError && !utf8.FullRune(b):
			return out.String(), b
		case r == '\r' && b[1] == '\n':
			out.WriteByte('\n')
			size = 2
		case r == '\n', r == '\t':
			out.WriteRune(r)
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&out, `\x%02x`, b[0])
		case r < ' ' || r == 0x7f:
			out.WriteString("^" + string(r^0x40))
		case !unicode.IsPrint(r) && r < 0x100: // C1 controls: terminals obey them too
			fmt.Fprintf(&out, `\u%04x`, r)
		case unicode.Is(unicode.Bidi_Control, r):
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
		b = b[size:]
	}
	return out.String(), nil
}

// visibleAll is visible for bytes that nothing follows.
func visibleAll(b []byte) string {
	text, rest := visible(b)
	for _, c := range rest {
		if c == '\r' {
			text += "^M"
			continue
		}
		text += fmt.Sprintf(`\x%02x`, c)
	}
	return text
}
