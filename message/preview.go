package message

import (
	"bufio"
	"html"
	"io"
	"strings"
	"unicode"
)

// PreviewLength is how many characters a preview has at most. RFC 8970 3.2.
const PreviewLength = 200

// previewSource bounds how much of a text is read for its preview: style sheets
// come before anything a person reads.
const previewSource = 128 << 10

// Preview gives the first characters of the first text of the message that is
// not empty, on one line: plain text, or HTML without its marks. It may be
// empty. The error is ra's. RFC 8970.
func (p *Part) Preview(ra io.ReaderAt) (string, error) {
	for q := range p.Walk {
		if q.Type.Type != "text" || q.Disposition.Value == "attachment" {
			continue
		}
		in := bufio.NewReader(io.LimitReader(q.Text(ra), previewSource))
		out := &previewText{room: PreviewLength}
		var err error
		if q.Type.Subtype == "html" {
			err = stripHTML(in, out)
		} else {
			err = copyRunes(in, out)
		}
		if text := out.b.String(); text != "" || err != nil {
			return text, err
		}
	}
	return "", nil
}

// previewText collects characters; white space of any length becomes a blank.
type previewText struct {
	b     strings.Builder
	room  int
	blank bool
}

func (t *previewText) full() bool { return t.room <= 0 }

func (t *previewText) add(r rune) {
	switch {
	case unicode.IsSpace(r) || unicode.IsControl(r):
		t.blank = t.b.Len() > 0
		return
	case unicode.Is(unicode.Cf, r) && r != '\u200d': // zero-width fillers; the joiner of emoji stays
		return
	case t.full():
		return
	}
	if t.blank {
		t.blank = false
		t.room--
		if t.room <= 1 { // no room for the blank and a character
			t.room = 0
			return
		}
		t.b.WriteByte(' ')
	}
	t.b.WriteRune(r)
	t.room--
}

func (t *previewText) text(s string) {
	for _, r := range s {
		t.add(r)
	}
}

func copyRunes(in *bufio.Reader, out *previewText) error {
	for !out.full() {
		r, _, err := in.ReadRune()
		if err != nil {
			return notEOF(err)
		}
		out.add(r)
	}
	return nil
}

func notEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// stripHTML gives the text of HTML as far as a preview needs it: tags, comments
// and what is between the tags of head, script, style and title goes, entities
// are resolved.
func stripHTML(in *bufio.Reader, out *previewText) error {
	hidden := "" // the element whose end is awaited
	var text strings.Builder
	flush := func() {
		out.text(html.UnescapeString(text.String()))
		text.Reset()
	}
	for !out.full() {
		r, _, err := in.ReadRune()
		if err != nil {
			flush()
			return notEOF(err)
		}
		switch {
		case r == '<' && rawText(hidden) && !endTag(in, hidden): // "a<b" of a script
		case r == '<':
			flush()
			name, err := readTag(in)
			if err != nil {
				return notEOF(err)
			}
			if name == "" { // "a < b"
				text.WriteRune(r)
				continue
			}
			hidden = hide(hidden, name)
			if !inlineTag(strings.TrimPrefix(name, "/")) {
				out.add(' ')
			}
		case hidden == "":
			text.WriteRune(r)
			if text.Len() > 4096 {
				flush()
			}
		}
	}
	return nil
}

// hide gives the element whose text is not shown, after a tag.
func hide(hidden, tag string) string {
	switch {
	case hidden == "" && (tag == "head" || tag == "script" || tag == "style" || tag == "title" || tag == "template"):
		return tag
	case hidden != "" && tag == "/"+hidden, hidden == "head" && tag == "body":
		return ""
	}
	return hidden
}

// rawText tells the elements in which only their own end is a tag.
func rawText(element string) bool {
	return element == "script" || element == "style" || element == "title"
}

// endTag tells whether the end of the element follows, behind its "<".
func endTag(in *bufio.Reader, element string) bool {
	next, err := in.Peek(1 + len(element))
	return err == nil && strings.EqualFold(string(next), "/"+element)
}

// inlineTag tells a tag that does not part words.
func inlineTag(name string) bool {
	switch name {
	case "a", "abbr", "b", "big", "code", "em", "font", "i", "ins", "mark", "o:p", "s", "small", "span", "strong", "sub", "sup", "u", "wbr":
		return true
	}
	return false
}

// readTag passes a tag behind its "<" and gives its name in lower case, with the
// "/" of an end tag. No name means that it is no tag, and nothing was passed.
func readTag(in *bufio.Reader) (string, error) {
	next, err := in.Peek(1)
	if err != nil {
		return "", err
	}
	if c := next[0]; c != '/' && c != '!' && c != '?' && (c|0x20 < 'a' || c|0x20 > 'z') {
		return "", nil
	}
	if comment, _ := in.Peek(3); string(comment) == "!--" {
		return "!--", skipComment(in)
	}
	var name strings.Builder
	quote := byte(0)
	named := false
	for {
		c, err := in.ReadByte()
		switch {
		case err != nil:
			return "", err
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '>':
			return strings.ToLower(name.String()), nil
		case named && (c == '"' || c == '\''):
			quote = c
		case isSpace(c) || c == '/' && name.Len() > 0:
			named = true
		case !named:
			name.WriteByte(c)
		}
	}
}

func skipComment(in *bufio.Reader) error {
	dashes := 0
	for {
		c, err := in.ReadByte()
		switch {
		case err != nil:
			return err
		case c == '>' && dashes >= 2:
			return nil
		case c == '-':
			dashes++
		default:
			dashes = 0
		}
	}
}
