package imap

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/farend-go/farend/proto/imap/internal/token"
)

// oneName reads a mailbox name that is the only argument.
func (s *session) oneName(c Command) (string, error) {
	l := token.New(c.Args)
	wire := l.AString()
	if err := l.End(); err != nil {
		return "", err
	}
	return readName(wire, s.utf8())
}

// maxName is how long a mailbox name may be, in bytes.
const maxName = 1000

// proper tells whether a mailbox can be made of a name.
func proper(name string) error {
	switch {
	case name == "", len(name) > maxName, strings.HasPrefix(name, "/"), strings.Contains(name, "//"), strings.ContainsAny(name, "*%"):
		return ErrName
	}
	return nil
}

// create makes a mailbox, perhaps for a special use (RFC 9051 section 6.3.4,
// RFC 6154 section 3). A name that ends with "/" only announces ones below.
func (s *session) create(ctx context.Context, c Command) (Status, error) {
	l := token.New(c.Args)
	names := nameReader{utf8: s.utf8()}
	name := names.read(l.AString())
	var use []string
	if l.Take(' ') {
		l.Open()
		if l.Name() != "USE" {
			l.Fail("USE")
		}
		l.SP()
		l.List(func() { use = append(use, l.Flag()) })
		l.Close()
	}
	name = strings.TrimSuffix(name, "/")
	if err := errors.Join(l.End(), names.err, proper(name)); err != nil {
		return Status{}, err
	}
	for i, u := range use {
		known := slices.IndexFunc(specialUses, func(k string) bool { return strings.EqualFold(k, u) })
		if known < 0 {
			return Status{}, ErrUse
		}
		use[i] = specialUses[known]
	}
	id, err := s.account.Create(ctx, name, use)
	if err != nil || id == "" {
		return Status{}, err
	}
	return Status{Code: Code{"MAILBOXID", "(" + id + ")"}}, nil
}

// delete removes a mailbox (RFC 9051 section 6.3.5).
func (s *session) delete(ctx context.Context, c Command) (Status, error) {
	name, err := s.oneName(c)
	if err != nil {
		return Status{}, err
	}
	if name == "INBOX" {
		return Status{}, ErrCannot
	}
	if s.box != nil && s.box.name == name {
		if err := s.unselect(); err != nil {
			return Status{}, err
		}
		s.untagged(Status{OK, Code{Name: "CLOSED"}, "The mailbox is being deleted"})
	}
	return Status{}, s.account.Delete(ctx, name)
}

// rename renames a mailbox (RFC 9051 section 6.3.6).
func (s *session) rename(ctx context.Context, c Command) (Status, error) {
	l := token.New(c.Args)
	names := nameReader{utf8: s.utf8()}
	from := names.read(l.AString())
	l.SP()
	to := strings.TrimSuffix(names.read(l.AString()), "/")
	if err := errors.Join(l.End(), names.err, proper(to)); err != nil {
		return Status{}, err
	}
	if strings.HasPrefix(to, from+"/") {
		return Status{}, ErrCannot
	}
	if err := s.account.Rename(ctx, from, to); err != nil {
		return Status{}, err
	}
	if s.box != nil && from != "INBOX" {
		if below, ok := strings.CutPrefix(s.box.name, from); ok && (below == "" || below[0] == '/') {
			s.box.name = to + below
		}
	}
	return Status{}, nil
}

func (s *session) subscribe(ctx context.Context, c Command) (Status, error) {
	name, err := s.oneName(c)
	if err = errors.Join(err, proper(name)); err != nil {
		return Status{}, err
	}
	return Status{}, s.account.Subscribe(ctx, name, true)
}

func (s *session) unsubscribe(ctx context.Context, c Command) (Status, error) {
	name, err := s.oneName(c)
	if err != nil {
		return Status{}, err
	}
	return Status{}, s.account.Subscribe(ctx, name, false)
}

// namespace tells where mailboxes may be (RFC 2342).
func (s *session) namespace(ctx context.Context, _ Command) (Status, error) {
	n := Namespaces{Personal: []Namespace{{"", "/"}}}
	if lister, ok := s.account.(NamespaceLister); ok {
		var err error
		if n, err = lister.Namespaces(ctx); err != nil {
			return Status{}, err
		}
	}
	s.response("NAMESPACE", func(b []byte) []byte { return n.Append(s.style(), b) })
	return Status{}, nil
}

// status tells of a mailbox that need not be open (RFC 9051 section 6.3.11).
func (s *session) status(ctx context.Context, c Command) (Status, error) {
	cmd, err := ParseStatusCommand(c.Args, s.utf8())
	if err != nil {
		return Status{}, err
	}
	return Status{}, s.tellStatus(ctx, cmd.Name, cmd.Items)
}

func (s *session) tellStatus(ctx context.Context, name string, items []string) error {
	if slices.Contains(items, StatusHighestModSeq) { // RFC 7162 section 3.1
		s.enabled.condstore = true
	}
	st, err := s.account.Status(ctx, name, items)
	if err != nil {
		return err
	}
	if st.AppendLimit == 0 || st.AppendLimit > s.limits.Message {
		st.AppendLimit = s.limits.Message
	}
	if st.MailboxID == "" {
		items = slices.DeleteFunc(slices.Clone(items), func(i string) bool { return i == StatusMailboxID })
	}
	s.response("STATUS", func(b []byte) []byte {
		return StatusReply{Name: name, Items: items, MailboxStatus: st}.Append(s.style(), b)
	})
	return nil
}

// node is a name in the tree of mailboxes.
type node struct {
	Entry
	exists   bool // it is there, or subscribed to
	children bool // there are mailboxes below
	below    bool // and some of them are selected for
}

// tree is all mailboxes by their names, with those that are only between.
func (s *session) tree(ctx context.Context, selects func(*Entry) bool) (map[string]*node, error) {
	entries, err := s.account.List(ctx)
	if err != nil {
		return nil, err
	}
	tree := make(map[string]*node, len(entries))
	get := func(name string) *node {
		n := tree[name]
		if n == nil {
			n = &node{Entry: Entry{Name: name, Missing: true}}
			tree[name] = n
		}
		return n
	}
	for _, e := range entries {
		n := get(e.Name)
		n.Entry, n.exists = e, true
	}
	for _, e := range entries {
		fits := selects(&e)
		for i := strings.LastIndexByte(e.Name, '/'); i > 0; i = strings.LastIndexByte(e.Name[:i], '/') {
			parent := get(e.Name[:i])
			parent.children = parent.children || !e.Missing
			parent.below = parent.below || fits
		}
	}
	return tree, nil
}

// list is LIST with its options (RFC 9051 section 6.3.9, RFC 5258, RFC 5819,
// RFC 6154).
func (s *session) list(ctx context.Context, c Command) (Status, error) {
	cmd, err := ParseList(c.Args, s.utf8())
	if err != nil {
		return Status{}, err
	}
	if !cmd.extended() && cmd.Patterns[0] == "" { // what separates the levels?
		root, _, found := strings.Cut(cmd.Reference, "/")
		if found {
			root += "/"
		} else {
			root = ""
		}
		s.tellList("LIST", ListReply{Attrs: []string{NoSelect}, Delimiter: "/", Name: root})
		return Status{}, nil
	}
	selects := func(e *Entry) bool {
		return (!cmd.Subscribed || e.Subscribed) && (!cmd.SpecialUse || len(e.Use) > 0)
	}
	tree, err := s.tree(ctx, selects)
	if err != nil {
		return Status{}, err
	}
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		n := tree[name]
		if !cmd.names(name) {
			continue
		}
		chosen := n.exists && selects(&n.Entry)
		if n.Missing && !cmd.Subscribed && !cmd.SpecialUse {
			chosen = n.children // there is none of this name, but some below
		}
		if !chosen && !(cmd.Recursive && n.below) {
			continue
		}
		reply := n.reply(&cmd)
		if cmd.Recursive && n.below {
			reply.ChildInfo = words(cmd.selection())
			reply.ChildInfo = slices.DeleteFunc(reply.ChildInfo, func(w string) bool { return w == "RECURSIVEMATCH" || w == "REMOTE" })
		}
		s.tellList("LIST", reply)
		if cmd.ReturnStatus != nil && !n.Missing && !n.NoSelect {
			if err := s.tellStatus(ctx, name, cmd.ReturnStatus); err != nil && !errors.Is(err, Status{}) {
				return Status{}, err
			}
		}
	}
	return Status{}, nil
}

// names tells whether a name fits one of the patterns.
func (c *List) names(name string) bool {
	return slices.ContainsFunc(c.Patterns, func(p string) bool {
		pattern := canonical(c.Reference + p)
		return matches(pattern, name) || name == "INBOX" && matches(strings.ToUpper(pattern), name)
	})
}

// reply is what LIST tells of a name.
func (n *node) reply(c *List) ListReply {
	r := ListReply{Attrs: []string{}, Delimiter: "/", Name: n.Name}
	add := func(attr string, on bool) {
		if on {
			r.Attrs = append(r.Attrs, attr)
		}
	}
	add(NonExistent, n.Missing && c.extended())
	add(NoSelect, n.NoSelect || n.Missing && !c.extended())
	add(Subscribed, n.Subscribed && (c.Subscribed || c.ReturnSubscribed))
	add(HasChildren, n.children)
	add(HasNoChildren, !n.children)
	r.Attrs = append(r.Attrs, n.Use...)
	return r
}

func (s *session) tellList(name string, r ListReply) {
	s.response(name, func(b []byte) []byte { return r.Append(s.style(), b) })
}

// lsub lists subscriptions (RFC 3501 section 6.3.9).
func (s *session) lsub(ctx context.Context, c Command) (Status, error) {
	cmd, err := ParseList(c.Args, s.utf8())
	if err != nil {
		return Status{}, err
	}
	if cmd.extended() {
		return Status{Kind: BAD, Text: "LSUB has no options"}, nil
	}
	tree, err := s.tree(ctx, func(e *Entry) bool { return e.Subscribed })
	if err != nil {
		return Status{}, err
	}
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		n := tree[name]
		switch {
		case !cmd.names(name):
		case n.exists && n.Subscribed:
			s.tellList("LSUB", ListReply{Delimiter: "/", Name: name})
		case n.below && strings.Contains(cmd.Patterns[0], "%"): // RFC 3501: subscribed below, and not itself
			s.tellList("LSUB", ListReply{Attrs: []string{NoSelect}, Delimiter: "/", Name: name})
		}
	}
	return Status{}, nil
}

// getQuota tells of a quota root (RFC 9208 section 4.1.1).
func (s *session) getQuota(ctx context.Context, c Command) (Status, error) {
	l := token.New(c.Args)
	root := l.AString()
	if err := l.End(); err != nil {
		return Status{}, err
	}
	return Status{}, s.tellQuota(ctx, root)
}

func (s *session) tellQuota(ctx context.Context, root string) error {
	q, err := s.account.(Quotas).Quota(ctx, root)
	if err != nil {
		return err
	}
	s.response("QUOTA", func(b []byte) []byte { return q.Append(s.style(), b) })
	return nil
}

// getQuotaRoot tells under which roots a mailbox counts (RFC 9208 section
// 4.1.2).
func (s *session) getQuotaRoot(ctx context.Context, c Command) (Status, error) {
	name, err := s.oneName(c)
	if err != nil {
		return Status{}, err
	}
	roots, err := s.account.(Quotas).QuotaRoots(ctx, name)
	if err != nil {
		return Status{}, err
	}
	s.response("QUOTAROOT", func(b []byte) []byte { return QuotaRoots{name, roots}.Append(s.style(), b) })
	for _, root := range roots {
		if err := s.tellQuota(ctx, root); err != nil {
			return Status{}, err
		}
	}
	return Status{}, nil
}

// setQuota changes limits (RFC 9208 section 4.1.3).
func (s *session) setQuota(ctx context.Context, c Command) (Status, error) {
	q, err := ParseSetQuota(c.Args)
	if err != nil {
		return Status{}, err
	}
	if err := s.account.(QuotaSetter).SetQuota(ctx, q); err != nil {
		return Status{}, err
	}
	return Status{}, s.tellQuota(ctx, q.Root)
}
