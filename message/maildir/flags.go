package maildir

import (
	"slices"
	"strings"
)

// The flags of maildir(5), and what they are in IMAP.
const (
	Passed  = "P" // resent, forwarded or bounced: $Forwarded
	Replied = "R" // \Answered
	Seen    = "S" // \Seen
	Trashed = "T" // \Deleted
	Draft   = "D" // \Draft
	Flagged = "F" // \Flagged
)

// Flags are letters in the order of ASCII, each once. Small letters are the
// keywords of whoever wrote them.
type Flags string

// ParseFlags gives the letters of s as flags; what is no letter is left out.
func ParseFlags(s string) Flags {
	var letters []byte
	for i := range len(s) {
		if c := s[i] | 0x20; 'a' <= c && c <= 'z' {
			letters = append(letters, s[i])
		}
	}
	slices.Sort(letters)
	return Flags(slices.Compact(letters))
}

// Has tells whether all these letters are among the flags.
func (f Flags) Has(letters string) bool {
	for i := range len(letters) {
		if strings.IndexByte(string(f), letters[i]) < 0 {
			return false
		}
	}
	return true
}

// With gives the flags and these letters.
func (f Flags) With(letters string) Flags { return ParseFlags(string(f) + letters) }

// Without gives the flags without these letters.
func (f Flags) Without(letters string) Flags {
	return Flags(strings.Map(func(r rune) rune {
		if strings.ContainsRune(letters, r) {
			return -1
		}
		return r
	}, string(f)))
}
