package imap

import (
	"context"
	"errors"
	"strconv"

	"github.com/farend-go/farend/proto/imap/internal/token"
)

// store is STORE and UID STORE (RFC 9051 section 6.4.6, RFC 7162 section
// 3.1.3).
func (s *session) store(ctx context.Context, c Command) (Status, error) {
	cmd, err := ParseStore(c.Args, c.UID)
	if err != nil {
		return Status{}, err
	}
	b := s.box
	if b.readOnly {
		return Status{}, ErrReadOnly
	}
	for _, f := range cmd.Flags {
		if !f.Valid() {
			return Status{Kind: BAD, Text: "No flag that can be set"}, nil
		}
	}
	uids, err := s.resolve(cmd.Where)
	if err != nil {
		return Status{}, err
	}
	if cmd.UnchangedSince != nil {
		s.enabled.condstore = true
	}
	if b.stored, err = b.box.Store(ctx, uids, cmd.Op, cmd.Flags, cmd.UnchangedSince); err != nil {
		return Status{}, err
	}
	told, err := s.tellStored(ctx, &cmd, uids.Minus(b.stored.Modified))
	if err != nil {
		return Status{}, err
	}
	if modified := b.stored.Modified; len(modified) > 0 {
		if !c.UID {
			modified = b.seqs(modified)
		}
		return Status{Code: Code{"MODIFIED", modified.String()}, Text: "Some messages had changed"}, nil
	}
	if !told && !c.UID {
		return Status{}, ErrGone
	}
	return Status{}, nil
}

// tellStored tells of the flags after a STORE, or, where the client wants to
// know no flags, of the modification sequences alone. It tells whether all
// messages were there.
func (s *session) tellStored(ctx context.Context, cmd *Store, uids Set) (all bool, err error) {
	items := []string{ItemUID, ItemFlags, ItemModSeq}
	if !cmd.Where.UID && !s.enabled.qresync {
		items = items[1:]
	}
	if !s.enabled.condstore {
		items = items[:len(items)-1]
	}
	if cmd.Silent {
		if !s.enabled.condstore {
			return true, nil
		}
		items = []string{ItemUID, ItemModSeq}
		uids = s.box.stored.Changed
	}
	n := 0
	for m, err := range s.box.box.Messages(ctx, uids) {
		if err != nil {
			return false, err
		}
		n++
		s.learn(m.Flags)
		s.fetched(m.UID, &Fetched{Items: items, UID: m.UID, Flags: s.flags(&m), ModSeq: m.ModSeq})
	}
	return n == uids.Count(), nil
}

// copy is COPY and UID COPY (RFC 9051 section 6.4.7).
func (s *session) copy(ctx context.Context, c Command) (Status, error) {
	uids, name, err := s.destination(c)
	if err != nil {
		return Status{}, err
	}
	done, err := s.box.box.Copy(ctx, uids, name)
	if err != nil {
		return Status{}, tryCreate(err)
	}
	if len(done.Source) == 0 {
		return Status{Text: "There was nothing to copy"}, nil
	}
	return Status{Code: Code{"COPYUID", string(done.Append(nil))}}, nil
}

// move is MOVE and UID MOVE (RFC 9051 section 6.4.8, RFC 6851).
func (s *session) move(ctx context.Context, c Command) (Status, error) {
	uids, name, err := s.destination(c)
	if err != nil {
		return Status{}, err
	}
	if s.box.readOnly {
		return Status{}, ErrReadOnly
	}
	done, err := s.box.box.Move(ctx, uids, name)
	if err != nil {
		return Status{}, tryCreate(err)
	}
	if len(done.Source) == 0 {
		return Status{Text: "There was nothing to move"}, nil
	}
	s.untagged(Status{OK, Code{"COPYUID", string(done.Append(nil))}, "Moved"})
	return s.expunged(ctx)
}

// destination reads the arguments of COPY and MOVE.
func (s *session) destination(c Command) (uids Set, name string, err error) {
	l := token.New(c.Args)
	where := lexWhere(l, c.UID)
	l.SP()
	names := nameReader{utf8: s.utf8()}
	name = names.read(l.AString())
	if err := errors.Join(l.End(), names.err); err != nil {
		return nil, "", err
	}
	uids, err = s.resolve(where)
	return uids, name, err
}

// tryCreate tells a client that the mailbox could be there if it made it.
func tryCreate(err error) error {
	if errors.Is(err, ErrNonExistent) {
		return Status{NO, Code{Name: CodeTryCreate}, "No such mailbox"}
	}
	return err
}

// expunge removes what is \Deleted (RFC 9051 section 6.4.3).
func (s *session) expunge(ctx context.Context, c Command) (Status, error) {
	if len(c.Args) > 0 {
		return Status{Kind: BAD, Text: "EXPUNGE takes no arguments without UID"}, nil
	}
	return s.remove(ctx, s.box.all())
}

// uidExpunge removes those of the messages that are \Deleted (RFC 4315).
func (s *session) uidExpunge(ctx context.Context, c Command) (Status, error) {
	l := token.New(c.Args)
	where := lexWhere(l, true)
	if err := l.End(); err != nil {
		return Status{}, err
	}
	uids, err := s.resolve(where)
	if err != nil {
		return Status{}, err
	}
	return s.remove(ctx, uids)
}

func (s *session) remove(ctx context.Context, uids Set) (Status, error) {
	if s.box.readOnly {
		return Status{}, ErrReadOnly
	}
	gone, err := s.box.box.Expunge(ctx, uids)
	if err != nil || len(gone) == 0 {
		return Status{}, err
	}
	return s.expunged(ctx)
}

// expunged tells of what was removed, and up to where all is told (RFC 7162
// section 3.2.7).
func (s *session) expunged(ctx context.Context) (Status, error) {
	if err := s.sync(ctx, true); err != nil || !s.enabled.condstore {
		return Status{}, broken(err)
	}
	return Status{Code: Code{"HIGHESTMODSEQ", strconv.FormatUint(s.box.modseq, 10)}}, nil
}
