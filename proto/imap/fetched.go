package imap

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/farend-go/farend/proto/imap/internal/token"
)

// Fetched is what an untagged FETCH tells of a message. Which of it is told
// stands in Items, in the order in which it came; the rest is zero.
type Fetched struct {
	Seq          uint32
	Items        []string // names; pieces of the message are in Pieces, in order
	UID          uint32
	Flags        []Flag
	ModSeq       uint64
	InternalDate time.Time
	SaveDate     time.Time // zero: NIL, the server does not know
	Size         int64
	Envelope     *Envelope
	Structure    *BodyStructure // of BODY and of BODYSTRUCTURE
	EmailID      string
	ThreadID     string // "": NIL
	Preview      string
	NoPreview    bool // NIL: none could be made, or not now
	Pieces       []Piece
}

// A Piece is what a FetchItem with a section gives, or one of RFC 3501's
// RFC822, RFC822.HEADER and RFC822.TEXT.
type Piece struct {
	Item    FetchItem // Peek and Partial.Length are not told
	Data    []byte    // nil: there is no such piece
	Size    int64     // of BINARY.SIZE
	Literal int64     // what Next leaves to its caller: so many bytes come on the stream
}

// Has tells whether an item was told.
func (f *Fetched) Has(item string) bool { return slices.Contains(f.Items, item) }

// appendItem writes a piece's name as it stands in an answer.
func appendItem(b []byte, item FetchItem) []byte {
	name, section := strings.CutSuffix(item.Name, "[]")
	b = append(b, name...)
	if section {
		b = item.Section.Append(b)
	}
	if item.Partial != nil {
		b = append(strconv.AppendInt(append(b, '<'), item.Partial.Offset, 10), '>')
	}
	return b
}

// Append writes what follows "n FETCH", with the pieces as literals.
func (f *Fetched) Append(st Style, b []byte) []byte {
	pieces := f.Pieces
	return token.List(b, f.Items, func(b []byte, item string) []byte {
		switch item {
		case BodySection, BinarySection, BinarySize, ItemRFC822, ItemRFC822Header, ItemRFC822Text:
			p := pieces[0]
			pieces = pieces[1:]
			return p.append(b)
		}
		return f.appendValue(st, append(append(b, item...), ' '), item)
	})
}

func (p *Piece) append(b []byte) []byte {
	b = append(appendItem(b, p.Item), ' ')
	switch {
	case p.Item.Name == BinarySize:
		return strconv.AppendInt(b, p.Size, 10)
	case p.Data == nil:
		return append(b, "NIL"...)
	}
	return append(appendHead(b, int64(len(p.Data)), p.Item.Name == BinarySection), p.Data...)
}

// appendHead writes how a literal from a server begins.
func appendHead(b []byte, size int64, binary bool) []byte {
	if binary {
		b = append(b, '~')
	}
	return append(strconv.AppendInt(append(b, '{'), size, 10), "}\r\n"...)
}

func (f *Fetched) appendValue(st Style, b []byte, item string) []byte {
	switch item {
	case ItemUID:
		return strconv.AppendUint(b, uint64(f.UID), 10)
	case ItemFlags:
		return AppendFlags(b, f.Flags)
	case ItemModSeq:
		return append(strconv.AppendUint(append(b, '('), f.ModSeq, 10), ')')
	case ItemInternalDate:
		return AppendTime(b, f.InternalDate)
	case ItemSaveDate:
		if f.SaveDate.IsZero() {
			return append(b, "NIL"...)
		}
		return AppendTime(b, f.SaveDate)
	case ItemSize:
		return strconv.AppendInt(b, f.Size, 10)
	case ItemEnvelope:
		return f.Envelope.Append(st, b)
	case ItemBody, ItemBodyStructure:
		return f.Structure.Append(st, b, item == ItemBodyStructure)
	case ItemEmailID:
		return append(append(append(b, '('), f.EmailID...), ')')
	case ItemThreadID:
		if f.ThreadID == "" {
			return append(b, "NIL"...)
		}
		return append(append(append(b, '('), f.ThreadID...), ')')
	case ItemPreview:
		if f.NoPreview {
			return append(b, "NIL"...)
		}
		return st.String(b, f.Preview)
	}
	return append(b, "NIL"...)
}

// ParseFetched reads what follows "n FETCH"; what nobody knows is passed by.
// The error is ErrSyntax.
func ParseFetched(rest []byte) (*Fetched, error) {
	r := FetchReader{}
	more, err := r.Next(rest)
	if err == nil && more {
		err = ErrSyntax
	}
	if err != nil {
		return nil, err
	}
	return &r.Fetched, nil
}

// A FetchReader reads an untagged FETCH line by line, so that its caller can
// take the literals from the stream. The zero FetchReader is ready.
type FetchReader struct {
	Fetched Fetched
	// Lax passes by the value of an item that cannot be read; Defects say why.
	Lax     bool
	Defects []error
	begun   bool
}

// Next reads a line, at first what follows "n FETCH". more tells that the line
// ended with the head of a literal, whose bytes and whose rest of the line come
// next: the last of the Pieces says how many bytes. The error is ErrSyntax.
func (r *FetchReader) Next(line []byte) (more bool, err error) {
	l := token.New(line)
	f := &r.Fetched
	if !r.begun {
		r.begun = true
		l.Expect('(')
		if l.Take(')') {
			return false, l.End()
		}
	} else if l.Take(')') {
		return false, l.End()
	} else {
		l.SP()
	}
	for l.Err() == nil {
		pos, before := l.Pos(), *f
		open := f.lexItem(l)
		if err := l.Err(); err != nil && r.Lax {
			*f = before
			r.Defects = append(r.Defects, err)
			l.Forgive(pos)
			l.Name()
			l.SP()
			l.Skip()
			open = false
		}
		if open {
			return true, l.Err()
		}
		if l.Take(')') {
			return false, l.End()
		}
		if l.SP(); l.Take(')') { // Exchange writes that
			return false, l.End()
		}
	}
	return false, l.Err()
}

// lexItem reads an item; true: its value is a literal that is not here.
func (f *Fetched) lexItem(l *token.Lexer) (open bool) {
	item := l.Name()
	if l.Peek() == '[' {
		return f.lexPiece(l, FetchItem{Name: item + "[]"})
	}
	l.SP()
	switch item {
	case ItemRFC822, ItemRFC822Header, ItemRFC822Text:
		return f.lexData(l, FetchItem{Name: item})
	case ItemUID:
		f.UID = l.Number()
	case ItemFlags:
		f.Flags = lexFlags(l)
	case ItemModSeq:
		l.Open()
		f.ModSeq = uint64(l.Number64())
		l.Close()
	case ItemInternalDate:
		f.InternalDate = lexTime(l)
	case ItemSaveDate:
		if !l.Nil() {
			f.SaveDate = lexTime(l)
		}
	case ItemSize:
		f.Size = l.Number64()
	case ItemEnvelope:
		f.Envelope = lexEnvelope(l)
	case ItemBody, ItemBodyStructure:
		f.Structure = lexStructure(l)
	case ItemEmailID:
		l.Open()
		f.EmailID = l.Atom()
		l.Close()
	case ItemThreadID:
		if !l.Nil() {
			l.Open()
			f.ThreadID = l.Atom()
			l.Close()
		}
	case ItemPreview:
		var ok bool
		f.Preview, ok = l.NString()
		f.NoPreview = !ok
	default:
		l.Skip()
		return false
	}
	f.Items = append(f.Items, item)
	return false
}

func (f *Fetched) lexPiece(l *token.Lexer, item FetchItem) (open bool) {
	switch item.Name {
	case BodySection, BinarySection, BinarySize:
	default:
		l.Fail("BODY, BINARY or BINARY.SIZE")
	}
	item.Section = lexSection(l, item.Name != BodySection)
	if l.Take('<') {
		item.Partial = &Partial{Offset: l.Number64()}
		l.Expect('>')
	}
	l.SP()
	if item.Name != BinarySize {
		return f.lexData(l, item)
	}
	f.Items = append(f.Items, item.Name)
	f.Pieces = append(f.Pieces, Piece{Item: item, Size: l.Number64()})
	return false
}

func (f *Fetched) lexData(l *token.Lexer, item FetchItem) (open bool) {
	p := Piece{Item: item}
	if h, last := l.Head(); last {
		p.Literal, open = h.Size, true
	} else if s, ok := l.NString(); ok {
		p.Data = []byte(s)
	}
	f.Items = append(f.Items, item.Name)
	f.Pieces = append(f.Pieces, p)
	return open
}
