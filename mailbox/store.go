package mailbox

import (
	"context"
	"encoding/binary"
	"errors"
	"iter"
	"time"

	"github.com/farend-go/farend/store"
)

// Errors of this package; those of the engine come through beside them.
var (
	// ErrNoAccount is an account that is not there.
	ErrNoAccount = errors.New("mailbox: no such account")
	// ErrNoMailbox is a mailbox that is not there, or no more.
	ErrNoMailbox = errors.New("mailbox: no such mailbox")
	// ErrNoMessage is a message that is not there, or no more.
	ErrNoMessage = errors.New("mailbox: no such message")
	// ErrExists is an account or a mailbox that is there already.
	ErrExists = errors.New("mailbox: it is there already")
	// ErrName is a name that cannot be given.
	ErrName = errors.New("mailbox: not a name for this")
	// ErrInbox is what cannot be done to INBOX.
	ErrInbox = errors.New("mailbox: not possible with INBOX")
	// ErrUse is a special use that another mailbox of the account has, or that
	// there is not.
	ErrUse = errors.New("mailbox: no such special use, or another has it")
	// ErrOverQuota is an account without room for what comes.
	ErrOverQuota = errors.New("mailbox: over quota")
	// ErrTooBig is a message above the limit.
	ErrTooBig = errors.New("mailbox: message too big")
	// ErrKeywords is a keyword more than a mailbox can have, which is 64.
	ErrKeywords = errors.New("mailbox: too many keywords")
)

// Options say how mail is kept; the zero value has no limits, no accounts but
// those that are made, and no mailboxes in a new one but INBOX.
type Options struct {
	// AnyAccount lets every account be made by its first use.
	AnyAccount bool
	// Quota is the limits of accounts that have none of their own.
	Quota Limits
	// MaxMessage is the largest message, in octets; 0: no limit.
	MaxMessage int64
	// Mailboxes are those that a new account has beside INBOX.
	Mailboxes []NewMailbox
}

// Limits are how much an account may keep; 0 is no limit.
type Limits struct {
	Size     int64 // in octets of messages
	Messages int64
}

// NewMailbox is a mailbox to be made.
type NewMailbox struct {
	Name string
	Use  Use
}

// A Store keeps mail in an engine. Its methods, and those of what it hands
// out, may be called concurrently.
type Store struct {
	engine store.Engine
	o      Options
	watch  dispatcher
}

// New gives the mail in an engine, which stays the caller's to close.
func New(e store.Engine, o Options) *Store {
	s := &Store{engine: e, o: o}
	s.watch.engine = e
	return s
}

// MaxMessage is the largest message that is taken, in octets; 0: no limit.
func (s *Store) MaxMessage() int64 { return s.o.MaxMessage }

// Prompt tells that no call waits for a disk or a network: the mail is kept in
// memory.
func (s *Store) Prompt() bool {
	p, ok := s.engine.(store.Prompter)
	return ok && p.Prompt()
}

// view runs f over one moment.
func (s *Store) view(ctx context.Context, f func(t *txn) error) error {
	return s.engine.View(ctx, func(r store.Reader) error { return f(&txn{s: s, r: r}) })
}

// update runs f and writes what it changed. f may run again.
func (s *Store) update(ctx context.Context, f func(t *txn) error) error {
	now := time.Now()
	return s.engine.Update(ctx, func(w store.Writer) error {
		t := &txn{s: s, r: w, w: w, now: now}
		if err := f(t); err != nil {
			return err
		}
		return t.finish()
	})
}

// Account opens an account; name is taken as it is. ErrNoAccount, but not
// where Options.AnyAccount is set: then it is made.
func (s *Store) Account(ctx context.Context, name string) (*Account, error) {
	id, err := s.find(ctx, name)
	if errors.Is(err, ErrNoAccount) && s.o.AnyAccount {
		err = s.update(ctx, func(t *txn) (err error) {
			id, err = t.accountID(name, true)
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	return &Account{s: s, id: id, name: name}, nil
}

func (s *Store) find(ctx context.Context, name string) (id uint64, err error) {
	err = s.view(ctx, func(t *txn) (err error) {
		id, err = t.accountID(name, false)
		return err
	})
	return id, err
}

// HasAccount tells whether mail for an account would be taken. It makes none.
func (s *Store) HasAccount(ctx context.Context, name string) (bool, error) {
	if s.o.AnyAccount {
		return checkAccountName(name) == nil, nil
	}
	_, err := s.find(ctx, name)
	if errors.Is(err, ErrNoAccount) || errors.Is(err, ErrName) {
		return false, nil
	}
	return err == nil, err
}

// CreateAccount makes an account. ErrExists, ErrName.
func (s *Store) CreateAccount(ctx context.Context, name string) (*Account, error) {
	a := &Account{s: s, name: name}
	err := s.update(ctx, func(t *txn) error {
		switch _, err := t.accountID(name, false); {
		case err == nil:
			return ErrExists
		case !errors.Is(err, ErrNoAccount):
			return err
		}
		var err error
		a.id, err = t.accountID(name, true)
		return err
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// DeleteAccount removes an account with all its mail. ErrNoAccount.
func (s *Store) DeleteAccount(ctx context.Context, name string) error {
	return s.update(ctx, func(t *txn) error {
		id, err := t.accountID(name, false)
		if err != nil {
			return err
		}
		for _, row := range t.names(id) {
			if row.box == 0 {
				continue
			}
			if err := t.deleteMailbox(id, row.box); err != nil {
				return err
			}
		}
		for k := range t.r.Ascend(keyAccount(id, 0), keyAccount(id, 0xff)) {
			if err := t.w.Delete(k); err != nil {
				return err
			}
		}
		delete(t.accounts, id)
		return t.w.Delete(keyAccountName(name))
	})
}

// Accounts gives the names of all accounts, in order.
func (s *Store) Accounts(ctx context.Context) iter.Seq2[string, error] {
	const page = 1000
	return func(yield func(string, error) bool) {
		from := []byte{kindAccountName}
		for {
			var names []string
			err := s.view(ctx, func(t *txn) error {
				names = names[:0]
				for k := range t.r.Ascend(from, []byte{kindAccountName + 1}) {
					names = append(names, string(k[1:]))
					if len(names) == page {
						break
					}
				}
				return nil
			})
			if err != nil {
				yield("", err)
				return
			}
			for _, name := range names {
				if !yield(name, nil) {
					return
				}
			}
			if len(names) < page {
				return
			}
			from = append(keyAccountName(names[page-1]), 0)
		}
	}
}

// maxAccountName leaves room in a key.
const maxAccountName = 512

func checkAccountName(name string) error {
	if name == "" || len(name) > maxAccountName {
		return ErrName
	}
	return nil
}

// accountID finds an account, or makes it.
func (t *txn) accountID(name string, create bool) (uint64, error) {
	if err := checkAccountName(name); err != nil {
		return 0, err
	}
	v, err := t.r.Get(keyAccountName(name))
	if err == nil {
		d := decoder{b: v}
		id := d.uint()
		return id, d.err("an account")
	}
	if !errors.Is(err, store.ErrNotFound) {
		return 0, err
	}
	if !create {
		return 0, ErrNoAccount
	}
	return t.makeAccount(name)
}

func (t *txn) makeAccount(name string) (uint64, error) {
	id := uint64(1)
	v, err := t.r.Get(keyNewest())
	if err == nil {
		d := decoder{b: v}
		id = d.uint() + 1
		err = d.err("the number of accounts")
	} else if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	number := binary.AppendUvarint(nil, id)
	if err := errors.Join(err, t.w.Put(keyNewest(), number), t.w.Put(keyAccountName(name), number)); err != nil {
		return 0, err
	}
	t.accounts = t.accountsMap()
	t.accounts[id] = &accountTx{id: id, changed: true}
	if _, err := t.createMailbox(id, inbox, ""); err != nil {
		return 0, err
	}
	for _, m := range t.s.o.Mailboxes {
		if _, err := t.createMailbox(id, m.Name, m.Use); err != nil && !errors.Is(err, ErrExists) {
			return 0, err
		}
	}
	return id, nil
}
