package token

// Classes of characters, as the formal syntax names them.
const (
	atomChar    = 1 << iota // ATOM-CHAR
	astringChar             // ASTRING-CHAR: and "]"
	listChar                // list-char: and the wildcards
	tagChar                 // of a tag: ASTRING-CHAR without "+"
)

var classes = func() (c [256]uint8) {
	for b := 0x21; b < 0x7f; b++ {
		switch b {
		case '(', ')', '{', '"', '\\':
		case '%', '*':
			c[b] = listChar
		case ']':
			c[b] = astringChar | listChar | tagChar
		case '+':
			c[b] = atomChar | astringChar | listChar
		default:
			c[b] = atomChar | astringChar | listChar | tagChar
		}
	}
	return c
}()

func all(s string, class uint8) bool {
	for i := range len(s) {
		if classes[s[i]]&class == 0 {
			return false
		}
	}
	return s != ""
}

// IsAtom tells whether s can be written as an atom.
func IsAtom(s string) bool { return all(s, atomChar) }

// IsTag tells whether s can be a tag.
func IsTag(s string) bool { return all(s, tagChar) }
