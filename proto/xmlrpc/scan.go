package xmlrpc

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
)

// A scanner reads the XML that XML-RPC needs: elements, text, CDATA, the five
// entities and character references. Comments, processing instructions and
// attributes are passed over; a document type is refused. Text comes in pieces,
// so that a large one is never whole in memory.
type scanner struct {
	r     *bufio.Reader
	open  []string // elements that are open
	kind  token
	name  string // of the element that began or ended
	text  []byte // a piece, valid until the next call of next
	empty bool   // <name/>: its end is still to be told
	depth int
	began bool
}

type token uint8

const (
	startTag token = iota
	endTag
	text
	endOfFile
)

// maxName is the length of an element's name; those of XML-RPC are shorter.
const maxName = 64

// newScanner reads r, which holds UTF-8 unless label or its own declaration
// says otherwise.
func newScanner(r io.Reader, label string, depth int) (*scanner, error) {
	s := &scanner{r: bufio.NewReaderSize(r, 4096), depth: depth}
	head, _ := s.r.Peek(100) // what fails here fails again below
	declared := encodingOf(head)
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, err := s.r.Discard(3)
		return s, err
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		label = "utf-16be"
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		label = "utf-16le"
	case label == "":
		label = declared
	}
	if label == "" {
		return s, nil
	}
	enc, err := htmlindex.Get(label)
	if err != nil {
		return nil, fmt.Errorf("%w: encoding %.40q", ErrSyntax, label)
	}
	if name, err := htmlindex.Name(enc); err == nil && name == "utf-8" {
		return s, nil
	}
	s.r = bufio.NewReaderSize(enc.NewDecoder().Reader(s.r), 4096)
	if bom, err := s.r.Peek(3); err == nil && string(bom) == "\ufeff" {
		_, _ = s.r.Discard(3) // it was peeked
	}
	return s, nil
}

// encodingOf is what an XML declaration says.
func encodingOf(head []byte) string {
	before, _, ok0 := bytes.Cut(head, []byte("?>"))
	if !bytes.HasPrefix(head, []byte("<?xml")) || !ok0 {
		return ""
	}
	_, rest, ok := bytes.Cut(before, []byte("encoding"))
	rest = bytes.TrimLeft(rest, " \t\r\n=")
	if !ok || len(rest) < 2 {
		return ""
	}
	name, _, ok := bytes.Cut(rest[1:], rest[:1]) // whichever quotation mark
	if !ok {
		return ""
	}
	return string(name)
}

func syntax(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSyntax, fmt.Sprintf(format, args...))
}

// cut is the end of the input where more was to come.
func cut(err error) error {
	if err == io.EOF {
		return syntax("it ends too early")
	}
	return err
}

// next goes to the next piece: kind, and name or text.
func (s *scanner) next() error {
	if s.empty {
		s.empty, s.kind = false, endTag
		s.open = s.open[:len(s.open)-1]
		return nil
	}
	for {
		b, err := s.r.ReadByte()
		if err == io.EOF && len(s.open) == 0 && s.began {
			s.kind = endOfFile
			return nil
		}
		if err != nil {
			return cut(err)
		}
		if b != '<' {
			if err := s.r.UnreadByte(); err != nil {
				return err
			}
			if done, err := s.chars(); done || err != nil {
				return err
			}
			continue
		}
		if done, err := s.markup(); done || err != nil {
			return err
		}
	}
}

// chars takes a piece of text; outside all elements only blanks may be, and
// they are passed over.
func (s *scanner) chars() (bool, error) {
	s.text, s.kind = s.text[:0], text
	for len(s.text) < 1024 {
		b, err := s.r.ReadByte()
		if err == io.EOF && len(s.open) == 0 {
			break
		}
		if err != nil {
			return false, cut(err)
		}
		if b == '<' {
			if err := s.r.UnreadByte(); err != nil {
				return false, err
			}
			break
		}
		switch {
		case b == '&':
			if err := s.reference(); err != nil {
				return false, err
			}
		case b == '\r': // XML 1.0 section 2.11: every line end is LF
			if next, err := s.r.Peek(1); err != nil || next[0] != '\n' {
				s.text = append(s.text, '\n')
			}
		case b < ' ' && b != '\t' && b != '\n':
			return false, syntax("byte %#02x", b)
		case b < utf8.RuneSelf:
			s.text = append(s.text, b)
		default:
			if err := s.r.UnreadByte(); err != nil {
				return false, err
			}
			r, size, err := s.r.ReadRune()
			if err != nil {
				return false, err
			}
			if r == utf8.RuneError && size == 1 || !isChar(r) {
				return false, syntax("not UTF-8")
			}
			s.text = utf8.AppendRune(s.text, r)
		}
	}
	if len(s.open) > 0 {
		return true, nil
	}
	if len(bytes.TrimLeft(s.text, " \t\n")) > 0 {
		return false, syntax("text outside the elements")
	}
	return false, nil
}

// isChar tells the characters of XML (XML 1.0 section 2.2).
func isChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000 && r <= 0x10ffff
}

// reference takes what follows an ampersand.
func (s *scanner) reference() error {
	name, err := s.until(';', 12)
	if err != nil {
		return err
	}
	if digits, ok := bytes.CutPrefix(name, []byte("#")); ok {
		base := 10
		if hex, ok := bytes.CutPrefix(digits, []byte("x")); ok {
			digits, base = hex, 16
		}
		n, err := strconv.ParseUint(string(digits), base, 32)
		if err != nil || !isChar(rune(n)) {
			return syntax("reference &%s;", name)
		}
		s.text = utf8.AppendRune(s.text, rune(n))
		return nil
	}
	switch string(name) {
	case "lt":
		s.text = append(s.text, '<')
	case "gt":
		s.text = append(s.text, '>')
	case "amp":
		s.text = append(s.text, '&')
	case "apos":
		s.text = append(s.text, '\'')
	case "quot":
		s.text = append(s.text, '"')
	default:
		return syntax("entity &%s;", name)
	}
	return nil
}

// until takes bytes up to end, which it drops; most is how many they may be.
func (s *scanner) until(end byte, most int) ([]byte, error) {
	var out []byte
	for {
		b, err := s.r.ReadByte()
		if err != nil {
			return nil, cut(err)
		}
		if b == end {
			return out, nil
		}
		if out = append(out, b); len(out) > most {
			return nil, syntax("%.20q is too long", out)
		}
	}
}

// markup takes what follows a '<'; true: next has something to tell.
func (s *scanner) markup() (bool, error) {
	b, err := s.r.ReadByte()
	if err != nil {
		return false, cut(err)
	}
	switch b {
	case '?':
		return false, s.skip("?>")
	case '!':
		return s.declaration()
	case '/':
		name, err := s.until('>', maxName)
		if err != nil {
			return false, err
		}
		n := len(s.open) - 1
		if n < 0 || s.open[n] != string(bytes.TrimRight(name, " \t\r\n")) {
			return false, syntax("</%s> ends nothing", name)
		}
		s.kind, s.name, s.open = endTag, s.open[n], s.open[:n]
		return true, nil
	}
	if err := s.r.UnreadByte(); err != nil {
		return false, err
	}
	return true, s.start()
}

// declaration takes a comment or CDATA; nothing else may begin with "<!".
func (s *scanner) declaration() (bool, error) {
	for _, d := range []struct {
		begin string
		cdata bool
	}{{"--", false}, {"[CDATA[", true}} {
		if head, err := s.r.Peek(len(d.begin)); err != nil || string(head) != d.begin {
			continue
		}
		if _, err := s.r.Discard(len(d.begin)); err != nil {
			return false, err
		}
		if !d.cdata {
			return false, s.skip("-->")
		}
		if len(s.open) == 0 {
			return false, syntax("text outside the elements")
		}
		return true, s.cdata()
	}
	return false, syntax("a document type")
}

// cdata takes a CDATA section as one piece, bounded as a name is not: it is
// read on as text where it is long.
func (s *scanner) cdata() error {
	s.text, s.kind = s.text[:0], text
	for {
		r, size, err := s.r.ReadRune()
		if err != nil {
			return cut(err)
		}
		if r == utf8.RuneError && size == 1 || !isChar(r) {
			return syntax("not UTF-8")
		}
		s.text = utf8.AppendRune(s.text, r)
		if bytes.HasSuffix(s.text, []byte("]]>")) {
			s.text = s.text[:len(s.text)-3]
			return nil
		}
		if len(s.text) > maxCDATA {
			return fmt.Errorf("%w: a CDATA section", ErrLimit)
		}
	}
}

// maxCDATA is the length of a CDATA section; hardly anybody sends one.
const maxCDATA = 1 << 20

// skip passes over everything up to end.
func (s *scanner) skip(end string) error {
	matched := 0
	for matched < len(end) {
		b, err := s.r.ReadByte()
		if err != nil {
			return cut(err)
		}
		switch {
		case b == end[matched]:
			matched++
		case matched == 2 && b == end[1] && end[0] == end[1]: // "--->"
		case b == end[0]:
			matched = 1
		default:
			matched = 0
		}
	}
	return nil
}

// start takes a start tag and passes over its attributes.
func (s *scanner) start() error {
	if len(s.open) == 0 && s.began {
		return syntax("a second root")
	}
	var name []byte
	for {
		b, err := s.r.ReadByte()
		if err != nil {
			return cut(err)
		}
		if b == '>' || b == '/' || b == ' ' || b == '\t' || b == '\r' || b == '\n' {
			if err := s.r.UnreadByte(); err != nil {
				return err
			}
			break
		}
		if name = append(name, b); len(name) > maxName || b == '<' || b == '&' || b == '=' || b == '"' {
			return syntax("element <%.20s", name)
		}
	}
	if len(name) == 0 {
		return syntax("an element without a name")
	}
	if len(s.open) >= s.depth {
		return fmt.Errorf("%w: nested deeper than %d elements", ErrLimit, s.depth)
	}
	s.kind, s.name, s.began = startTag, string(name), true
	s.open = append(s.open, s.name)
	return s.attributes()
}

func (s *scanner) attributes() error {
	var quote byte
	for range 4096 {
		b, err := s.r.ReadByte()
		if err != nil {
			return cut(err)
		}
		switch {
		case quote != 0:
			if b == quote {
				quote = 0
			}
		case b == '"' || b == '\'':
			quote = b
		case b == '<':
			return syntax("'<' within <%s", s.name)
		case b == '/':
			if b, err = s.r.ReadByte(); err != nil {
				return cut(err)
			}
			if b != '>' {
				return syntax("'/' within <%s", s.name)
			}
			s.empty = true
			return nil
		case b == '>':
			return nil
		}
	}
	return fmt.Errorf("%w: the attributes of <%s", ErrLimit, s.name)
}
