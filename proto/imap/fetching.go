package imap

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strconv"

	"github.com/farend-go/farend/message"
	"github.com/farend-go/farend/wire"
)

// fetching is one FETCH command.
type fetching struct {
	*session
	ctx   context.Context
	items []FetchItem
	opens bool   // an item wants the message opened
	seen  Set    // these got \Seen by this command
	out   []byte // what is told, gathered to be written at once
	begun bool   // of the message at hand some was written
}

// gathered is how much is told before it is written.
const gathered = wire.Large / 2

// fetch is FETCH and UID FETCH (RFC 9051 section 6.4.5, RFC 7162 section 3.1.4).
func (s *session) fetch(ctx context.Context, c Command) (Status, error) {
	cmd, err := ParseFetch(c.Args, c.UID)
	if err != nil {
		return Status{}, err
	}
	if cmd.Vanished && !s.enabled.qresync {
		return Status{Kind: BAD, Text: "ENABLE QRESYNC comes first"}, nil
	}
	uids, err := s.resolve(cmd.Where)
	if err != nil {
		return Status{}, err
	}
	f := s.fetching(ctx, &cmd)
	defer f.end()
	if cmd.ChangedSince > 0 {
		ch, err := s.box.box.Changes(ctx, cmd.ChangedSince)
		if err != nil {
			return Status{}, err
		}
		if cmd.Vanished {
			asked := cmd.Where.Set.Resolve(max(s.box.largest(), ch.Gone.Largest())) // the last one may have gone
			if gone := ch.Gone.Intersect(asked).Minus(s.box.all()); len(gone) > 0 {
				s.response("VANISHED", Vanished{Earlier: true, UIDs: gone}.Append)
			}
		}
		uids = uids.Intersect(ch.Changed)
	}
	if cmd.Page != nil {
		uids = cmd.Page.of(uids)
	}
	if err := f.markSeen(uids); err != nil {
		return Status{}, err
	}
	told := 0
	for m, err := range s.box.box.Messages(ctx, uids) {
		if err == nil {
			err = f.message(m)
		}
		if errors.Is(err, ErrGone) {
			continue
		}
		if err != nil {
			return Status{}, err
		}
		told++
	}
	if told < uids.Count() && !c.UID { // RFC 2180 section 4.1.2, RFC 5530
		return Status{}, ErrGone
	}
	return Status{}, nil
}

// fetching begins a FETCH, which end ends.
func (s *session) fetching(ctx context.Context, cmd *Fetch) *fetching {
	f := &fetching{session: s, ctx: ctx, items: s.plan(cmd), out: wire.Get(wire.Large)[:0]}
	f.opens = slices.ContainsFunc(f.items, func(i FetchItem) bool {
		switch i.Name {
		case ItemUID, ItemFlags, ItemInternalDate, ItemSize, ItemModSeq, ItemSaveDate, ItemEmailID, ItemThreadID:
			return false
		}
		return true
	})
	return f
}

// plan is what is to be told of each message.
func (s *session) plan(cmd *Fetch) []FetchItem {
	asked := func(name string) bool {
		return slices.ContainsFunc(cmd.Items, func(i FetchItem) bool { return i.Name == name })
	}
	items := cmd.Items
	if (cmd.Where.UID || s.enabled.qresync) && !asked(ItemUID) {
		items = append([]FetchItem{{Name: ItemUID}}, items...)
	}
	if asked(ItemModSeq) || cmd.ChangedSince > 0 {
		s.enabled.condstore = true
	}
	if cmd.ChangedSince > 0 && !asked(ItemModSeq) || s.enabled.condstore && asked(ItemFlags) && !asked(ItemModSeq) {
		items = append(slices.Clip(items), FetchItem{Name: ItemModSeq})
	}
	return items
}

// markSeen sets \Seen where a piece of the message is asked for without PEEK.
func (f *fetching) markSeen(uids Set) error {
	looks := slices.ContainsFunc(f.items, func(i FetchItem) bool {
		switch i.Name {
		case BodySection, BinarySection:
			return !i.Peek
		case ItemRFC822, ItemRFC822Text:
			return true
		}
		return false
	})
	if !looks || f.box.readOnly || len(uids) == 0 {
		return nil
	}
	stored, err := f.box.box.Store(f.ctx, uids, Add, []Flag{Seen}, nil)
	if err != nil {
		return err
	}
	f.seen = stored.Changed
	f.box.stored = stored
	return nil
}

// message writes the FETCH of one message.
func (f *fetching) message(m Info) error {
	var msg Message
	var root *message.Part
	if f.opens {
		var err error
		if msg, err = f.box.box.Message(f.ctx, m.UID); err != nil {
			return err
		}
		defer msg.Close()
		if root, err = msg.Structure(f.ctx); err != nil {
			return err
		}
	}
	f.learn(m.Flags)
	f.begun = false
	start := len(f.out)
	b := append(f.out, "* "...)
	b = append(strconv.AppendUint(b, uint64(f.box.seq(m.UID)), 10), " FETCH ("...)
	items := f.items
	if f.seen.Contains(m.UID) && !slices.ContainsFunc(items, func(i FetchItem) bool { return i.Name == ItemFlags }) {
		items = append(slices.Clip(items), FetchItem{Name: ItemFlags})
		if f.enabled.condstore {
			items = append(items, FetchItem{Name: ItemModSeq})
		}
	}
	known := Fetched{
		UID: m.UID, Flags: f.flags(&m), ModSeq: m.ModSeq, InternalDate: m.InternalDate, SaveDate: m.SaveDate,
		Size: m.Size, EmailID: m.EmailID, ThreadID: m.ThreadID,
	}
	for i, item := range items {
		if i > 0 {
			b = append(b, ' ')
		}
		var err error
		if b, err = f.item(b, item, &known, msg, root); err != nil && f.begun {
			return &ending{err}
		} else if err != nil {
			f.out = f.out[:start]
			return err
		}
	}
	if f.out = append(b, ")\r\n"...); len(f.out) >= gathered {
		_, err := f.talk.W.Write(f.out)
		f.out = f.out[:0]
		return broken(err)
	}
	return nil
}

// end writes what is left and gives the storage back.
func (f *fetching) end() {
	f.write(f.out)
	wire.Put(f.out)
}

// item writes an item. Large pieces go out at once, behind what b holds; then
// what is given back is what comes behind.
func (f *fetching) item(b []byte, item FetchItem, known *Fetched, msg Message, root *message.Part) ([]byte, error) {
	switch item.Name {
	case BodySection, BinarySection, BinarySize:
		return f.piece(b, item, msg, root)
	case ItemRFC822, ItemRFC822Header, ItemRFC822Text:
		return f.piece(b, item, msg, root)
	case ItemEnvelope:
		known.Envelope = envelopeOf(root.Envelope)
	case ItemBody, ItemBodyStructure:
		known.Structure = structureOf(root)
	case ItemPreview:
		preview, err := root.Preview(msg)
		if err != nil {
			return b, err
		}
		known.Preview = preview
	}
	return known.appendValue(f.style(), append(append(b, item.Name...), ' '), item.Name), nil
}

// source is a piece of a message that can be read.
type source struct {
	size int64
	r    io.Reader
}

// skip passes by n bytes.
func (s *source) skip(n int64) error {
	if seeker, ok := s.r.(io.Seeker); ok {
		_, err := seeker.Seek(n, io.SeekCurrent)
		return err
	}
	_, err := io.CopyN(io.Discard, s.r, n)
	return err
}

// piece writes a piece of the message.
func (f *fetching) piece(b []byte, item FetchItem, msg Message, root *message.Part) ([]byte, error) {
	src, err := f.source(item, msg, root)
	if err != nil {
		return b, err
	}
	b = append(appendItem(b, item), ' ')
	switch {
	case item.Name == BinarySize && src == nil: // RFC 9051 section 9 has no NIL for it
		return append(b, '0'), nil
	case item.Name == BinarySize:
		return strconv.AppendInt(b, src.size, 10), nil
	case src == nil:
		return append(b, "NIL"...), nil
	}
	if p := item.Partial; p != nil {
		skip := min(p.Offset, src.size)
		if err := src.skip(skip); err != nil {
			return b, err
		}
		src.size = min(src.size-skip, p.Length)
	}
	b = appendHead(b, src.size, item.Name == BinarySection)
	if n := len(b); src.size <= int64(cap(b)-n) {
		b = b[:n+int(src.size)]
		_, err := io.ReadFull(src.r, b[n:])
		return b, err
	}
	return f.stream(b, src)
}

// stream sends b and then a piece, without holding it.
func (f *fetching) stream(b []byte, src *source) ([]byte, error) {
	f.begun, f.out = true, f.out[:0] // b has it
	if _, err := f.talk.W.Write(b); err != nil {
		return nil, err
	}
	p := wire.Get(wire.Large)
	defer wire.Put(p)
	for left := src.size; left > 0; {
		n, err := io.ReadFull(src.r, p[:min(left, int64(len(p)))])
		if err == nil {
			_, err = f.talk.W.Write(p[:n])
		}
		if err == nil {
			err = f.ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		left -= int64(n)
	}
	return b[:0], nil
}

// errEncoding is a piece that cannot be decoded (RFC 3516 section 4.3).
var errEncoding = Status{NO, Code{Name: CodeUnknownCTE}, "Unknown content transfer encoding"}

// source finds a piece; nil: there is none.
func (f *fetching) source(item FetchItem, msg Message, root *message.Part) (*source, error) {
	section := item.Section
	switch item.Name {
	case BinarySection, BinarySize:
		if len(section.Part) > 0 {
			return decoded(section.Part, msg, root)
		}
	case ItemRFC822Header:
		section.Text = "HEADER"
	case ItemRFC822Text:
		section.Text = "TEXT"
	}
	what := message.Whole
	switch section.Text {
	case "HEADER", "HEADER.FIELDS", "HEADER.FIELDS.NOT":
		what = message.Head
	case "TEXT":
		what = message.Text
	case "MIME":
		what = message.MIME
	}
	from, to, ok := root.Range(section.Part, what)
	if !ok {
		return nil, nil
	}
	src := &source{to - from, io.NewSectionReader(msg, from, to-from)}
	if !section.hasFields() {
		return src, nil
	}
	header, err := io.ReadAll(io.LimitReader(src.r, maxHeader))
	if err != nil {
		return nil, err
	}
	fields := message.SelectFields(nil, header, section.Fields, section.Text == "HEADER.FIELDS.NOT")
	return &source{int64(len(fields)), bytes.NewReader(fields)}, nil
}

// maxHeader is how much of a header is looked through for fields.
const maxHeader = 4 << 20

// decoded is a part without its transfer encoding (RFC 3516).
func decoded(path []int, msg Message, root *message.Part) (*source, error) {
	part, ok := root.Find(path)
	if !ok {
		return nil, nil
	}
	if slices.ContainsFunc(part.Defects, func(d message.Defect) bool { return d.Kind == message.UnknownContentTransferEncoding }) {
		return nil, errEncoding
	}
	size, err := io.Copy(io.Discard, part.Decode(msg))
	return &source{size, part.Decode(msg)}, err
}
