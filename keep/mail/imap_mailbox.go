package mail

import (
	"context"
	"iter"
	"strings"

	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/message"
	"github.com/farend-go/farend/proto/imap"
)

// opened is a mailbox that a session has open.
type opened struct {
	p        *Post
	m        *mailbox.Mailbox
	readOnly bool
	told     mailbox.Message // the last that Messages told of: mostly the next to be opened
}

func (o *opened) State(ctx context.Context) (imap.State, error) {
	st, err := o.m.State(ctx)
	if err != nil {
		return imap.State{}, imapError(err)
	}
	out := imap.State{
		UIDs: toIMAP(st.UIDs), UIDValidity: st.UIDValidity, UIDNext: st.UIDNext, ModSeq: st.ModSeq,
		FirstUnseen: st.FirstUnseen, NoKeywords: st.NoKeywords, ID: st.ID,
	}
	for _, k := range st.Keywords {
		out.Keywords = append(out.Keywords, imap.Flag(k))
	}
	return out, nil
}

func (o *opened) Changes(ctx context.Context, since uint64) (imap.Changes, error) {
	c, err := o.m.Changes(ctx, since)
	if err != nil {
		return imap.Changes{}, imapError(err)
	}
	return imap.Changes{ModSeq: c.Status.ModSeq, Changed: toIMAP(c.Changed), Gone: toIMAP(c.Gone)}, nil
}

func (o *opened) Messages(ctx context.Context, uids imap.Set) iter.Seq2[imap.Info, error] {
	return func(yield func(imap.Info, error) bool) {
		var flags []imap.Flag
		for m, err := range o.m.Messages(ctx, fromIMAP(uids)) {
			if err != nil {
				yield(imap.Info{}, imapError(err))
				return
			}
			o.told = m
			flags = appendFlags(flags[:0], m.Flags, m.Keywords)
			if !yield(imap.Info{
				UID: m.UID, ModSeq: m.ModSeq, Flags: flags, Size: m.Size, InternalDate: m.Date, SaveDate: m.Saved, EmailID: m.ID(),
			}, nil) {
				return
			}
		}
	}
}

func (o *opened) Message(ctx context.Context, uid uint32) (imap.Message, error) {
	m := o.told
	if m.UID != uid {
		var err error
		if m, err = o.m.Message(ctx, uid); err != nil {
			return nil, imapError(err)
		}
	}
	c, err := o.m.Open(ctx, m)
	if err != nil {
		return nil, imapError(err)
	}
	return &content{Content: c}, nil
}

func (o *opened) Store(ctx context.Context, uids imap.Set, op imap.Op, flags []imap.Flag, unchangedSince *uint64) (imap.Stored, error) {
	if o.readOnly {
		return imap.Stored{}, imap.ErrReadOnly
	}
	system, words := systemFlags(flags)
	ops := map[imap.Op]mailbox.Op{imap.Replace: mailbox.Replace, imap.Add: mailbox.Add, imap.Remove: mailbox.Remove}
	st, err := o.m.SetFlags(ctx, fromIMAP(uids), mailbox.FlagChange{Op: ops[op], Flags: system, Keywords: words}, unchangedSince)
	if err != nil {
		return imap.Stored{}, imapError(err)
	}
	return imap.Stored{ModSeq: st.ModSeq, Changed: toIMAP(st.Changed), Modified: toIMAP(st.Modified)}, nil
}

func (o *opened) Copy(ctx context.Context, uids imap.Set, to string) (imap.CopyUID, error) {
	return copied(o.m.Copy(ctx, fromIMAP(uids), to))
}

func (o *opened) Move(ctx context.Context, uids imap.Set, to string) (imap.CopyUID, error) {
	if o.readOnly {
		return imap.CopyUID{}, imap.ErrReadOnly
	}
	return copied(o.m.Move(ctx, fromIMAP(uids), to))
}

func copied(c mailbox.Copied, err error) (imap.CopyUID, error) {
	if err != nil {
		return imap.CopyUID{}, imapError(err)
	}
	return imap.CopyUID{UIDValidity: c.UIDValidity, Source: toIMAP(c.From), Dest: toIMAP(c.To)}, nil
}

func (o *opened) Expunge(ctx context.Context, uids imap.Set) (imap.Set, error) {
	if o.readOnly {
		return nil, imap.ErrReadOnly
	}
	gone, err := o.m.Expunge(ctx, fromIMAP(uids))
	return toIMAP(gone), imapError(err)
}

func (o *opened) Watch(f func()) (stop func()) { return o.m.Watch(f) }

func (o *opened) Close() error { return nil }

// content is an open message.
type content struct {
	*mailbox.Content
	part *message.Part
}

// Structure is what was found when the message came, or now where nothing was
// kept.
func (c *content) Structure(context.Context) (*message.Part, error) {
	if c.part != nil {
		return c.part, nil
	}
	extract, err := c.Extract()
	if err != nil {
		return nil, err
	}
	if c.part, err = message.ParsePart(extract); err == nil {
		return c.part, nil
	}
	if _, err := c.Seek(0, 0); err != nil {
		return nil, err
	}
	c.part, err = message.Parse(c.Content, message.Limits{})
	return c.part, err
}

var flagNames = []struct {
	bit  mailbox.Flags
	name imap.Flag
}{
	{mailbox.Answered, `\Answered`}, {mailbox.Flagged, `\Flagged`}, {mailbox.Deleted, `\Deleted`},
	{mailbox.Seen, `\Seen`}, {mailbox.Draft, `\Draft`},
}

func appendFlags(b []imap.Flag, f mailbox.Flags, words []string) []imap.Flag {
	for _, known := range flagNames {
		if f&known.bit != 0 {
			b = append(b, known.name)
		}
	}
	for _, w := range words {
		b = append(b, imap.Flag(w))
	}
	return b
}

// systemFlags divides what a client says; \Recent and what else begins with a
// backslash is nobody's to set.
func systemFlags(all []imap.Flag) (f mailbox.Flags, words []string) {
next:
	for _, flag := range all {
		for _, known := range flagNames {
			if flag.Is(known.name) {
				f |= known.bit
				continue next
			}
		}
		if !strings.HasPrefix(string(flag), `\`) {
			words = append(words, string(flag))
		}
	}
	return f, words
}

func toIMAP(s mailbox.Set) imap.Set {
	if s == nil {
		return nil
	}
	out := make(imap.Set, len(s))
	for i, r := range s {
		out[i] = imap.Range(r)
	}
	return out
}

func fromIMAP(s imap.Set) mailbox.Set {
	out := make(mailbox.Set, len(s))
	for i, r := range s {
		out[i] = mailbox.Range(r)
	}
	return out
}
