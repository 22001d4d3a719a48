package mailbox

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/farend-go/farend/store"
)

// An Account is somebody's mail: mailboxes by name.
//
// Names are UTF-8, with "/" between the levels of the hierarchy. INBOX is
// there always, and is meant whatever the case of its letters (RFC 9051
// section 5.1).
type Account struct {
	s    *Store
	id   uint64
	name string
}

// Name is the account's name.
func (a *Account) Name() string { return a.name }

// Use is a special use of a mailbox (RFC 6154), as it stands in LIST; "" is
// none.
type Use string

// The special uses that a mailbox can be given (RFC 6154 section 2, RFC 8457).
const (
	UseArchive   Use = `\Archive`
	UseDrafts    Use = `\Drafts`
	UseFlagged   Use = `\Flagged`
	UseImportant Use = `\Important`
	UseJunk      Use = `\Junk`
	UseSent      Use = `\Sent`
	UseTrash     Use = `\Trash`
)

// Valid tells whether there is such a use.
func (u Use) Valid() bool {
	return slices.Contains([]Use{UseArchive, UseDrafts, UseFlagged, UseImportant, UseJunk, UseSent, UseTrash}, u)
}

// An Entry is a name in an account's list.
type Entry struct {
	Name string
	// Missing is a name without a mailbox: one that is only subscribed to, or
	// that only has others below it.
	Missing    bool
	Children   bool // there are mailboxes below it
	Subscribed bool
	Use        Use
	Status     Status // zero where it is Missing
}

// nameRow is a name in the index. box is 0 where it is only subscribed to.
type nameRow struct {
	name       string
	box        uint64
	subscribed bool
	use        Use
}

func (r nameRow) append(b []byte) []byte {
	b = binary.AppendUvarint(b, r.box)
	subscribed := uint64(0)
	if r.subscribed {
		subscribed = 1
	}
	return appendText(binary.AppendUvarint(b, subscribed), string(r.use))
}

func parseNameRow(name string, b []byte) (nameRow, error) {
	d := decoder{b: b}
	r := nameRow{name: name, box: d.uint(), subscribed: d.uint() != 0, use: Use(d.text())}
	return r, d.err("a mailbox's name")
}

const (
	inbox   = "INBOX"
	maxName = 512
)

// cleanName checks a name and puts INBOX into capitals.
func cleanName(name string) (string, error) {
	if name == inbox {
		return name, nil
	}
	if len(name) > maxName || !utf8.ValidString(name) {
		return "", ErrName
	}
	levels := strings.Split(name, "/")
	if slices.Contains(levels, "") || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", ErrName
	}
	if strings.EqualFold(levels[0], inbox) {
		levels[0] = inbox
	}
	return strings.Join(levels, "/"), nil
}

// row finds a name; the row of one that is not there has only the name.
func (t *txn) row(acct uint64, name string) (nameRow, error) {
	v, err := t.r.Get(keyName(acct, name))
	if errors.Is(err, store.ErrNotFound) {
		return nameRow{name: name}, nil
	}
	if err != nil {
		return nameRow{}, err
	}
	return parseNameRow(name, v)
}

// putRow writes a name, or removes one that says nothing.
func (t *txn) putRow(acct uint64, r nameRow) error {
	if r.box == 0 && !r.subscribed {
		return t.w.Delete(keyName(acct, r.name))
	}
	return t.w.Put(keyName(acct, r.name), r.append(nil))
}

// names gives all names, in order; damaged rows are as if they were not there.
func (t *txn) names(acct uint64) []nameRow {
	begin := keyAccount(acct, kindName)
	var rows []nameRow
	for k, v := range t.r.Ascend(begin, after(begin)) {
		if r, err := parseNameRow(string(k[len(begin):]), v); err == nil {
			rows = append(rows, r)
		}
	}
	return rows
}

// boxByName loads a mailbox.
func (t *txn) boxByName(acct uint64, name string) (*boxTx, error) {
	name, err := cleanName(name)
	if err != nil {
		return nil, ErrNoMailbox
	}
	r, err := t.row(acct, name)
	if err != nil {
		return nil, err
	}
	if r.box == 0 {
		return nil, ErrNoMailbox
	}
	return t.box(acct, r.box)
}

// List gives all names in order: of the mailboxes, of those that are only
// subscribed to, and of those that only have others below them.
func (a *Account) List(ctx context.Context) ([]Entry, error) {
	var out []Entry
	err := a.s.view(ctx, func(t *txn) error {
		out = out[:0]
		at := map[string]int{}
		for _, r := range t.names(a.id) {
			e := Entry{Name: r.name, Missing: r.box == 0, Subscribed: r.subscribed, Use: r.use}
			if r.box != 0 {
				b, err := t.box(a.id, r.box)
				if err != nil {
					return err
				}
				e.Status = b.status()
			}
			at[r.name] = len(out)
			out = append(out, e)
		}
		for _, e := range slices.Clone(out) {
			for name := parent(e.Name); name != "" && !e.Missing; name = parent(name) {
				i, ok := at[name]
				if !ok {
					i = len(out)
					at[name] = i
					out = append(out, Entry{Name: name, Missing: true})
				}
				out[i].Children = true
			}
		}
		return nil
	})
	slices.SortFunc(out, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return out, err
}

// parent is the name one level above, "" at the top.
func parent(name string) string {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i]
	}
	return ""
}

// Mailbox opens a mailbox. ErrNoMailbox.
func (a *Account) Mailbox(ctx context.Context, name string) (*Mailbox, error) {
	var m *Mailbox
	err := a.s.view(ctx, func(t *txn) error {
		b, err := t.boxByName(a.id, name)
		if err == nil {
			m = &Mailbox{a: a, id: b.id}
		}
		return err
	})
	return m, err
}

// Create makes a mailbox, and those above it where there are none (RFC 9051
// section 6.3.4). ErrExists, ErrName; ErrUse where use is no use or has a
// mailbox already.
func (a *Account) Create(ctx context.Context, name string, use Use) (*Mailbox, error) {
	var m *Mailbox
	err := a.s.update(ctx, func(t *txn) error {
		b, err := t.createMailbox(a.id, name, use)
		if err == nil {
			m = &Mailbox{a: a, id: b.id}
		}
		return err
	})
	return m, err
}

func (t *txn) createMailbox(acct uint64, name string, use Use) (*boxTx, error) {
	name, err := cleanName(name)
	if err != nil {
		return nil, err
	}
	r, err := t.row(acct, name)
	if err != nil {
		return nil, err
	}
	if r.box != 0 {
		return nil, ErrExists
	}
	if use != "" && (!use.Valid() || slices.ContainsFunc(t.names(acct), func(r nameRow) bool { return r.use == use })) {
		return nil, ErrUse
	}
	if err := t.createAbove(acct, name); err != nil {
		return nil, err
	}
	b, err := t.newBox(acct)
	if err != nil {
		return nil, err
	}
	r.box, r.use = b.id, use
	return b, t.putRow(acct, r)
}

func (t *txn) createAbove(acct uint64, name string) error {
	above := parent(name)
	if above == "" {
		return nil
	}
	_, err := t.createMailbox(acct, above, "")
	if errors.Is(err, ErrExists) {
		return nil
	}
	return err
}

// newBox makes a mailbox without a name. UIDVALIDITY never was that of another
// of the account: names can be given again (RFC 9051 section 2.3.1.1).
func (t *txn) newBox(acct uint64) (*boxTx, error) {
	a, err := t.account(acct)
	if err != nil {
		return nil, err
	}
	a.changed = true
	a.head.lastBox++
	a.head.lastValidity = max(a.head.lastValidity+1, uint32(t.now.Unix()))
	b := &boxTx{
		t: t, account: a, id: a.head.lastBox, changed: true,
		head: head{uidValidity: a.head.lastValidity, uidNext: 1, modSeq: 1},
		was:  1,
	}
	a.enter(b)
	return b, b.t.w.Put(keyMailbox(acct, b.id, kindHead), b.head.append(nil))
}

// Delete removes a mailbox with its messages. What is below it stays, and so
// do subscriptions (RFC 9051 section 6.3.5). ErrNoMailbox, ErrInbox.
func (a *Account) Delete(ctx context.Context, name string) error {
	return a.s.update(ctx, func(t *txn) error {
		b, err := t.boxByName(a.id, name)
		if err != nil {
			return err
		}
		name, _ := cleanName(name)
		if name == inbox {
			return ErrInbox
		}
		r, err := t.row(a.id, name)
		if err != nil {
			return err
		}
		r.box, r.use = 0, ""
		return errors.Join(t.putRow(a.id, r), t.deleteMailbox(a.id, b.id))
	})
}

// deleteMailbox removes what is below a mailbox's key.
func (t *txn) deleteMailbox(acct, id uint64) error {
	b, err := t.box(acct, id)
	if err != nil {
		return err
	}
	all, err := b.remove(All(), nil, nil)
	if err != nil {
		return err
	}
	if _, err := b.drop(all); err != nil {
		return err
	}
	delete(b.account.boxes, id)
	for k := range t.r.Ascend(keyMailbox(acct, id, 0), keyMailbox(acct, id, 0xff)) {
		if err := t.w.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// Subscribe puts a name on the list of subscriptions, or takes it off. There
// need be no such mailbox. ErrName.
func (a *Account) Subscribe(ctx context.Context, name string, on bool) error {
	name, err := cleanName(name)
	if err != nil {
		return err
	}
	return a.s.update(ctx, func(t *txn) error {
		if _, err := t.account(a.id); err != nil {
			return err
		}
		r, err := t.row(a.id, name)
		if err != nil || r.subscribed == on {
			return err
		}
		r.subscribed = on
		return t.putRow(a.id, r)
	})
}

// Quota is what an account uses, and what it may.
type Quota struct {
	Used   Limits
	Limits Limits // 0: no limit
}

func (s *Store) limits(h *accountHead) Limits {
	if h.ownLimits {
		return h.limits
	}
	return s.o.Quota
}

// Quota tells how full the account is.
func (a *Account) Quota(ctx context.Context) (Quota, error) {
	var q Quota
	err := a.s.view(ctx, func(t *txn) error {
		acct, err := t.account(a.id)
		if err != nil {
			return err
		}
		q = Quota{Limits{acct.head.size, acct.head.messages}, a.s.limits(&acct.head)}
		return nil
	})
	return q, err
}

// SetQuota gives the account limits of its own. They may be below what it
// uses: then nothing more comes in.
func (a *Account) SetQuota(ctx context.Context, limits Limits) error {
	return a.s.update(ctx, func(t *txn) error {
		acct, err := t.account(a.id)
		if err != nil {
			return err
		}
		acct.head.ownLimits, acct.head.limits, acct.changed = true, limits, true
		return nil
	})
}
