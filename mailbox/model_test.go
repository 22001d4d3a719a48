package mailbox_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/store"
)

// model is an account with its mailboxes, kept as simply as can be.
type model struct {
	boxes map[string]*modelBox
	used  mailbox.Limits
}

type modelBox struct {
	handle   *mailbox.Mailbox
	next     mailbox.UID
	modSeq   uint64
	messages []modelMessage
	gone     map[mailbox.UID]uint64 // when
}

type modelMessage struct {
	uid      mailbox.UID
	modSeq   uint64
	flags    mailbox.Flags
	keywords []string
	body     string
}

// uids are those of the messages for which f holds.
func (b *modelBox) uids(f func(m *modelMessage) bool) mailbox.Set {
	var out []mailbox.UID
	for i := range b.messages {
		if f(&b.messages[i]) {
			out = append(out, b.messages[i].uid)
		}
	}
	return mailbox.SetOf(out...)
}

// play is one run of random operations.
type play struct {
	t     *testing.T
	s     *mailbox.Store
	a     *mailbox.Account
	rng   *rand.Rand
	model model
	n     int // messages made
}

// Random operations do the same to an account and to a model.
func TestModel(t *testing.T) {
	engines(t, func(t *testing.T, e store.Engine) {
		for seed := range uint64(2) {
			s := mailbox.New(e, mailbox.Options{AnyAccount: true})
			p := &play{t: t, s: s, a: account(t, s, fmt.Sprint(seed)), rng: rand.New(rand.NewPCG(seed, 1))}
			p.model.boxes = map[string]*modelBox{}
			p.created("INBOX", box(t, p.a, "INBOX"))
			for step := range 150 {
				p.step()
				if step%8 == 0 {
					p.check()
				}
				if t.Failed() {
					t.Fatalf("seed %d, step %d", seed, step)
				}
			}
			p.check()
			if err := s.DeleteAccount(t.Context(), fmt.Sprint(seed)); err != nil {
				t.Error(err)
			}
		}
		leftNothing(t, e)
	})
}

// leftNothing checks that accounts that are gone have left no key.
func leftNothing(t *testing.T, e store.Engine) {
	err := e.View(t.Context(), func(r store.Reader) error {
		for k := range r.Ascend(nil, nil) {
			if k[0] != 'N' {
				t.Errorf("left behind: %q", k)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func (p *play) created(name string, m *mailbox.Mailbox) *modelBox {
	b := &modelBox{handle: m, next: 1, modSeq: 1, gone: map[mailbox.UID]uint64{}}
	p.model.boxes[name] = b
	return b
}

func (p *play) pick() (string, *modelBox) {
	names := slices.Sorted(maps.Keys(p.model.boxes))
	name := names[p.rng.IntN(len(names))]
	return name, p.model.boxes[name]
}

// some is a random set of UIDs, of which some may not be there.
func (p *play) some(b *modelBox) mailbox.Set {
	if p.rng.IntN(8) == 0 {
		return mailbox.All()
	}
	var s mailbox.Set
	for range 1 + p.rng.IntN(3) {
		first := 1 + p.rng.Uint32N(b.next+2)
		s = s.Or(mailbox.Set{{First: first, Last: first + p.rng.Uint32N(20)}})
	}
	return s
}

func (p *play) step() {
	switch p.rng.IntN(12) {
	case 0, 1, 2, 3:
		p.append()
	case 4, 5:
		p.setFlags()
	case 6:
		p.expunge()
	case 7:
		p.copy(false)
	case 8:
		p.copy(true)
	case 9:
		p.create()
	case 10:
		p.delete()
	case 11:
		p.deliver()
	}
}

func (p *play) body() (mailbox.NewMessage, modelMessage) {
	p.n++
	m := modelMessage{body: fmt.Sprintf("message %d", p.n), flags: mailbox.Flags(p.rng.UintN(32))}
	if p.rng.IntN(2) == 0 {
		m.keywords = []string{fmt.Sprint("k", p.rng.IntN(5))}
	}
	n := text(p.t, p.s, m.body)
	n.Flags, n.Keywords = m.flags, m.keywords
	return n, m
}

func (p *play) append() {
	_, b := p.pick()
	b.modSeq++
	var messages []mailbox.NewMessage
	first := b.next
	for range 1 + p.rng.IntN(60) {
		n, m := p.body()
		messages = append(messages, n)
		p.add(b, m)
	}
	got, err := b.handle.Append(p.t.Context(), messages...)
	if err != nil || !slices.Equal(got.UIDs, mailbox.Set{{First: first, Last: b.next - 1}}) {
		p.t.Errorf("Append: %v, %v, want from %d", got, err, first)
	}
}

func (p *play) add(b *modelBox, m modelMessage) {
	m.uid, m.modSeq = b.next, b.modSeq
	b.next++
	b.messages = append(b.messages, m)
	p.model.used.Messages++
	p.model.used.Size += int64(len(m.body))
}

func (p *play) deliver() {
	b := p.model.boxes["INBOX"]
	b.modSeq++
	n, m := p.body()
	p.add(b, m)
	got, err := p.s.Deliver(p.t.Context(), n, []mailbox.Recipient{{Account: p.a.Name()}})
	if err != nil || got[0].UID != b.next-1 {
		p.t.Errorf("Deliver: %+v, %v", got, err)
	}
}

func (p *play) setFlags() {
	_, b := p.pick()
	set := p.some(b)
	c := mailbox.FlagChange{Op: mailbox.Op(p.rng.UintN(3)), Flags: mailbox.Flags(p.rng.UintN(32)), Keywords: []string{fmt.Sprint("K", p.rng.IntN(5))}}
	var since *uint64
	if p.rng.IntN(3) == 0 {
		n := p.rng.Uint64N(b.modSeq + 1)
		since = &n
	}
	var changed, modified []mailbox.UID
	for i := range b.messages {
		m := &b.messages[i]
		if !set.Contains(m.uid) {
			continue
		}
		if since != nil && m.modSeq > *since {
			modified = append(modified, m.uid)
			continue
		}
		if m.apply(c) {
			m.modSeq = b.modSeq + 1
			changed = append(changed, m.uid)
		}
	}
	if len(changed) > 0 {
		b.modSeq++
	}
	got, err := b.handle.SetFlags(p.t.Context(), set, c, since)
	if err != nil || got.ModSeq != b.modSeq || !slices.Equal(got.Changed, mailbox.SetOf(changed...)) || !slices.Equal(got.Modified, mailbox.SetOf(modified...)) {
		p.t.Errorf("SetFlags(%v, %+v): %+v, %v; want %v, %v, %d", set, c, got, err, changed, modified, b.modSeq)
	}
}

func (m *modelMessage) apply(c mailbox.FlagChange) bool {
	flags, keywords := m.flags, slices.Clone(m.keywords)
	k := "k" + c.Keywords[0][1:]
	has := slices.Contains(m.keywords, k)
	switch c.Op {
	case mailbox.Add:
		m.flags |= c.Flags
		if !has {
			m.keywords = append(slices.Clone(m.keywords), k)
		}
	case mailbox.Remove:
		m.flags &^= c.Flags
		m.keywords = slices.DeleteFunc(slices.Clone(m.keywords), func(s string) bool { return s == k })
	case mailbox.Replace:
		m.flags, m.keywords = c.Flags, []string{k}
	}
	return flags != m.flags || !slices.Equal(lower(keywords), lower(m.keywords))
}

// lower puts keywords in order and into one case.
func lower(keywords []string) (out []string) {
	for _, k := range keywords {
		out = append(out, "k"+k[1:])
	}
	slices.Sort(out)
	return out
}

// take removes messages.
func (p *play) take(b *modelBox, uids mailbox.Set) (taken []modelMessage) {
	if uids == nil {
		return nil
	}
	b.modSeq++
	b.messages = slices.DeleteFunc(b.messages, func(m modelMessage) bool {
		if !uids.Contains(m.uid) {
			return false
		}
		taken = append(taken, m)
		b.gone[m.uid] = b.modSeq
		p.model.used.Messages--
		p.model.used.Size -= int64(len(m.body))
		return true
	})
	return taken
}

func (p *play) expunge() {
	_, b := p.pick()
	set := p.some(b)
	do, filter := b.handle.Expunge, func(m *modelMessage) bool { return m.flags&mailbox.Deleted != 0 && set.Contains(m.uid) }
	if p.rng.IntN(2) == 0 {
		do, filter = b.handle.Remove, func(m *modelMessage) bool { return set.Contains(m.uid) }
	}
	want := b.uids(filter)
	p.take(b, want)
	got, err := do(p.t.Context(), set)
	if err != nil || !slices.Equal(got, want) {
		p.t.Errorf("expunge %v: %v, %v, want %v", set, got, err, want)
	}
}

func (p *play) copy(move bool) {
	_, from := p.pick()
	name, to := p.pick()
	set := p.some(from)
	uids := from.uids(func(m *modelMessage) bool { return set.Contains(m.uid) })
	if uids.Len() > 200 {
		return // so that it ends
	}
	do := from.handle.Copy
	var messages []modelMessage
	was := from.modSeq
	if move {
		do = from.handle.Move
		messages = p.take(from, uids)
	} else {
		messages = slices.DeleteFunc(slices.Clone(from.messages), func(m modelMessage) bool { return !uids.Contains(m.uid) })
	}
	first := to.next
	if len(messages) > 0 && (to != from || to.modSeq == was) {
		to.modSeq++
	}
	for _, m := range messages {
		p.add(to, m)
	}
	got, err := do(p.t.Context(), set, name)
	var want mailbox.Set
	if len(messages) > 0 {
		want = mailbox.Set{{First: first, Last: to.next - 1}}
	}
	if err != nil || !slices.Equal(got.From, uids) || !slices.Equal(got.To, want) {
		p.t.Errorf("copy %v: %+v, %v; want %v to %v", set, got, err, uids, want)
	}
}

func (p *play) create() {
	name := fmt.Sprint("box", p.rng.IntN(4))
	m, err := p.a.Create(p.t.Context(), name, "")
	if p.model.boxes[name] != nil {
		if !errors.Is(err, mailbox.ErrExists) {
			p.t.Errorf("Create: %v", err)
		}
		return
	}
	if err != nil {
		p.t.Errorf("Create: %v", err)
		return
	}
	p.created(name, m)
}

func (p *play) delete() {
	name, b := p.pick()
	if name == "INBOX" || p.rng.IntN(3) > 0 {
		return
	}
	if err := p.a.Delete(p.t.Context(), name); err != nil {
		p.t.Errorf("Delete: %v", err)
	}
	p.take(b, mailbox.All())
	delete(p.model.boxes, name)
	if _, err := b.handle.Status(p.t.Context()); !errors.Is(err, mailbox.ErrNoMailbox) {
		p.t.Errorf("Status of a mailbox that is gone: %v", err)
	}
}

// check compares everything.
func (p *play) check() {
	q, err := p.a.Quota(p.t.Context())
	if err != nil || q.Used != p.model.used {
		p.t.Errorf("Quota: %+v, %v, want %+v", q, err, p.model.used)
	}
	for name, b := range p.model.boxes {
		p.checkState(name, b)
		p.checkMessages(name, b)
		p.checkChanges(name, b)
	}
}

func (p *play) checkState(name string, b *modelBox) {
	all := b.uids(func(*modelMessage) bool { return true })
	unseen := b.uids(func(m *modelMessage) bool { return m.flags&mailbox.Seen == 0 })
	deleted := b.uids(func(m *modelMessage) bool { return m.flags&mailbox.Deleted != 0 })
	st := state(p.t, b.handle)
	if !slices.Equal(st.UIDs, all) || int(st.Messages) != all.Len() || int(st.Unseen) != unseen.Len() ||
		int(st.Deleted) != deleted.Len() || st.UIDNext != b.next || st.ModSeq != b.modSeq {
		p.t.Errorf("%s: state %+v, want %v, %d unseen, %d deleted, next %d, modseq %d", name, st, all, unseen.Len(), deleted.Len(), b.next, b.modSeq)
	}
	first := mailbox.UID(0)
	if len(unseen) > 0 {
		first = unseen[0].First
	}
	var size, deletedSize int64
	for _, m := range b.messages {
		size += int64(len(m.body))
		if m.flags&mailbox.Deleted != 0 {
			deletedSize += int64(len(m.body))
		}
	}
	if st.FirstUnseen != first || st.Size != size || st.DeletedSize != deletedSize {
		p.t.Errorf("%s: state %+v, want first unseen %d, sizes %d and %d", name, st, first, size, deletedSize)
	}
}

func (p *play) checkMessages(name string, b *modelBox) {
	set := p.some(b)
	var want []modelMessage
	for _, m := range b.messages {
		if set.Contains(m.uid) {
			want = append(want, m)
		}
	}
	got := list(p.t, b.handle, set)
	if len(got) != len(want) {
		p.t.Fatalf("%s: %d messages of %v, want %d", name, len(got), set, len(want))
	}
	for i, m := range got {
		w := want[i]
		if m.UID != w.uid || m.ModSeq != w.modSeq || m.Flags != w.flags || m.Size != int64(len(w.body)) || !slices.Equal(lower(m.Keywords), lower(w.keywords)) {
			p.t.Errorf("%s: %+v, want %+v", name, m, w)
		}
	}
	if len(got) > 0 {
		i := p.rng.IntN(len(got))
		if body := read(p.t, b.handle, got[i].UID); body != want[i].body {
			p.t.Errorf("%s: %d is %q, want %q", name, got[i].UID, body, want[i].body)
		}
	}
}

func (p *play) checkChanges(name string, b *modelBox) {
	since := p.rng.Uint64N(b.modSeq + 1)
	if p.rng.IntN(2) == 0 {
		since = b.modSeq - min(b.modSeq, p.rng.Uint64N(5))
	}
	changed := b.uids(func(m *modelMessage) bool { return m.modSeq > since })
	var gone []mailbox.UID
	for uid, when := range b.gone {
		if when > since {
			gone = append(gone, uid)
		}
	}
	c := must[mailbox.Changes](p.t)(b.handle.Changes(p.t.Context(), since))
	if !slices.Equal(c.Changed, changed) || !slices.Equal(c.Gone, mailbox.SetOf(gone...)) || c.Status.ModSeq != b.modSeq {
		p.t.Errorf("%s: since %d of %d: %+v, want %v and %v", name, since, b.modSeq, c, changed, mailbox.SetOf(gone...))
	}
}
