package imap

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
)

// selected is the mailbox that a session has open.
type selected struct {
	box      Mailbox
	name     string
	readOnly bool
	*view
	modseq   uint64 // up to which the client has been told
	gone     Set    // removed, and the client has not been told yet
	keywords []Flag
	fixed    bool   // no new keywords
	stored   Stored // what this session's last STORE did and told
	recent   Set    // messages of which this session was told first
}

func (s *session) select_(ctx context.Context, c Command) (Status, error) {
	return s.open(ctx, c, false)
}

func (s *session) examine(ctx context.Context, c Command) (Status, error) {
	return s.open(ctx, c, true)
}

// open is SELECT and EXAMINE (RFC 9051 section 6.3.2, RFC 7162 section 3.2.5).
func (s *session) open(ctx context.Context, c Command, readOnly bool) (Status, error) {
	sel, err := ParseSelect(c.Args, s.utf8())
	if err != nil {
		return Status{}, err
	}
	if sel.QResync != nil && !s.enabled.qresync {
		return Status{Kind: BAD, Text: "ENABLE QRESYNC comes first"}, nil
	}
	if s.box != nil {
		if err := s.unselect(); err != nil {
			return Status{}, err
		}
		s.untagged(Status{OK, Code{Name: "CLOSED"}, "Previous mailbox closed"})
	}
	s.enabled.condstore = s.enabled.condstore || sel.CondStore
	box, err := s.account.Open(ctx, sel.Name, readOnly)
	if err != nil {
		return Status{}, err
	}
	state, err := box.State(ctx)
	if err != nil {
		_ = box.Close() // nothing was done with it
		return Status{}, err
	}
	s.box = &selected{
		box: box, name: sel.Name, readOnly: readOnly || state.ReadOnly, view: newView(state.UIDs),
		modseq: state.ModSeq, keywords: state.Keywords, fixed: state.NoKeywords,
	}
	s.claim(ctx)
	s.describe(state)
	if q := sel.QResync; q != nil && q.UIDValidity == state.UIDValidity {
		if err := s.resync(ctx, q, state); err != nil {
			return Status{}, err
		}
	}
	if s.box.readOnly {
		return Status{Code: Code{Name: CodeReadOnly}}, nil
	}
	return Status{Code: Code{Name: "READ-WRITE"}}, nil
}

// describe writes what a client must know of a mailbox (RFC 9051 section
// 6.3.2).
func (s *session) describe(state State) {
	b := s.box
	s.number(b.count(), "EXISTS")
	if !s.enabled.rev2 {
		s.number(uint32(b.recent.Count()), "RECENT")
		if seq := b.seq(state.FirstUnseen); seq > 0 {
			s.okCode("UNSEEN", uint64(seq))
		}
	}
	s.okCode("UIDVALIDITY", uint64(state.UIDValidity))
	s.okCode("UIDNEXT", uint64(state.UIDNext))
	s.flagList()
	s.okCode("HIGHESTMODSEQ", state.ModSeq)
	if state.ID != "" {
		s.untagged(Status{OK, Code{"MAILBOXID", "(" + state.ID + ")"}, "OK"})
	}
	if s.enabled.rev2 {
		s.response("LIST", func(out []byte) []byte {
			return ListReply{Delimiter: "/", Name: b.name}.Append(s.style(), out)
		})
	}
}

// flagList tells which flags there are.
func (s *session) flagList() {
	b := s.box
	known := append(system[:len(system):len(system)], b.keywords...)
	s.response("FLAGS", func(out []byte) []byte { return AppendFlags(out, known) })
	switch {
	case b.readOnly:
		known = nil
	case !b.fixed:
		known = append(known, AnyFlag)
	}
	s.untagged(Status{OK, Code{"PERMANENTFLAGS", string(AppendFlags(nil, known))}, "Flags that stay"})
}

// number writes "* n NAME".
func (s *session) number(n uint32, name string) {
	s.line("* ", func(b []byte) []byte {
		return append(append(strconv.AppendUint(b, uint64(n), 10), ' '), name...)
	})
}

// okCode writes "* OK [NAME n]".
func (s *session) okCode(name string, n uint64) {
	s.untagged(Status{OK, Code{name, strconv.FormatUint(n, 10)}, "OK"})
}

// resync tells what became different since the client last was here (RFC 7162
// section 3.2.5).
func (s *session) resync(ctx context.Context, q *QResync, state State) error {
	ch, err := s.box.box.Changes(ctx, q.ModSeq)
	if err != nil {
		return err
	}
	known := Set{everything}
	if len(q.Known) > 0 {
		known = q.Known.Resolve(0)
	}
	if state.UIDNext > 1 {
		known = known.Intersect(Set{{1, state.UIDNext - 1}})
	}
	if gone := ch.Gone.Intersect(known).Minus(s.box.all()); len(gone) > 0 {
		s.response("VANISHED", Vanished{Earlier: true, UIDs: gone}.Append)
	}
	return s.tellFlags(ctx, s.box.within(ch.Changed.Intersect(known)), true)
}

// unselect closes the mailbox, if one is open.
func (s *session) unselect() error {
	s.saved = nil
	if s.box == nil {
		return nil
	}
	box := s.box.box
	s.box = nil
	return box.Close()
}

// unselect_ leaves the mailbox (RFC 9051 section 6.4.2).
func (s *session) unselect_(context.Context, Command) (Status, error) {
	return Status{}, s.unselect()
}

// close removes what is \Deleted, without a word, and leaves the mailbox (RFC
// 9051 section 6.4.1).
func (s *session) close(ctx context.Context, _ Command) (Status, error) {
	if !s.box.readOnly {
		if _, err := s.box.box.Expunge(ctx, s.box.all()); err != nil {
			return Status{}, err
		}
	}
	return Status{}, s.unselect()
}

// sync tells what became different since the client last was told. Where its
// sequence numbers may not change, messages that are gone stay in its view.
func (s *session) sync(ctx context.Context, expunge bool) error {
	b := s.box
	ch, err := b.box.Changes(ctx, b.modseq)
	if err != nil {
		if errors.Is(err, ErrNonExistent) {
			s.untagged(Status{BYE, ErrNonExistent.Code, "The mailbox is no more"})
			return io.EOF
		}
		s.complain(ctx, err)
		return nil
	}
	b.modseq = max(ch.ModSeq, b.modseq)
	b.gone = b.gone.Union(b.within(ch.Gone))
	if expunge && len(b.gone) > 0 {
		s.tellGone()
	}
	old := b.largest()
	fresh := ch.Changed.Minus(Set{{0, old}})
	if b.add(fresh) {
		s.claim(ctx)
		s.number(b.count(), "EXISTS")
		if !s.enabled.rev2 {
			s.number(uint32(b.recent.Count()), "RECENT")
		}
		if err := s.tellNew(ctx, b.within(fresh)); err != nil {
			return err
		}
	}
	changed := b.within(ch.Changed.Minus(fresh)).Minus(b.gone)
	return s.tellFlags(ctx, changed, false)
}

// claim finds out which messages nobody was told of before.
func (s *session) claim(ctx context.Context) {
	b := s.box
	c, ok := b.box.(Claimer)
	if !ok {
		return
	}
	last := b.largest()
	first, err := c.Claim(ctx, last, b.readOnly)
	if err != nil {
		s.complain(ctx, err)
		return
	}
	if first > 0 && first <= last {
		b.recent = b.recent.Union(b.within(Set{{first, last}}))
	}
}

// flags are those of a message in this session.
func (s *session) flags(m *Info) []Flag {
	if s.enabled.rev2 || !s.box.recent.Contains(m.UID) {
		return m.Flags
	}
	return append(slices.Clip(m.Flags), Recent)
}

// tellGone tells of removed messages and takes them out of the view.
func (s *session) tellGone() {
	b := s.box
	gone := b.gone
	b.gone = nil
	s.saved, b.recent = s.saved.Minus(gone), b.recent.Minus(gone)
	if s.enabled.qresync {
		s.response("VANISHED", Vanished{UIDs: gone}.Append)
		b.remove(gone, nil)
		return
	}
	b.remove(gone, func(seq uint32) { s.number(seq, "EXPUNGE") })
}

// tellFlags writes a FETCH with the flags of each of the messages, but for what
// this session changed and told itself.
func (s *session) tellFlags(ctx context.Context, uids Set, all bool) error {
	if len(uids) == 0 {
		return nil
	}
	b := s.box
	for m, err := range b.box.Messages(ctx, uids) {
		if err != nil {
			s.complain(ctx, err)
			return nil
		}
		if !all && m.ModSeq == b.stored.ModSeq && b.stored.Changed.Contains(m.UID) {
			continue
		}
		s.tellFlag(m, s.enabled.qresync || s.enabled.rev2 || all)
	}
	return nil
}

// tellFlag writes a FETCH with a message's flags, and what keeps a client in
// step with them.
func (s *session) tellFlag(m Info, uid bool) {
	s.learn(m.Flags)
	f := Fetched{UID: m.UID, Flags: s.flags(&m), ModSeq: m.ModSeq}
	if uid {
		f.Items = append(f.Items, ItemUID)
	}
	f.Items = append(f.Items, ItemFlags)
	if s.enabled.condstore {
		f.Items = append(f.Items, ItemModSeq)
	}
	s.fetched(m.UID, &f)
}

// fetched writes an untagged FETCH that has no pieces.
func (s *session) fetched(uid uint32, f *Fetched) {
	s.line("* ", func(b []byte) []byte {
		b = strconv.AppendUint(b, uint64(s.box.seq(uid)), 10)
		return f.Append(s.style(), append(b, " FETCH "...))
	})
}

// learn tells of keywords that nobody has seen before.
func (s *session) learn(flags []Flag) {
	b := s.box
	known := len(b.keywords)
	for _, f := range flags {
		if !strings.HasPrefix(string(f), `\`) && !HasFlag(b.keywords, f) {
			b.keywords = append(slices.Clip(b.keywords), f)
		}
	}
	if len(b.keywords) > known {
		s.flagList()
	}
}

// resolve gives the UIDs that a command is about, of those in the view.
func (s *session) resolve(w Where) (Set, error) {
	b := s.box
	switch {
	case w.Saved:
		return b.within(s.saved), nil
	case w.UID:
		return b.within(w.Set.Resolve(b.largest())), nil
	}
	seqs := w.Set.Resolve(b.count())
	if seqs.Largest() > b.count() {
		return nil, Status{Kind: BAD, Text: "There is no message with this number"}
	}
	return b.uids(seqs), nil
}

// idle_ begins to wait for news (RFC 9051 section 6.3.13, RFC 2177): Push tells
// them. Meanwhile only DONE is heard, and no goroutine waits.
func (s *session) idle_(_ context.Context, c Command) (Status, error) {
	s.write([]byte("+ Waiting for news\r\n"))
	s.idle, s.buf = c.Tag, nil // it may be long
	if s.box != nil {
		s.watch = s.box.box.Watch(s.talk.Wake)
	}
	return Status{}, nil
}

// done ends IDLE.
func (s *session) done() error {
	line, err := s.readLine()
	tag := s.idle
	if f, ok := errors.AsType[*fault](err); ok {
		s.idle = ""
		s.unwatch()
		return s.fault(&fault{tag, f.text})
	}
	if err != nil {
		return err
	}
	s.idle = ""
	s.unwatch()
	if !strings.EqualFold(string(line), "DONE") {
		return s.fault(&fault{tag, "DONE expected"})
	}
	s.line(tag+" ", Status{Kind: OK, Text: "IDLE completed"}.Append)
	return nil
}
