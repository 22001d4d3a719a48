package imap

import (
	"slices"
	"strconv"
	"strings"

	"github.com/farend-go/farend/proto/imap/internal/token"
)

// Names of what FETCH asks for and gives. BodySection, BinarySection and
// BinarySize have a Section.
const (
	ItemUID           = "UID"
	ItemFlags         = "FLAGS"
	ItemInternalDate  = "INTERNALDATE"
	ItemSize          = "RFC822.SIZE"
	ItemEnvelope      = "ENVELOPE"
	ItemBody          = "BODY" // the structure without extension data
	ItemBodyStructure = "BODYSTRUCTURE"
	ItemRFC822        = "RFC822" // RFC 3501: as BODY[], and so on
	ItemRFC822Header  = "RFC822.HEADER"
	ItemRFC822Text    = "RFC822.TEXT"
	ItemModSeq        = "MODSEQ"   // RFC 7162
	ItemSaveDate      = "SAVEDATE" // RFC 8514
	ItemEmailID       = "EMAILID"  // RFC 8474
	ItemThreadID      = "THREADID" // RFC 8474
	ItemPreview       = "PREVIEW"  // RFC 8970
	BodySection       = "BODY[]"
	BinarySection     = "BINARY[]"
	BinarySize        = "BINARY.SIZE[]"
)

var plainItems = []string{
	ItemUID, ItemFlags, ItemInternalDate, ItemSize, ItemEnvelope, ItemBody, ItemBodyStructure, ItemRFC822,
	ItemRFC822Header, ItemRFC822Text, ItemModSeq, ItemSaveDate, ItemEmailID, ItemThreadID, ItemPreview,
}

// A FetchItem is one thing that FETCH asks for.
type FetchItem struct {
	Name    string
	Section Section // of those whose name ends in "[]"
	Peek    bool    // BODY.PEEK[...], BINARY.PEEK[...]: \Seen stays as it is
	Partial *Partial
	Lazy    bool // PREVIEW (LAZY)
}

// A Section is a piece of a message: a part, or text of a part.
type Section struct {
	Part   []int    // 2.1; nil: the message
	Text   string   // "", HEADER, HEADER.FIELDS, HEADER.FIELDS.NOT, TEXT, MIME
	Fields []string // of the two HEADER.FIELDS
}

// Partial asks for Length octets from Offset. In an answer Length is not told.
type Partial struct{ Offset, Length int64 }

// Fetch is the arguments of FETCH and UID FETCH.
type Fetch struct {
	Where        Where
	Items        []FetchItem // FAST, ALL and FULL stand for several
	ChangedSince uint64      // only messages changed after it (RFC 7162); 0: all
	Vanished     bool        // and which are gone (RFC 7162)
	Page         *Page       // only some of them (RFC 9394)
}

// A Page is some of the results of a search or fetch (RFC 9394): the First-th
// to the Last-th; negative numbers count from the end.
type Page struct{ First, Last int64 }

// Append writes the section with its brackets.
func (s Section) Append(b []byte) []byte {
	b = append(b, '[')
	for i, n := range s.Part {
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	if s.Text != "" {
		if len(s.Part) > 0 {
			b = append(b, '.')
		}
		b = append(b, s.Text...)
	}
	if s.hasFields() {
		b = token.List(append(b, ' '), s.Fields, Style(0).AString)
	}
	return append(b, ']')
}

func (s Section) hasFields() bool { return s.Text == "HEADER.FIELDS" || s.Text == "HEADER.FIELDS.NOT" }

// lexSection reads a section; binary: only a part.
func lexSection(l *token.Lexer, binary bool) Section {
	var s Section
	l.Expect('[')
	for c := l.Peek(); c >= '1' && c <= '9'; c = l.Peek() {
		s.Part = append(s.Part, int(l.Digits(1<<31-1)))
		if len(s.Part) > token.Depth {
			l.Fail("fewer levels")
		}
		if !l.Take('.') {
			l.Expect(']')
			return s
		}
		if c := l.Peek(); c == ']' {
			l.Fail("a part")
		}
	}
	if !binary && l.Peek() != ']' {
		s.lexText(l)
	}
	l.Expect(']')
	return s
}

func (s *Section) lexText(l *token.Lexer) {
	start := l.Rest()
	for c := l.Peek(); c != ']' && c != ' ' && l.More(); c = l.Peek() {
		l.Take(c)
	}
	s.Text = strings.ToUpper(string(start[:len(start)-len(l.Rest())]))
	switch s.Text {
	case "HEADER", "TEXT":
	case "HEADER.FIELDS", "HEADER.FIELDS.NOT":
		l.SP()
		l.List(func() { s.Fields = append(s.Fields, l.AString()) })
		if len(s.Fields) == 0 {
			l.Fail("a field's name")
		}
	case "MIME":
		if len(s.Part) == 0 {
			l.Fail("a part's number")
		}
	default:
		l.Fail("HEADER, TEXT or MIME")
	}
}

// Append writes the item as a request.
func (f FetchItem) Append(b []byte) []byte {
	if name, ok := strings.CutSuffix(f.Name, "[]"); ok {
		b = append(b, name...)
		if f.Peek {
			b = append(b, ".PEEK"...)
		}
		b = f.Section.Append(b)
	} else {
		b = append(b, f.Name...)
	}
	if p := f.Partial; p != nil {
		b = strconv.AppendInt(append(b, '<'), p.Offset, 10)
		b = append(strconv.AppendInt(append(b, '.'), p.Length, 10), '>')
	}
	if f.Lazy {
		b = append(b, " (LAZY)"...)
	}
	return b
}

// ParseFetchItem reads one item. The error is ErrSyntax.
func ParseFetchItem(text string) (FetchItem, error) {
	l := token.New([]byte(text))
	f := lexFetchItem(l)
	return f, l.End()
}

func lexFetchItem(l *token.Lexer) FetchItem {
	f := FetchItem{Name: l.Name()}
	if l.Peek() == '[' {
		f.Name, f.Peek = strings.CutSuffix(f.Name, ".PEEK")
		f.Name += "[]"
		switch {
		case f.Name == BodySection:
		case f.Name == BinarySection, f.Name == BinarySize && !f.Peek:
		default:
			l.Fail("BODY, BINARY or BINARY.SIZE")
		}
		f.Section = lexSection(l, f.Name != BodySection)
		if f.Name != BinarySize && l.Take('<') {
			f.Partial = &Partial{Offset: l.Number64()}
			l.Expect('.')
			if f.Partial.Length = l.Number64(); f.Partial.Length == 0 {
				l.Fail("a length above 0")
			}
			l.Expect('>')
		}
		return f
	}
	if !slices.Contains(plainItems, f.Name) {
		l.Fail("a data item")
	}
	if f.Name == ItemPreview && strings.HasPrefix(string(l.Rest()), " (") {
		l.SP()
		l.List(func() {
			if l.Name() != "LAZY" {
				l.Fail("LAZY")
			}
			f.Lazy = true
		})
	}
	return f
}

var macros = map[string][]string{
	"FAST": {ItemFlags, ItemInternalDate, ItemSize},
	"ALL":  {ItemFlags, ItemInternalDate, ItemSize, ItemEnvelope},
	"FULL": {ItemFlags, ItemInternalDate, ItemSize, ItemEnvelope, ItemBody},
}

// Append writes the arguments.
func (f Fetch) Append(b []byte) []byte {
	b = append(f.Where.Append(b), ' ')
	b = token.List(b, f.Items, func(b []byte, i FetchItem) []byte { return i.Append(b) })
	if f.ChangedSince == 0 && !f.Vanished && f.Page == nil {
		return b
	}
	b = append(b, " ("...)
	if f.ChangedSince > 0 {
		b = strconv.AppendUint(append(b, "CHANGEDSINCE "...), f.ChangedSince, 10)
	}
	if f.Vanished {
		b = append(b, " VANISHED"...)
	}
	if f.Page != nil {
		if b[len(b)-1] != '(' {
			b = append(b, ' ')
		}
		b = f.Page.Append(append(b, "PARTIAL "...))
	}
	return append(b, ')')
}

// ParseFetch reads the arguments of FETCH, or of UID FETCH. The error is
// ErrSyntax.
func ParseFetch(args []byte, uid bool) (Fetch, error) {
	l := token.New(args)
	f := Fetch{Where: lexWhere(l, uid)}
	l.SP()
	switch {
	case l.Peek() == '(':
		l.List(func() { f.Items = append(f.Items, lexFetchItem(l)) })
		if len(f.Items) == 0 {
			l.Fail("a data item")
		}
	case l.TakeWord("FAST"):
		f.macro("FAST")
	case l.TakeWord("ALL"):
		f.macro("ALL")
	case l.TakeWord("FULL"):
		f.macro("FULL")
	default:
		f.Items = []FetchItem{lexFetchItem(l)}
	}
	if l.Take(' ') {
		l.List(func() { f.lexModifier(l) })
	}
	if f.Vanished && (!uid || f.ChangedSince == 0) { // RFC 7162 section 3.2.6
		l.Fail("UID FETCH and CHANGEDSINCE with VANISHED")
	}
	return f, l.End()
}

func (f *Fetch) macro(name string) {
	for _, item := range macros[name] {
		f.Items = append(f.Items, FetchItem{Name: item})
	}
}

func (f *Fetch) lexModifier(l *token.Lexer) {
	switch l.Name() {
	case "CHANGEDSINCE":
		l.SP()
		if f.ChangedSince = uint64(l.Number64()); f.ChangedSince == 0 {
			l.Fail("a modification sequence above 0")
		}
	case "VANISHED":
		f.Vanished = true
	case "PARTIAL":
		l.SP()
		f.Page = lexPage(l)
	default:
		l.Fail("CHANGEDSINCE, VANISHED or PARTIAL")
	}
}

// Append writes the page.
func (p Page) Append(b []byte) []byte {
	b = strconv.AppendInt(b, p.First, 10)
	return strconv.AppendInt(append(b, ':'), p.Last, 10)
}

func lexPage(l *token.Lexer) *Page {
	neg := l.Take('-')
	number := func() int64 {
		n := int64(l.Positive())
		if neg {
			return -n
		}
		return n
	}
	p := &Page{First: number()}
	l.Expect(':')
	if neg {
		l.Expect('-')
	}
	p.Last = number()
	if abs(p.First) > abs(p.Last) { // RFC 9394: either order
		p.First, p.Last = p.Last, p.First
	}
	return p
}

func abs(n int64) int64 { return max(n, -n) }

// of gives the numbers of a set in order that are on the page.
func (p *Page) of(s Set) Set {
	total := int64(s.Count())
	first, last := p.First, p.Last
	if first < 0 {
		first, last = total+last+1, total+first+1
	}
	first, last = max(first, 1), min(last, total)
	var out Set
	at := int64(1) // which one the range's first is
	for _, r := range s {
		n := int64(r.Last-r.First) + 1
		from, to := max(first, at), min(last, at+n-1)
		if from <= to {
			out = append(out, Range{r.First + uint32(from-at), r.First + uint32(to-at)})
		}
		at += n
	}
	return out
}
