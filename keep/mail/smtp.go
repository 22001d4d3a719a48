package mail

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/message"
	"github.com/farend-go/farend/proto/smtp"
	"github.com/farend-go/farend/store"
)

// Post is mail that comes and is read. Its fields are set before its first use
// and not changed afterwards.
type Post struct {
	Store     *mailbox.Store
	Directory Directory

	told told
}

// SMTP takes mail in for the accounts of the directory, and relays none.
func (p *Post) SMTP() smtp.Backend { return inbound{p} }

type inbound struct{ p *Post }

// Mail begins a message.
func (b inbound) Mail(_ context.Context, from smtp.Sender, peer smtp.Peer) (smtp.Transaction, error) {
	if most := b.p.Store.MaxMessage(); most > 0 && from.Size > most {
		return nil, smtp.ErrTooBig
	}
	return &transaction{p: b.p, from: from, lmtp: peer.Kind == smtp.LMTP}, nil
}

// Traits: a message of any bytes may lie in a mailbox. Where it lies in memory
// nothing waits.
func (b inbound) Traits() smtp.Traits {
	t := smtp.Traits{DSN: true, Binary: true, Pace: smtp.PromptBody}
	if b.p.Store.Prompt() {
		t.Pace = smtp.Prompt
	}
	return t
}

// Verify tells whose an address is (RFC 5321 section 3.5).
func (b inbound) Verify(_ context.Context, name string, _ smtp.Peer) ([]string, error) {
	m, err := smtp.ParseMailbox(name)
	if err != nil {
		m = smtp.Mailbox{Local: name}
	}
	if len(b.p.Directory.Users) == 0 || len(b.p.Directory.Owners(m.Local, m.Domain)) == 0 {
		return nil, smtp.ErrNoMailbox
	}
	return []string{"<" + m.String() + ">"}, nil
}

// transaction is one message on its way in.
type transaction struct {
	p     *Post
	from  smtp.Sender
	to    []mailbox.Recipient // each account once
	place []int               // in to, of the accounts of each recipient that was taken
	count []int               // how many those are
	asked []asked             // recipients of whom the sender wants to hear
	head  *head               // of the message, for a notice
	lmtp  bool
	body  *mailbox.Body
}

func (t *transaction) Rcpt(_ context.Context, to smtp.Recipient) error {
	owners := t.p.Directory.Owners(to.Mailbox.Local, to.Mailbox.Domain)
	if len(owners) == 0 {
		return smtp.ErrNoMailbox
	}
	for _, account := range owners {
		t.place = append(t.place, t.recipient(account))
	}
	if to.Notify&smtp.NotifySuccess != 0 {
		t.asked = append(t.asked, asked{len(t.count), to})
	}
	t.count = append(t.count, len(owners))
	return nil
}

// recipient is where an account is among those to deliver to. Who is meant by two
// addresses of one envelope gets one message.
func (t *transaction) recipient(account string) int {
	for i := range t.to {
		if t.to[i].Account == account {
			return i
		}
	}
	t.to = append(t.to, mailbox.Recipient{Account: account, Key: t.key(account)})
	return len(t.to) - 1
}

// key names a delivery, for a sender who names his envelopes: then one that
// comes again is the same. Two messages that only look the same are two.
func (t *transaction) key(account string) []byte {
	if t.from.EnvID == "" {
		return nil
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s", t.from.Mailbox, t.from.EnvID, account))
	return sum[:]
}

// Body writes the message, and its structure behind it.
func (t *transaction) Body(ctx context.Context, r io.Reader) error {
	size := t.from.Size
	if whole, ok := r.(*bytes.Buffer); ok {
		size = int64(whole.Len())
	} else if size == 0 {
		size = -1
	}
	var err error
	if t.body, err = t.p.Store.NewBody(ctx, size); err != nil {
		return smtpError(err)
	}
	return smtpError(fill(t.body, t.keepHead(r)))
}

// fill reads a message to its end, and keeps its structure behind it.
func fill(body *mailbox.Body, r io.Reader) error {
	if whole, ok := r.(*bytes.Buffer); ok {
		part := message.ParseBytes(whole.Bytes(), message.Limits{})
		if _, err := body.Write(whole.Bytes()); err != nil {
			return err
		}
		return body.Finish(part.Append(nil))
	}
	part, err := message.Parse(io.TeeReader(r, body), message.Limits{})
	if err != nil {
		return err
	}
	return body.Finish(part.Append(nil))
}

func (t *transaction) Commit(ctx context.Context) error {
	defer t.Abort() // what was delivered stays
	done, err := t.p.Store.Deliver(ctx, mailbox.NewMessage{Body: t.body}, t.to)
	if err != nil {
		return smtpError(err)
	}
	results, failed, place := make(smtp.Results, len(t.count)), false, t.place
	again := make([]bool, len(t.count))
	for i, n := range t.count {
		for _, at := range place[:n] {
			d := done[at]
			if d.Err != nil && results[i] == nil {
				results[i], failed = smtpError(d.Err), true
			}
			again[i] = again[i] || d.Again
		}
		place = place[n:]
	}
	if t.head != nil && (!failed || t.lmtp) { // by SMTP a failure brings all of them again
		_ = t.notify(ctx, func(i int) bool { return results[i] == nil && !again[i] }) // the message is there all the same
	}
	if failed {
		return results
	}
	return nil
}

func (t *transaction) Abort() {
	if t.body != nil {
		_ = t.body.Close() // it is thrown away, or was delivered
		t.body = nil
	}
}

// smtpError says what the peer may know.
func smtpError(err error) error {
	for _, known := range []struct{ err, reply error }{
		{mailbox.ErrTooBig, smtp.ErrTooBig},
		{mailbox.ErrOverQuota, smtp.ErrFull},
		{mailbox.ErrNoAccount, smtp.ErrNoMailbox},
		{mailbox.ErrNoMailbox, smtp.ErrNoMailbox},
		{mailbox.ErrName, smtp.ErrNoMailbox},
		{store.ErrFull, smtp.ErrNoSpace},
	} {
		if errors.Is(err, known.err) {
			return errors.Join(known.reply, err)
		}
	}
	return err
}
