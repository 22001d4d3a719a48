package mail

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/proto/pop3"
)

// POP3 shows each account its INBOX. It locks the maildrop against other POP3
// sessions of this backend; deliveries and IMAP go on meanwhile, as RFC 1939
// section 8 has it: the session shows what was there at its login.
func (p *Post) POP3() pop3.Backend { return &drops{p: p} }

type drops struct {
	p     *Post
	locks pop3.Locks
}

func (b *drops) Maildrop(ctx context.Context, who auth.Identity) (pop3.Maildrop, error) {
	name := b.p.Directory.Account(who.Authorization)
	unlock, err := b.locks.Lock(name)
	if err != nil {
		return nil, err
	}
	box, err := b.p.inbox(ctx, name)
	if err != nil {
		unlock()
		return nil, err
	}
	return &maildrop{box: box, unlock: unlock}, nil
}

func (p *Post) inbox(ctx context.Context, account string) (*mailbox.Mailbox, error) {
	a, err := p.Store.Account(ctx, account)
	if errors.Is(err, mailbox.ErrNoAccount) || errors.Is(err, mailbox.ErrName) {
		return nil, errors.Join(auth.ErrRefused, err)
	}
	if err != nil {
		return nil, err
	}
	return a.Mailbox(ctx, "INBOX")
}

// maildrop is the INBOX as one session sees it.
type maildrop struct {
	box    *mailbox.Mailbox
	shown  []mailbox.Message
	unlock func()
}

func (d *maildrop) Messages(ctx context.Context) ([]pop3.Message, error) {
	st, err := d.box.Status(ctx)
	if err != nil {
		return nil, err
	}
	d.shown = make([]mailbox.Message, 0, st.Messages)
	out := make([]pop3.Message, 0, st.Messages)
	for m, err := range d.box.Messages(ctx, mailbox.All()) {
		if err != nil {
			return nil, err
		}
		d.shown = append(d.shown, m)
		out = append(out, pop3.Message{Size: m.Size, UID: fmt.Sprintf("%d.%d", st.UIDValidity, m.UID)})
	}
	return out, nil
}

func (d *maildrop) Open(ctx context.Context, number int) (io.ReadCloser, error) {
	c, err := d.box.Open(ctx, d.shown[number-1])
	if errors.Is(err, mailbox.ErrNoMessage) || errors.Is(err, mailbox.ErrNoMailbox) {
		return nil, errors.Join(pop3.ErrGone, err)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (d *maildrop) Delete(ctx context.Context, numbers []int) error {
	uids := make([]mailbox.UID, 0, len(numbers))
	for _, n := range numbers {
		uids = append(uids, d.shown[n-1].UID)
	}
	_, err := d.box.Remove(ctx, mailbox.SetOf(uids...))
	return err
}

func (d *maildrop) Close() error {
	d.unlock()
	return nil
}
