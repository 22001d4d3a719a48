// Package message is Internet mail and news as text: RFC 5322 and MIME, the
// heir of Python's email.
//
// A [Header] is read or built field by field. A message of any length is read
// once, as a stream, and what stays of it is a tree of [Part]: kinds, offsets
// and sizes, never a body. Whoever keeps the message can then serve every
// piece of it by reading a range:
//
//	root, err := message.Parse(file, message.Limits{})
//	html := root.First("text", "html")
//	io.Copy(os.Stdout, html.Text(file))     // decoded, in UTF-8
//	from, to, ok := root.Range([]int{1, 2}, message.MIME) // IMAP's BODY[1.2.MIME]
//
// [Part.Append] and [ParsePart] put the tree into a cache and take it out.
//
// Reading is lenient, always: no text is refused, and what is wrong with it is
// noted as a [Defect], the way Python's email.errors has it. The only errors
// are those of the reader below. Writing is strict: a line break inside a name
// or a value is [ErrBreak], lines are folded at 78 octets and none is longer
// than 998, and lines end in CRLF.
//
// A new message is a [Builder]: text, HTML, inline images, attachments.
//
// Values are plain data: they may be read by several goroutines at once, and
// written by one.
//
// Sources: RFC 5322 and 6532 (header, addresses), 2045, 2046, 2047, 2183, 2231
// (MIME), 5536 (news articles), 3501, 9051 and 8970 (what IMAP wants of a
// message), 5256 (base subjects and threads).
package message

import "errors"

// Errors of this package.
var (
	// ErrBreak is a CR, LF or NUL inside something that is to be written into a header.
	ErrBreak = errors.New("message: line break inside a header field")
	// ErrName is a field name that is empty or has other than printable ASCII without colon.
	ErrName = errors.New("message: malformed field name")
	// ErrAddress is an address that cannot be written or is none.
	ErrAddress = errors.New("message: malformed address")
	// ErrDate is a date that cannot be understood.
	ErrDate = errors.New("message: malformed date")
	// ErrLong is a word of a header field that no fold can bring below 998 octets.
	ErrLong = errors.New("message: header line over 998 octets")
	// ErrCached is a cached structure that this version did not write.
	ErrCached = errors.New("message: malformed cached structure")
)

// Limits bound what a message may make us keep. What is over a limit is no
// error: it is passed by, and a [Defect] says so. The zero value of each field
// stands for its default.
type Limits struct {
	// Header is how many octets of one header are kept (default 1 MiB).
	Header int
	// Fields is how many fields of one header are kept (default 2,000).
	Fields int
	// Parts is how many parts a message may have, at all levels (default 1,000).
	// What comes after is left inside the multipart around it.
	Parts int
	// Depth is how many levels parts may be nested (default 50, at most 1,000).
	// What is deeper is one part, unopened.
	Depth int
}

// maxDepth bounds the recursion of every walk over parts.
const maxDepth = 1000

func (l Limits) withDefaults() Limits {
	l.Header = orDefault(l.Header, 1<<20)
	l.Fields = orDefault(l.Fields, 2000)
	l.Parts = orDefault(l.Parts, 1000)
	l.Depth = min(orDefault(l.Depth, 50), maxDepth)
	return l
}

func orDefault(n, def int) int {
	if n <= 0 {
		return def
	}
	return n
}
