package mailbox

import (
	"context"
	"errors"
	"strings"
)

// Rename gives a mailbox, and all below it, another name, and makes those
// above the new name where there are none. Subscriptions stay with the old
// names. Of INBOX the messages move to a new mailbox and an empty INBOX stays,
// with what is below it (RFC 9051 section 6.3.6). ErrNoMailbox, ErrExists,
// ErrName.
func (a *Account) Rename(ctx context.Context, from, to string) error {
	to, err := cleanName(to)
	if err != nil {
		return err
	}
	from, err = cleanName(from)
	if err != nil {
		return ErrNoMailbox
	}
	return a.s.update(ctx, func(t *txn) error {
		if from == inbox {
			return t.renameInbox(a.id, to)
		}
		return t.rename(a.id, from, to)
	})
}

func (t *txn) renameInbox(acct uint64, to string) error {
	b, err := t.boxByName(acct, inbox)
	if err != nil {
		return err
	}
	dst, err := t.createMailbox(acct, to, "")
	if err != nil {
		return err
	}
	_, err = b.copyTo(dst, All(), true)
	return err
}

func (t *txn) rename(acct uint64, from, to string) error {
	r, err := t.row(acct, to)
	if err != nil {
		return err
	}
	if r.box != 0 {
		return ErrExists
	}
	if strings.HasPrefix(to, from+"/") {
		return ErrName
	}
	found := false
	for _, r := range t.names(acct) {
		if r.box == 0 || r.name != from && !strings.HasPrefix(r.name, from+"/") {
			continue
		}
		found = true
		if err := t.renameOne(acct, r, to+strings.TrimPrefix(r.name, from)); err != nil {
			return err
		}
	}
	if !found {
		return ErrNoMailbox
	}
	return t.createAbove(acct, to)
}

func (t *txn) renameOne(acct uint64, r nameRow, to string) error {
	if len(to) > maxName {
		return ErrName
	}
	at, err := t.row(acct, to)
	if err != nil {
		return err
	}
	if at.box != 0 {
		return ErrExists
	}
	at.box, at.use = r.box, r.use
	r.box, r.use = 0, ""
	return errors.Join(t.putRow(acct, at), t.putRow(acct, r))
}
