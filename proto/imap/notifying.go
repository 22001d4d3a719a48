package imap

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
)

// notifying is a NOTIFY that is in force. The account wakes the talk; Push says
// what there is to say.
type notifying struct {
	groups []NotifyGroup
	stop   func()
	list   map[string]Entry // the mailboxes that the client has been told of

	mu    sync.Mutex
	dirty map[string]bool // mailboxes that changed; "": the list
}

// notify is NOTIFY (RFC 5465 section 3.1).
func (s *session) notify(ctx context.Context, c Command) (Status, error) {
	cmd, err := ParseNotify(c.Args, s.utf8())
	if err != nil {
		return Status{}, err
	}
	for _, g := range cmd.Groups {
		for _, e := range g.Events {
			if !slices.Contains(knownEvents, e) {
				return Status{NO, Code{"BADEVENT", "(" + strings.Join(knownEvents, " ") + ")"}, "There is no such event here"}, nil
			}
		}
	}
	s.unnotify()
	if len(cmd.Groups) == 0 {
		return Status{}, nil
	}
	n := &notifying{groups: cmd.Groups, dirty: map[string]bool{}}
	n.stop = s.account.(AccountWatcher).WatchAccount(func(mailbox string) {
		n.mu.Lock()
		n.dirty[mailbox] = true
		n.mu.Unlock()
		s.talk.Wake()
	})
	s.notified = n
	if n.list, err = s.listed(ctx); err != nil {
		s.unnotify()
		return Status{}, err
	}
	if !cmd.Status {
		return Status{}, nil
	}
	for _, name := range slices.Sorted(maps.Keys(n.list)) {
		e := n.list[name]
		if g := n.group(&e); g == nil || !g.has(EventMessageNew) || s.box != nil && s.box.name == name {
			continue
		}
		if err := s.tellChange(ctx, &e); err != nil {
			return Status{}, err
		}
	}
	return Status{}, nil
}

// unnotify ends what NOTIFY began.
func (s *session) unnotify() {
	if s.notified != nil {
		s.notified.stop()
		s.notified = nil
	}
}

// listed is all mailboxes, by their names.
func (s *session) listed(ctx context.Context) (map[string]Entry, error) {
	entries, err := s.account.List(ctx)
	if err != nil {
		return nil, err
	}
	all := make(map[string]Entry, len(entries))
	for _, e := range entries {
		all[e.Name] = e
	}
	return all, nil
}

// group is what counts for a mailbox that is not selected; nil: nothing does.
func (n *notifying) group(e *Entry) *NotifyGroup {
	for i := range n.groups {
		if n.groups[i].fits(e) {
			return &n.groups[i]
		}
	}
	return nil
}

// selected is what counts for the mailbox that is selected.
func (n *notifying) selected() *NotifyGroup {
	for i := range n.groups {
		if strings.HasPrefix(n.groups[i].Filter, "SELECTED") {
			return &n.groups[i]
		}
	}
	return nil
}

// news says what changed, between two commands.
func (s *session) news(ctx context.Context) error {
	n := s.notified
	n.mu.Lock()
	dirty := n.dirty
	n.dirty = map[string]bool{}
	n.mu.Unlock()
	if dirty[""] || n.bySubscription() {
		if err := s.tellMailboxes(ctx); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(dirty)) {
		if s.box != nil && s.box.name == name {
			if g := n.selected(); g != nil && g.has(EventMessageNew) && s.idle == "" {
				if err := s.sync(ctx, g.Filter == "SELECTED"); err != nil {
					return err
				}
			}
			continue
		}
		e, ok := n.list[name]
		if !ok || e.Missing {
			continue
		}
		if g := n.group(&e); g == nil || !g.has(EventMessageNew) {
			continue
		}
		if err := s.tellChange(ctx, &e); err != nil {
			s.complain(ctx, err)
		}
	}
	return nil
}

// bySubscription tells whether it matters what is subscribed to.
func (n *notifying) bySubscription() bool {
	return slices.ContainsFunc(n.groups, func(g NotifyGroup) bool { return g.Filter == "SUBSCRIBED" })
}

// tellChange tells of a mailbox whose messages changed (RFC 5465 section 5).
func (s *session) tellChange(ctx context.Context, e *Entry) error {
	items := []string{StatusMessages, StatusUIDNext, StatusUIDValidity, StatusUnseen}
	if s.enabled.condstore {
		items = append(items, StatusHighestModSeq)
	}
	return s.tellStatus(ctx, e.Name, items)
}

// tellMailboxes tells of mailboxes that came, went, or changed in the
// subscriptions (RFC 5465 section 5.4 and 5.5).
func (s *session) tellMailboxes(ctx context.Context) error {
	n := s.notified
	now, err := s.listed(ctx)
	if err != nil {
		s.complain(ctx, err)
		return nil
	}
	old := n.list
	n.list = now
	names := maps.Clone(now)
	maps.Copy(names, old)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, before := old[name]
		is, after := now[name]
		before, after = before && !was.Missing, after && !is.Missing
		e := is
		if e.Name == "" {
			e = was
		}
		g := n.group(&e)
		if g == nil && was.Name != "" { // it may have gone from the subscriptions
			g = n.group(&was)
		}
		if g == nil {
			continue
		}
		named := g.has(EventMailboxName) && before != after
		if !named && !(g.has(EventSubscriptionChange) && was.Subscribed != is.Subscribed) {
			continue
		}
		r := ListReply{Delimiter: "/", Name: name}
		if !after {
			r.Attrs = append(r.Attrs, NonExistent)
		}
		if is.Subscribed {
			r.Attrs = append(r.Attrs, Subscribed)
		}
		s.tellList("LIST", r)
	}
	return nil
}

// tellNew tells of new messages what NOTIFY asked for.
func (s *session) tellNew(ctx context.Context, uids Set) error {
	if s.notified == nil {
		return nil
	}
	g := s.notified.selected()
	if g == nil || len(g.Items) == 0 {
		return nil
	}
	f := s.fetching(ctx, &Fetch{Where: Where{UID: true}, Items: g.Items})
	defer f.end()
	for m, err := range s.box.box.Messages(ctx, uids) {
		if err == nil {
			err = f.message(m)
		}
		if end, ok := errors.AsType[*ending](err); ok {
			return end
		}
		if err != nil {
			s.complain(ctx, err)
		}
	}
	return nil
}
