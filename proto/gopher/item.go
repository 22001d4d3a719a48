package gopher

import (
	"mime"
	"path"
	"strings"
)

// A Type is the character that says what an item is (RFC 1436 section 3.8).
type Type byte

// The types of RFC 1436.
const (
	Text      Type = '0' // a text, ended by a line with a single dot
	Menu      Type = '1' // a directory
	CSO       Type = '2' // a phone-book server, which speaks CSO
	Error     Type = '3' // not an item: what went wrong
	BinHex    Type = '4' // a Macintosh file in BinHex, sent as text
	DOS       Type = '5' // a DOS archive, sent to the end of the connection
	UUEncoded Type = '6' // a uuencoded file, sent as text
	Search    Type = '7' // an index: wants words, answers with a menu
	Telnet    Type = '8' // a telnet session; the selector is the login name
	Binary    Type = '9' // a file, sent to the end of the connection
	Mirror    Type = '+' // another server for the item before
	TN3270    Type = 'T' // a tn3270 session
	GIF       Type = 'g' // a GIF picture
	Image     Type = 'I' // a picture of another kind
)

// The types of Gopher+ and of today's servers.
const (
	Bitmap   Type = ':' // Gopher+: a picture
	Movie    Type = ';' // Gopher+: a movie
	Audio    Type = '<' // Gopher+: a sound
	Info     Type = 'i' // not an item: a line to be shown
	HTML     Type = 'h' // a page, or with a selector "URL:..." a link out of gopherspace
	Sound    Type = 's' // a sound
	Document Type = 'd' // a document: PDF, PostScript, ...
	PNG      Type = 'p' // a PNG picture
	Mail     Type = 'M' // a message or mailbox
	Calendar Type = 'c' // a calendar
	XML      Type = 'x' // XML
	RichText Type = 'r' // RTF
)

// kind is what is known of a type.
type kind struct {
	name  string
	media string // of what is sent; "" where nothing is
	text  bool   // sent as lines, a single dot ends them
}

func (t Type) kind() kind {
	switch t {
	case Text:
		return kind{"text", "text/plain", true}
	case Menu:
		return kind{"menu", "application/gopher-menu", true}
	case CSO:
		return kind{name: "phone book"}
	case Error:
		return kind{name: "error"}
	case BinHex:
		return kind{"BinHex file", "application/mac-binhex40", true}
	case DOS:
		return kind{"archive", "application/octet-stream", false}
	case UUEncoded:
		return kind{"uuencoded file", "text/x-uuencode", true}
	case Search:
		return kind{"search", "application/gopher-menu", true}
	case Telnet:
		return kind{name: "telnet session"}
	case Binary:
		return kind{"binary file", "application/octet-stream", false}
	case Mirror:
		return kind{name: "mirror"}
	case TN3270:
		return kind{name: "tn3270 session"}
	case GIF:
		return kind{"GIF picture", "image/gif", false}
	}
	return t.laterKind()
}

// laterKind is of the types that came after RFC 1436.
func (t Type) laterKind() kind {
	switch t {
	case Image, Bitmap:
		return kind{"picture", "application/octet-stream", false}
	case PNG:
		return kind{"PNG picture", "image/png", false}
	case Movie:
		return kind{"movie", "application/octet-stream", false}
	case Audio, Sound:
		return kind{"sound", "application/octet-stream", false}
	case Info:
		return kind{name: "information"}
	case HTML:
		return kind{"page", "text/html", false}
	case Document:
		return kind{"document", "application/octet-stream", false}
	case Mail:
		return kind{"mail", "message/rfc822", false}
	case Calendar:
		return kind{"calendar", "text/calendar", false}
	case XML:
		return kind{"XML", "text/xml", false}
	case RichText:
		return kind{"rich text", "text/rtf", false}
	}
	return kind{"unknown type " + string(rune(t)), "application/octet-stream", false}
}

// String is the type in words.
func (t Type) String() string { return t.kind().name }

// IsMenu tells the types whose answer is a menu.
func (t Type) IsMenu() bool { return t == Menu || t == Search }

// IsText tells the types that are sent as lines, ended by a single dot; the
// others go on to the end of the connection.
func (t Type) IsText() bool { return t.kind().text }

// Fetchable tells the types that are asked for by a selector. The others are
// lines to be shown (Info, Error) or other protocols.
func (t Type) Fetchable() bool { return t.kind().media != "" }

// MediaType is what is sent for the type, as MIME has it; "" where nothing is.
func (t Type) MediaType() string { return t.kind().media }

// valid tells the characters that can be a type.
func (t Type) valid() bool { return t > ' ' && t < 0x7f }

// TypeOf is the type of a file by its name; Binary where the name says nothing
// and for anything that is no text. It knows the same names everywhere.
func TypeOf(name string) Type {
	ext := strings.ToLower(path.Ext(name))
	switch ext {
	case ".txt", ".text", ".md", ".rst", ".asc", ".log", ".c", ".h", ".go", ".py", ".sh", ".conf", ".csv", ".diff", ".patch", ".json", ".yaml", ".yml", ".toml", ".tex", ".1":
		return Text
	case ".hqx":
		return BinHex
	case ".zip", ".arj", ".lzh", ".arc", ".zoo":
		return DOS
	case ".uu", ".uue":
		return UUEncoded
	case ".gif":
		return GIF
	case ".png":
		return PNG
	case ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".xbm", ".xpm", ".ico", ".svg":
		return Image
	case ".htm", ".html", ".xhtml":
		return HTML
	case ".au", ".wav", ".mp3", ".ogg", ".flac", ".aiff", ".mid", ".opus":
		return Sound
	case ".mpg", ".mpeg", ".avi", ".mov", ".mp4", ".mkv", ".webm":
		return Movie
	case ".pdf", ".ps", ".eps", ".doc", ".docx", ".odt", ".djvu", ".epub":
		return Document
	case ".eml", ".mbox":
		return Mail
	case ".ics":
		return Calendar
	case ".xml":
		return XML
	case ".rtf":
		return RichText
	}
	return Binary
}

// mediaTypeOf is the media type of a file for a Gopher+ view.
func mediaTypeOf(t Type, name string) string {
	if m, _, err := mime.ParseMediaType(mime.TypeByExtension(path.Ext(name))); err == nil && !t.IsText() {
		return m
	}
	return t.MediaType()
}
