package imap

import (
	"slices"
	"strings"

	"github.com/farend-go/farend/proto/imap/internal/token"
)

// Style says how strings are written; the zero Style is what RFC 3501 has.
type Style = token.Style

// The bits of a Style.
const (
	UTF8    = token.UTF8    // names and quoted strings in UTF-8 (RFC 9051 section 5.1, RFC 6855)
	NonSync = token.NonSync // literals that need no go-ahead (RFC 7888)
)

// ErrSyntax is what errors of this package's parsers are.
var ErrSyntax = token.ErrSyntax

// A Flag is a system flag (with its backslash) or a keyword. Flags are equal
// whatever their case (RFC 9051 section 2.3.2).
type Flag string

// The system flags, and the keywords that RFC 9051 section 2.3.2 names.
const (
	Seen      Flag = `\Seen`
	Answered  Flag = `\Answered`
	Flagged   Flag = `\Flagged`
	Deleted   Flag = `\Deleted`
	Draft     Flag = `\Draft`
	Recent    Flag = `\Recent` // RFC 3501 only
	AnyFlag   Flag = `\*`      // of PERMANENTFLAGS: new keywords can be made
	Forwarded Flag = "$Forwarded"
	MDNSent   Flag = "$MDNSent"
	Junk      Flag = "$Junk"
	NotJunk   Flag = "$NotJunk"
	Phishing  Flag = "$Phishing"
)

var system = [...]Flag{Answered, Flagged, Deleted, Seen, Draft}

// Is tells whether two flags are the same.
func (f Flag) Is(g Flag) bool { return strings.EqualFold(string(f), string(g)) }

// Canonical is the flag with a system flag's proper case.
func (f Flag) Canonical() Flag {
	if !strings.HasPrefix(string(f), `\`) {
		return f
	}
	for _, s := range append(system[:], Recent) {
		if f.Is(s) {
			return s
		}
	}
	return f
}

// Valid tells whether a client may set the flag: a system flag but \Recent, or
// a keyword of at most 100 bytes.
func (f Flag) Valid() bool {
	if slices.ContainsFunc(system[:], f.Is) {
		return true
	}
	return len(f) <= 100 && token.IsAtom(string(f))
}

// HasFlag tells whether f is among the flags.
func HasFlag(flags []Flag, f Flag) bool { return slices.ContainsFunc(flags, f.Is) }

// AppendFlags writes a flag-list, in parentheses.
func AppendFlags(b []byte, flags []Flag) []byte {
	return token.List(b, flags, func(b []byte, f Flag) []byte { return append(b, f...) })
}

// ParseFlags reads a flag-list. The error is ErrSyntax.
func ParseFlags(text string) ([]Flag, error) {
	l := token.New([]byte(text))
	flags := lexFlags(l)
	return flags, l.End()
}

func lexFlags(l *token.Lexer) []Flag {
	flags := []Flag{}
	l.List(func() { flags = append(flags, Flag(l.Flag()).Canonical()) })
	return flags
}
