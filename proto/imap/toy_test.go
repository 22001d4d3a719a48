package imap_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/message"
	"github.com/farend-go/farend/proto/imap"
)

// toy is a Backend in memory: the same account for everybody, or one for each
// user.
type toy struct {
	mu       sync.Mutex
	accounts map[string]*toyAccount
	now      func() time.Time
}

func newToy() *toy {
	at := time.Date(1996, 7, 17, 2, 44, 25, 0, time.FixedZone("", -7*3600))
	return &toy{accounts: map[string]*toyAccount{}, now: func() time.Time { return at }}
}

func (t *toy) Account(_ context.Context, id auth.Identity) (imap.Account, error) {
	return t.account(id.Authorization), nil
}

func (t *toy) account(user string) *toyAccount {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.accounts[user]
	if a == nil {
		a = &toyAccount{boxes: map[string]*toyBox{}, subs: map[string]bool{}, now: t.now, modseq: 1, watchers: map[int]func(string){}}
		a.make("INBOX")
		t.accounts[user] = a
	}
	return a
}

type toyAccount struct {
	mu       sync.Mutex
	boxes    map[string]*toyBox
	subs     map[string]bool
	modseq   uint64
	validity uint32
	last     int
	watchers map[int]func(string)
	limit    int64 // of all messages, in octets; 0: none
	now      func() time.Time
}

type toyBox struct {
	acc      *toyAccount
	name     string
	id       string
	validity uint32
	next     uint32
	modseq   uint64
	msgs     []*toyMessage
	gone     []toyGone
	use      []string
	dead     bool
	watchers map[int]func()
}

type toyMessage struct {
	imap.Info
	text []byte
	root *message.Part
}

type toyGone struct {
	uid    uint32
	modseq uint64
}

func (a *toyAccount) make(name string) *toyBox {
	a.validity++
	b := &toyBox{acc: a, name: name, id: fmt.Sprintf("box%d", a.validity), validity: a.validity, next: 1, modseq: a.modseq, watchers: map[int]func(){}}
	a.boxes[name] = b
	return b
}

// changed ends a change: wakers are called without the lock.
func (a *toyAccount) changed(boxes ...*toyBox) {
	var wake []func()
	for _, b := range boxes {
		for _, f := range b.watchers {
			wake = append(wake, f)
		}
		for _, f := range a.watchers {
			wake = append(wake, func() { f(b.name) })
		}
	}
	if len(boxes) == 0 || boxes[0].dead {
		for _, f := range a.watchers {
			wake = append(wake, func() { f("") })
		}
	}
	a.mu.Unlock()
	for _, f := range wake {
		f()
	}
}

func (a *toyAccount) List(context.Context) ([]imap.Entry, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []imap.Entry
	for name, b := range a.boxes {
		list = append(list, imap.Entry{Name: name, Subscribed: a.subs[name], Use: b.use})
	}
	for name := range a.subs {
		if a.boxes[name] == nil {
			list = append(list, imap.Entry{Name: name, Missing: true, Subscribed: true})
		}
	}
	return list, nil
}

func (a *toyAccount) Create(_ context.Context, name string, use []string) (string, error) {
	a.mu.Lock()
	defer a.changed()
	if a.boxes[name] != nil {
		return "", imap.ErrAlreadyExists
	}
	b := a.make(name)
	b.use = use
	return b.id, nil
}

func (a *toyAccount) Delete(_ context.Context, name string) error {
	a.mu.Lock()
	b := a.boxes[name]
	if b == nil {
		a.mu.Unlock()
		return imap.ErrNonExistent
	}
	b.dead = true
	delete(a.boxes, name)
	a.changed(b)
	return nil
}

func (a *toyAccount) Rename(_ context.Context, from, to string) error {
	a.mu.Lock()
	defer a.changed()
	b := a.boxes[from]
	if b == nil {
		return imap.ErrNonExistent
	}
	if a.boxes[to] != nil {
		return imap.ErrAlreadyExists
	}
	if from == "INBOX" {
		_, err := b.transfer(b.uids(), a.make(to), true)
		return err
	}
	for name, b := range a.boxes {
		if below, ok := strings.CutPrefix(name, from); ok && (below == "" || below[0] == '/') {
			delete(a.boxes, name)
			b.name = to + below
			a.boxes[b.name] = b
		}
	}
	return nil
}

func (a *toyAccount) Subscribe(_ context.Context, name string, on bool) error {
	a.mu.Lock()
	defer a.changed()
	if delete(a.subs, name); on {
		a.subs[name] = true
	}
	return nil
}

func (a *toyAccount) Status(_ context.Context, name string, _ []string) (imap.MailboxStatus, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := a.boxes[name]
	if b == nil {
		return imap.MailboxStatus{}, imap.ErrNonExistent
	}
	st := imap.MailboxStatus{Messages: uint32(len(b.msgs)), UIDNext: b.next, UIDValidity: b.validity, HighestModSeq: b.modseq, MailboxID: b.id}
	for _, m := range b.msgs {
		st.Size += m.Size
		if !imap.HasFlag(m.Flags, imap.Seen) {
			st.Unseen++
		}
		if imap.HasFlag(m.Flags, imap.Deleted) {
			st.Deleted++
		}
	}
	return st, nil
}

func (a *toyAccount) Append(_ context.Context, name string) (imap.Appender, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := a.boxes[name]
	if b == nil {
		return nil, imap.ErrNonExistent
	}
	return &toyAppender{box: b}, nil
}

func (a *toyAccount) Replace(_ context.Context, from imap.Mailbox, uid uint32, to string) (imap.Appender, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	b, old := a.boxes[to], from.(*toyBox)
	if b == nil {
		return nil, imap.ErrNonExistent
	}
	if old.find(uid) == nil {
		return nil, imap.ErrGone
	}
	return &toyAppender{box: b, old: old, uid: uid}, nil
}

func (a *toyAccount) Open(_ context.Context, name string, _ bool) (imap.Mailbox, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := a.boxes[name]
	if b == nil {
		return nil, imap.ErrNonExistent
	}
	return b, nil
}

func (a *toyAccount) QuotaRoots(context.Context, string) ([]string, error) { return []string{""}, nil }

func (a *toyAccount) Quota(_ context.Context, root string) (imap.Quota, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if root != "" {
		return imap.Quota{}, imap.ErrNonExistent
	}
	return imap.Quota{Resources: []imap.Resource{{Name: "STORAGE", Usage: a.used() / 1024, Limit: a.limit / 1024}}}, nil
}

func (a *toyAccount) SetQuota(_ context.Context, q imap.SetQuota) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if q.Root != "" {
		return imap.ErrNonExistent
	}
	a.limit = 0
	for _, r := range q.Limits {
		if r.Name != "STORAGE" {
			return imap.ErrNoPerm
		}
		a.limit = min(r.Limit, 1<<40) * 1024
	}
	return nil
}

func (a *toyAccount) used() (n int64) {
	for _, b := range a.boxes {
		for _, m := range b.msgs {
			n += m.Size
		}
	}
	return n
}

func (a *toyAccount) ObjectIDs() {}

func (a *toyAccount) WatchAccount(f func(string)) (stop func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last++
	n := a.last
	a.watchers[n] = f
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.watchers, n)
	}
}

type toyAppender struct {
	box, old *toyBox
	uid      uint32
	added    []*toyMessage
}

func (p *toyAppender) Add(ctx context.Context, m imap.NewMessage, r io.Reader) error {
	a := p.box.acc
	a.mu.Lock()
	full := a.limit > 0 && a.used()+m.Size > a.limit
	a.mu.Unlock()
	if full {
		return imap.ErrOverQuota
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	p.added = append(p.added, newMessage(text, m, a.now()))
	return ctx.Err()
}

func newMessage(text []byte, m imap.NewMessage, now time.Time) *toyMessage {
	root, _ := message.Parse(bytes.NewReader(text), message.Limits{}) // a bytes.Reader does not fail
	if m.Date.IsZero() {
		m.Date = now
	}
	return &toyMessage{text: text, root: root, Info: imap.Info{Flags: m.Flags, Size: int64(len(text)), InternalDate: m.Date, SaveDate: now, EmailID: fmt.Sprintf("M%x", len(text))}}
}

func (p *toyAppender) Commit(context.Context) (imap.AppendUID, error) {
	b := p.box
	b.acc.mu.Lock()
	defer b.acc.changed(b)
	b.acc.modseq++
	if p.old != nil {
		p.old.drop(imap.One(p.uid))
	}
	out := imap.AppendUID{UIDValidity: b.validity}
	for _, m := range p.added {
		out.UIDs.Add(b.add(m))
	}
	return out, nil
}

func (p *toyAppender) Close() error { return nil }

// add gives a message a UID; with the lock held.
func (b *toyBox) add(m *toyMessage) uint32 {
	m.UID, m.ModSeq = b.next, b.acc.modseq
	b.next++
	b.modseq = b.acc.modseq
	b.msgs = append(b.msgs, m)
	return m.UID
}

func (b *toyBox) uids() imap.Set {
	var s imap.Set
	for _, m := range b.msgs {
		s.Add(m.UID)
	}
	return s
}

func (b *toyBox) find(uid uint32) *toyMessage {
	i, ok := slices.BinarySearchFunc(b.msgs, uid, func(m *toyMessage, uid uint32) int { return int(m.UID) - int(uid) })
	if !ok {
		return nil
	}
	return b.msgs[i]
}

func (b *toyBox) drop(uids imap.Set) {
	b.modseq = b.acc.modseq
	b.msgs = slices.DeleteFunc(b.msgs, func(m *toyMessage) bool {
		if !uids.Contains(m.UID) {
			return false
		}
		b.gone = append(b.gone, toyGone{m.UID, b.modseq})
		return true
	})
}

func (b *toyBox) State(context.Context) (imap.State, error) {
	b.acc.mu.Lock()
	defer b.acc.mu.Unlock()
	st := imap.State{UIDs: b.uids(), UIDValidity: b.validity, UIDNext: b.next, ModSeq: b.modseq, ID: b.id}
	for _, m := range b.msgs {
		for _, f := range m.Flags {
			if f[0] != '\\' && !imap.HasFlag(st.Keywords, f) {
				st.Keywords = append(st.Keywords, f)
			}
		}
		if st.FirstUnseen == 0 && !imap.HasFlag(m.Flags, imap.Seen) {
			st.FirstUnseen = m.UID
		}
	}
	return st, nil
}

func (b *toyBox) Changes(_ context.Context, since uint64) (imap.Changes, error) {
	b.acc.mu.Lock()
	defer b.acc.mu.Unlock()
	if b.dead {
		return imap.Changes{}, imap.ErrNonExistent
	}
	ch := imap.Changes{ModSeq: b.modseq}
	for _, m := range b.msgs {
		if m.ModSeq > since {
			ch.Changed.Add(m.UID)
		}
	}
	for _, g := range b.gone {
		if g.modseq > since {
			ch.Gone = ch.Gone.Union(imap.One(g.uid))
		}
	}
	return ch, nil
}

func (b *toyBox) Messages(_ context.Context, uids imap.Set) iter.Seq2[imap.Info, error] {
	return func(yield func(imap.Info, error) bool) {
		b.acc.mu.Lock()
		var all []imap.Info
		for _, m := range b.msgs {
			if uids.Contains(m.UID) {
				all = append(all, m.Info)
			}
		}
		b.acc.mu.Unlock()
		for _, m := range all {
			if !yield(m, nil) {
				return
			}
		}
	}
}

func (b *toyBox) Message(_ context.Context, uid uint32) (imap.Message, error) {
	b.acc.mu.Lock()
	defer b.acc.mu.Unlock()
	m := b.find(uid)
	if m == nil {
		return nil, imap.ErrGone
	}
	return toyOpen{bytes.NewReader(m.text), m.root}, nil
}

type toyOpen struct {
	io.ReaderAt
	root *message.Part
}

func (o toyOpen) Structure(context.Context) (*message.Part, error) { return o.root, nil }
func (o toyOpen) Close() error                                     { return nil }

func (b *toyBox) Store(_ context.Context, uids imap.Set, op imap.Op, flags []imap.Flag, unchangedSince *uint64) (imap.Stored, error) {
	b.acc.mu.Lock()
	defer b.acc.changed(b)
	st := imap.Stored{ModSeq: b.acc.modseq + 1}
	for _, m := range b.msgs {
		if !uids.Contains(m.UID) {
			continue
		}
		if unchangedSince != nil && m.ModSeq > *unchangedSince {
			st.Modified.Add(m.UID)
			continue
		}
		var after []imap.Flag
		for _, f := range m.Flags {
			if op == imap.Add || (op == imap.Remove) != imap.HasFlag(flags, f) && op != imap.Replace {
				after = append(after, f)
			}
		}
		if op != imap.Remove {
			for _, f := range flags {
				if !imap.HasFlag(after, f) {
					after = append(after, f)
				}
			}
		}
		if slices.Equal(after, m.Flags) {
			continue
		}
		m.Flags, m.ModSeq = after, st.ModSeq
		b.acc.modseq, b.modseq = st.ModSeq, st.ModSeq
		st.Changed.Add(m.UID)
	}
	return st, nil
}

func (b *toyBox) Copy(_ context.Context, uids imap.Set, to string) (imap.CopyUID, error) {
	return b.copyTo(uids, to, false)
}

func (b *toyBox) Move(_ context.Context, uids imap.Set, to string) (imap.CopyUID, error) {
	return b.copyTo(uids, to, true)
}

func (b *toyBox) copyTo(uids imap.Set, to string, move bool) (imap.CopyUID, error) {
	b.acc.mu.Lock()
	dest := b.acc.boxes[to]
	if dest == nil {
		b.acc.mu.Unlock()
		return imap.CopyUID{}, imap.ErrNonExistent
	}
	defer b.acc.changed(b, dest)
	return b.transfer(uids, dest, move)
}

// transfer copies or moves; with the lock held.
func (b *toyBox) transfer(uids imap.Set, dest *toyBox, move bool) (imap.CopyUID, error) {
	b.acc.modseq++
	c := imap.CopyUID{UIDValidity: dest.validity}
	for _, m := range slices.Clone(b.msgs) {
		if !uids.Contains(m.UID) {
			continue
		}
		n := *m
		c.Source.Add(m.UID)
		c.Dest.Add(dest.add(&n))
	}
	if move {
		b.drop(c.Source)
	}
	return c, nil
}

func (b *toyBox) Expunge(_ context.Context, uids imap.Set) (imap.Set, error) {
	b.acc.mu.Lock()
	defer b.acc.changed(b)
	var gone imap.Set
	for _, m := range b.msgs {
		if uids.Contains(m.UID) && imap.HasFlag(m.Flags, imap.Deleted) {
			gone.Add(m.UID)
		}
	}
	if len(gone) > 0 {
		b.acc.modseq++
		b.drop(gone)
	}
	return gone, nil
}

func (b *toyBox) Watch(f func()) (stop func()) {
	b.acc.mu.Lock()
	defer b.acc.mu.Unlock()
	b.acc.last++
	n := b.acc.last
	b.watchers[n] = f
	return func() {
		b.acc.mu.Lock()
		defer b.acc.mu.Unlock()
		delete(b.watchers, n)
	}
}

func (b *toyBox) Close() error { return nil }

// put puts messages into a mailbox, as deliveries do.
func (t *toy) put(user, box string, texts ...string) {
	a := t.account(user)
	a.mu.Lock()
	b := a.boxes[box]
	defer a.changed(b)
	for _, text := range texts {
		a.modseq++
		b.add(newMessage([]byte(strings.ReplaceAll(text, "\n", "\r\n")), imap.NewMessage{}, a.now()))
	}
}

var (
	_ imap.Backend        = (*toy)(nil)
	_ imap.Account        = (*toyAccount)(nil)
	_ imap.QuotaSetter    = (*toyAccount)(nil)
	_ imap.Replacer       = (*toyAccount)(nil)
	_ imap.ObjectIDs      = (*toyAccount)(nil)
	_ imap.AccountWatcher = (*toyAccount)(nil)
	_ imap.Mailbox        = (*toyBox)(nil)
)

// fixed is a Backend with one account.
type fixed struct{ acc imap.Account }

func (f fixed) Account(context.Context, auth.Identity) (imap.Account, error) { return f.acc, nil }
