package imap

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
)

// errLeft is a loop that was left.
var errLeft = errors.New("imap: the loop was left")

// watching is a loop over Watch.
type watching struct {
	w       *Watcher
	mailbox string
	mark    Mark
	yield   func(News, error) bool
	stood   bool // there was a session
	left    bool // the loop was left while the server told

	// Of the session:
	caps      Capabilities
	notified  bool // the server tells unasked
	qresync   bool
	condstore bool

	// Of Watcher.Changes:
	looked bool              // there is
	known  Set               // what was there at the last look
	flags  map[uint32]string // as they were told last; without CONDSTORE of all
}

// session watches until the connection is lost, or with errLeft. well tells that
// it had begun to wait.
func (s *watching) session(ctx context.Context) (well bool, err error) {
	c, err := s.w.Dial(ctx)
	if err != nil {
		return false, err
	}
	defer c.Close()
	if err := s.open(ctx, c); err != nil {
		return false, err
	}
	if err := s.notify(ctx, c); err != nil {
		return false, err
	}
	for {
		c.stirred = false
		if err := s.catchUp(ctx, c); err != nil {
			return well, err
		}
		if c.stirred { // something happened while we asked
			continue
		}
		if err := s.wait(ctx, c); err != nil {
			return true, err
		}
		if s.left {
			return true, errLeft
		}
		well = true
	}
}

// open opens the mailbox, and takes in what a server with QRESYNC tells of the
// time without a connection.
func (s *watching) open(ctx context.Context, c *Client) error {
	var err error
	if s.caps, err = c.Capabilities(ctx); err != nil {
		return err
	}
	sel := Select{Name: s.mailbox}
	s.qresync = false
	if s.w.Changes && s.caps.Has("QRESYNC") {
		if _, err := c.Enable("QRESYNC").Wait(ctx); err != nil && !refused(err) {
			return err
		}
		s.qresync = c.Enabled().Has("QRESYNC")
		if s.qresync && s.mark.ModSeq > 0 && s.mark.UID > 0 {
			sel.QResync = &QResync{UIDValidity: s.mark.UIDValidity, ModSeq: s.mark.ModSeq, Known: s.old()}
		}
	}
	sel.CondStore = s.w.Changes && !s.qresync && s.caps.Has("CONDSTORE")
	box, err := c.Examine(sel).Wait(ctx)
	if err != nil {
		return err
	}
	s.stood = true
	s.condstore = box.HighestModSeq > 0 && (s.qresync || sel.CondStore)
	s.qresync = s.qresync && s.condstore // without, it tells nothing of what went meanwhile
	if s.mark.UIDValidity != box.UIDValidity {
		return s.begin(ctx, c, box)
	}
	if !s.condstore {
		s.mark.ModSeq = 0
		return nil
	}
	if s.mark.ModSeq == 0 {
		s.mark.ModSeq = box.HighestModSeq
	}
	if sel.QResync == nil {
		return nil
	}
	if err := s.gone(box.Vanished); err != nil {
		return err
	}
	return s.changed(box.Changed, box.HighestModSeq)
}

// begin is the first look into a mailbox, or into another one.
func (s *watching) begin(ctx context.Context, c *Client, box *Selected) error {
	reset := s.mark.UIDValidity != 0
	last, err := lastUID(ctx, c, box)
	if err != nil {
		return err
	}
	s.mark = Mark{UIDValidity: box.UIDValidity, UID: last}
	if s.condstore {
		s.mark.ModSeq = box.HighestModSeq
	}
	s.looked = false
	if reset {
		return s.say(News{Reset: true})
	}
	return nil
}

// lastUID is the largest UID that was ever given, or that there is.
func lastUID(ctx context.Context, c *Client, box *Selected) (uint32, error) {
	if box.UIDNext > 0 {
		return box.UIDNext - 1, nil
	}
	found, err := c.Search(Search{Key: Key{Name: "ALL"}}, true).Wait(ctx)
	return found.All.Largest(), err
}

// old is where the messages are that were told of, or were there before.
func (s *watching) old() Set {
	if s.mark.UID == 0 {
		return nil
	}
	return Set{{1, s.mark.UID}}
}

// say tells something.
func (s *watching) say(n News) error {
	n.Mark = s.mark
	if !s.yield(n, nil) {
		return errLeft
	}
	return nil
}

// items is what is asked of new messages.
func (s *watching) items() []FetchItem {
	items := s.w.Items
	if items == nil {
		items = []FetchItem{{Name: ItemFlags}, {Name: ItemInternalDate}, {Name: ItemSize}, {Name: ItemEnvelope}}
	}
	need := []FetchItem{{Name: ItemUID}}
	if s.w.Changes {
		need = append(need, FetchItem{Name: ItemFlags})
	}
	for _, n := range need {
		if !slices.ContainsFunc(items, func(i FetchItem) bool { return i.Name == n.Name }) {
			items = append([]FetchItem{n}, items...)
		}
	}
	return items
}

// catchUp tells what happened: what went, what came, what changed. In this order
// nothing is lost that the server tells between two answers.
func (s *watching) catchUp(ctx context.Context, c *Client) error {
	if s.w.Changes && !s.qresync || s.w.Changes && !s.looked {
		if err := s.look(ctx, c); err != nil {
			return err
		}
	}
	if s.mark.UID < 1<<32-1 {
		where := Where{UID: true, Set: Set{{First: s.mark.UID + 1}}} // up to "*", the last, even if that is old
		items := s.items()
		all, err := c.FetchAll(Fetch{Where: where, Items: items}).Wait(ctx)
		if err != nil {
			return err
		}
		slices.SortFunc(all, func(a, b *Fetched) int { return cmp.Compare(a.UID, b.UID) }) // servers may answer in any order
		more := slices.ContainsFunc(items, func(i FetchItem) bool { return isMore(i.Name) })
		for _, m := range all {
			if m.UID > s.mark.UID && c.stirred && more && m.onlyFlags() {
				break // it came while we asked: of this one, and of those behind it, we ask again
			}
			if m.UID > s.mark.UID && !s.fresh(m) {
				return errLeft
			}
		}
	}
	if !s.w.Changes || s.mark.UID == 0 {
		return nil
	}
	f := Fetch{Where: Where{UID: true, Set: s.old()}, Items: []FetchItem{{Name: ItemFlags}}}
	if s.condstore {
		f.ChangedSince, f.Vanished = s.mark.ModSeq, s.qresync
		f.Items = append(f.Items, FetchItem{Name: ItemModSeq})
	}
	var vanished Set
	k := c.FetchAll(f)
	k.x.on = func(r Response) (bool, error) {
		if r.Name != "VANISHED" {
			return false, nil
		}
		v, err := ParseVanished(r.Rest)
		vanished = vanished.Union(v.UIDs.Resolve(1<<32 - 1))
		return true, err
	}
	all, err := k.Wait(ctx)
	if err != nil {
		return err
	}
	if err := s.gone(vanished); err != nil {
		return err
	}
	return s.changed(all, 0)
}

// look finds out what is there; what was known and is not is gone.
func (s *watching) look(ctx context.Context, c *Client) error {
	found, err := c.Search(Search{Key: Key{Name: "ALL"}}, true).Wait(ctx)
	if err != nil {
		return err
	}
	here := found.All.Intersect(s.old())
	if s.looked {
		return s.gone(s.known.Minus(here))
	}
	s.looked, s.known, s.flags = true, here, map[uint32]string{}
	if s.condstore || len(here) == 0 {
		return nil
	}
	all, err := c.FetchAll(Fetch{Where: Where{UID: true, Set: s.old()}, Items: []FetchItem{{Name: ItemFlags}}}).Wait(ctx)
	for _, m := range all {
		s.flags[m.UID] = flagText(m.Flags)
	}
	return err
}

// fresh tells of a new message; false: the loop was left.
func (s *watching) fresh(m *Fetched) bool {
	s.mark.UID = m.UID
	if s.w.Changes {
		s.known.Add(m.UID)
		s.flags[m.UID] = flagText(m.Flags)
	}
	return s.say(News{Fetched: m}) == nil
}

// gone tells of what went, once.
func (s *watching) gone(uids Set) error {
	within := s.known
	if !s.looked {
		within = s.old()
	}
	if uids = uids.Intersect(within); len(uids) == 0 {
		return nil
	}
	s.known = s.known.Minus(uids)
	for uid := range s.flags {
		if uids.Contains(uid) {
			delete(s.flags, uid)
		}
	}
	return s.say(News{Gone: uids})
}

// changed tells of flags that are others than those that were told, and then
// knows all changes up to the highest.
func (s *watching) changed(all []*Fetched, highest uint64) error {
	for _, m := range all {
		highest = max(highest, m.ModSeq)
		if m.UID == 0 || m.UID > s.mark.UID || !m.Has(ItemFlags) {
			continue
		}
		text := flagText(m.Flags)
		if was, told := s.flags[m.UID]; told && was == text {
			continue
		}
		if s.flags == nil {
			s.flags = map[uint32]string{}
		}
		s.flags[m.UID] = text
		if err := s.say(News{Fetched: m, Changed: true}); err != nil {
			return err
		}
	}
	if s.condstore {
		s.mark.ModSeq = max(s.mark.ModSeq, highest)
	}
	return nil
}

// flagText is flags, to be compared.
func flagText(flags []Flag) string {
	var words []string
	for _, f := range flags {
		if !f.Is(Recent) { // it is a session's
			words = append(words, strings.ToLower(string(f)))
		}
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}
