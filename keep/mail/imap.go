package mail

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/store"
)

// IMAP shows each account all of its mailboxes.
func (p *Post) IMAP() imap.Backend { return imapBackend{p} }

type imapBackend struct{ p *Post }

func (b imapBackend) Account(ctx context.Context, id auth.Identity) (imap.Account, error) {
	a, err := b.p.Store.Account(ctx, b.p.Directory.Account(id.Authorization))
	if err != nil {
		return nil, imapError(err)
	}
	return &account{p: b.p, a: a}, nil
}

// account is one user's mail.
type account struct {
	p *Post
	a *mailbox.Account
}

var (
	_ imap.Quotas         = (*account)(nil)
	_ imap.Replacer       = (*account)(nil)
	_ imap.ObjectIDs      = (*account)(nil)
	_ imap.AccountWatcher = (*account)(nil)
)

// ObjectIDs says that there are identifiers.
func (*account) ObjectIDs() {}

func (a *account) List(ctx context.Context) ([]imap.Entry, error) {
	all, err := a.a.List(ctx)
	if err != nil {
		return nil, imapError(err)
	}
	out := make([]imap.Entry, 0, len(all))
	for _, e := range all {
		if e.Missing && !e.Subscribed {
			continue // it only has others below it, and LIST makes it up
		}
		entry := imap.Entry{Name: e.Name, Missing: e.Missing, NoSelect: e.Missing, Subscribed: e.Subscribed}
		if e.Use != "" {
			entry.Use = []string{string(e.Use)}
		}
		out = append(out, entry)
	}
	return out, nil
}

func (a *account) Create(ctx context.Context, name string, use []string) (string, error) {
	if len(use) > 1 {
		return "", imap.ErrUse
	}
	m, err := a.a.Create(ctx, name, mailbox.Use(strings.Join(use, "")))
	if err != nil {
		return "", imapError(err)
	}
	return m.ID(), nil
}

func (a *account) Delete(ctx context.Context, name string) error {
	return imapError(a.a.Delete(ctx, name))
}

func (a *account) Rename(ctx context.Context, from, to string) error {
	return imapError(a.a.Rename(ctx, from, to))
}

func (a *account) Subscribe(ctx context.Context, name string, on bool) error {
	return imapError(a.a.Subscribe(ctx, name, on))
}

func (a *account) Status(ctx context.Context, name string, items []string) (imap.MailboxStatus, error) {
	m, err := a.a.Mailbox(ctx, name)
	if err != nil {
		return imap.MailboxStatus{}, imapError(err)
	}
	st, err := m.Status(ctx)
	if err != nil {
		return imap.MailboxStatus{}, imapError(err)
	}
	recent := uint32(0)
	if slices.Contains(items, imap.StatusRecent) {
		if recent, err = a.p.recent(ctx, m, st); err != nil {
			return imap.MailboxStatus{}, imapError(err)
		}
	}
	return imap.MailboxStatus{
		Messages: st.Messages, Recent: recent, UIDNext: st.UIDNext, UIDValidity: st.UIDValidity, Unseen: st.Unseen, Deleted: st.Deleted,
		Size: st.Size, DeletedSize: st.DeletedSize, HighestModSeq: st.ModSeq, AppendLimit: a.p.Store.MaxMessage(), MailboxID: st.ID,
	}, nil
}

func (a *account) Open(ctx context.Context, name string, readOnly bool) (imap.Mailbox, error) {
	m, err := a.a.Mailbox(ctx, name)
	if err != nil {
		return nil, imapError(err)
	}
	return &opened{p: a.p, m: m, readOnly: readOnly}, nil
}

func (a *account) Append(ctx context.Context, name string) (imap.Appender, error) {
	m, err := a.a.Mailbox(ctx, name)
	if err != nil {
		return nil, imapError(err)
	}
	return &appender{p: a.p, to: m}, nil
}

func (a *account) Replace(ctx context.Context, from imap.Mailbox, uid uint32, to string) (imap.Appender, error) {
	m, err := a.a.Mailbox(ctx, to)
	if err != nil {
		return nil, imapError(err)
	}
	return &appender{p: a.p, to: m, from: from.(*opened).m, uid: uid}, nil
}

// The root of all quotas is the account, which is called "".
func (a *account) QuotaRoots(ctx context.Context, name string) ([]string, error) {
	if _, err := a.a.Mailbox(ctx, name); err != nil {
		return nil, imapError(err)
	}
	return []string{""}, nil
}

func (a *account) Quota(ctx context.Context, root string) (imap.Quota, error) {
	if root != "" {
		return imap.Quota{}, imap.ErrNonExistent
	}
	q, err := a.a.Quota(ctx)
	if err != nil {
		return imap.Quota{}, imapError(err)
	}
	out := imap.Quota{Root: root}
	if q.Limits.Size > 0 {
		out.Resources = append(out.Resources, imap.Resource{Name: "STORAGE", Usage: (q.Used.Size + 1023) / 1024, Limit: q.Limits.Size / 1024})
	}
	if q.Limits.Messages > 0 {
		out.Resources = append(out.Resources, imap.Resource{Name: "MESSAGE", Usage: q.Used.Messages, Limit: q.Limits.Messages})
	}
	return out, nil
}

// WatchAccount tells mailboxes by their names, which change: where one has
// none any more it is the list that did.
func (a *account) WatchAccount(f func(name string)) (stop func()) {
	return a.a.Watch(func(id string) {
		if id == "" {
			f("")
			return
		}
		all, err := a.a.List(context.Background())
		if err != nil {
			f("")
			return
		}
		for _, e := range all {
			if e.Status.ID == id {
				f(e.Name)
				return
			}
		}
		f("")
	})
}

// appender adds messages.
type appender struct {
	p    *Post
	to   *mailbox.Mailbox
	from *mailbox.Mailbox // of the message that goes, uid; nil: none does
	uid  uint32
	all  []mailbox.NewMessage
}

func (a *appender) Add(ctx context.Context, m imap.NewMessage, r io.Reader) error {
	body, err := a.p.Store.NewBody(ctx, m.Size)
	if err != nil {
		return imapError(err)
	}
	flags, words := systemFlags(m.Flags)
	a.all = append(a.all, mailbox.NewMessage{Body: body, Flags: flags, Keywords: words, Date: m.Date})
	return imapError(fill(body, r))
}

func (a *appender) Commit(ctx context.Context) (imap.AppendUID, error) {
	var added mailbox.Added
	var err error
	if a.from != nil {
		added, err = a.to.Replace(ctx, a.from, a.uid, a.all...)
	} else {
		added, err = a.to.Append(ctx, a.all...)
	}
	if err != nil {
		return imap.AppendUID{}, imapError(err)
	}
	return imap.AppendUID{UIDValidity: added.UIDValidity, UIDs: toIMAP(added.UIDs)}, nil
}

func (a *appender) Close() error {
	var all []error
	for _, m := range a.all {
		all = append(all, m.Body.Close())
	}
	return errors.Join(all...)
}

// imapError says what the client may know.
func imapError(err error) error {
	if err == nil {
		return nil
	}
	for _, known := range []struct {
		err    error
		status imap.Status
	}{
		{mailbox.ErrNoMailbox, imap.ErrNonExistent},
		{mailbox.ErrNoAccount, imap.ErrNonExistent},
		{mailbox.ErrExists, imap.ErrAlreadyExists},
		{mailbox.ErrNoMessage, imap.ErrGone},
		{mailbox.ErrName, imap.ErrCannot},
		{mailbox.ErrInbox, imap.ErrCannot},
		{mailbox.ErrUse, imap.ErrUse},
		{mailbox.ErrOverQuota, imap.ErrOverQuota},
		{mailbox.ErrTooBig, imap.ErrTooBig},
		{mailbox.ErrKeywords, imap.ErrLimit},
		{store.ErrFull, imap.ErrOverQuota},
	} {
		if errors.Is(err, known.err) {
			return errors.Join(known.status, err)
		}
	}
	return err
}
