package imap

import (
	"strconv"
	"strings"

	"github.com/farend-go/farend/proto/imap/internal/token"
)

// Selected is a mailbox that is open.
type Selected struct {
	Name           string
	ReadOnly       bool
	Exists         uint32 // messages
	Recent         uint32
	FirstUnseen    uint32 // a sequence number; 0: not told
	UIDNext        uint32 // 0: not told
	UIDValidity    uint32
	Flags          []Flag
	PermanentFlags []Flag
	HighestModSeq  uint64 // 0: not told, or the mailbox has none
	ID             string // MAILBOXID
	Vanished       Set    // UIDs that are gone, where QResync asked
	Changed        []*Fetched
}

// note takes in what the server tells.
func (b *Selected) note(r Response) error {
	switch r.Name {
	case "EXISTS":
		b.Exists = r.Number
	case "RECENT":
		b.Recent = r.Number
	case "EXPUNGE":
		b.Exists -= min(b.Exists, 1)
	case "VANISHED":
		v, err := ParseVanished(r.Rest)
		if err != nil {
			return err
		}
		if n := v.UIDs.Resolve(1<<32 - 1).Count(); !v.Earlier {
			b.Exists -= min(b.Exists, uint32(n))
		}
	case "FLAGS":
		flags, err := ParseFlags(string(r.Rest))
		if err != nil {
			return err
		}
		b.Flags = flags
	case "OK":
		s, err := r.Status()
		if err != nil {
			return err
		}
		return b.learn(s.Code)
	}
	return nil
}

func (b *Selected) learn(c Code) error {
	number := func(n *uint32) error {
		v, err := strconv.ParseUint(c.Args, 10, 32)
		if err == nil {
			*n = uint32(v)
		}
		return err
	}
	switch c.Name {
	case "UNSEEN":
		return number(&b.FirstUnseen)
	case "UIDNEXT":
		return number(&b.UIDNext)
	case "UIDVALIDITY":
		return number(&b.UIDValidity)
	case "HIGHESTMODSEQ":
		n, err := strconv.ParseUint(c.Args, 10, 64)
		if err == nil {
			b.HighestModSeq = n
		}
		return err
	case "NOMODSEQ":
		b.HighestModSeq = 0
	case "PERMANENTFLAGS":
		flags, err := ParseFlags(c.Args)
		if err == nil {
			b.PermanentFlags = flags
		}
		return err
	case "MAILBOXID":
		b.ID = strings.Trim(c.Args, "()")
	case "READ-ONLY":
		b.ReadOnly = true
	case "READ-WRITE":
		b.ReadOnly = false
	}
	return nil
}

// Select opens a mailbox; where that fails none is open. QResync wants
// Enable("QRESYNC") before.
func (c *Client) Select(s Select) *Call[*Selected] { return c.open("SELECT", s) }

// Examine is Select without the right to change anything.
func (c *Client) Examine(s Select) *Call[*Selected] { return c.open("EXAMINE", s) }

func (c *Client) open(name string, s Select) *Call[*Selected] {
	box := &Selected{Name: s.Name, ReadOnly: name == "EXAMINE"}
	x := c.begin(name, s.Append(c.style(), nil))
	x.alone = true // what it tells is told of no other mailbox
	x.on = func(r Response) (bool, error) {
		if r.Name == "VANISHED" {
			v, err := ParseVanished(r.Rest)
			if v.Earlier {
				box.Vanished = box.Vanished.Union(v.UIDs.Resolve(1<<32 - 1))
			}
			return true, err
		}
		switch r.Name {
		case "EXISTS", "RECENT", "FLAGS", "OK":
			return true, box.note(r)
		}
		return false, nil
	}
	x.fetch = c.collectTo(&box.Changed)
	x.end = func(s Status) error {
		c.box = nil
		if s.Kind != OK {
			return nil
		}
		c.box = box
		return box.learn(s.Code)
	}
	return &Call[*Selected]{c, x, &box}
}

// Unselect closes the mailbox and removes nothing (RFC 3691).
func (c *Client) Unselect() *Call[Status] { return c.leave("UNSELECT") }

// CloseMailbox closes the mailbox and removes what is marked as deleted.
func (c *Client) CloseMailbox() *Call[Status] { return c.leave("CLOSE") }

func (c *Client) leave(name string) *Call[Status] {
	k := c.alone(name, nil)
	k.x.end = func(s Status) error {
		if s.Kind == OK {
			c.box = nil
		}
		return nil
	}
	return k
}

// Listed is a mailbox that List finds, and its status where that was asked for
// and could be had.
type Listed struct {
	ListReply
	Status *MailboxStatus
}

// List finds mailboxes. What is subscribed to is asked by LSUB where the server
// has no LIST-EXTENDED.
func (c *Client) List(l List) *Call[[]Listed] {
	name := "LIST"
	plain := List{Reference: l.Reference, Patterns: l.Patterns, Subscribed: true}
	if l.Subscribed && len(l.Patterns) == 1 && !c.caps.Has("LIST-EXTENDED") && !c.caps.Has("IMAP4REV2") && l.equal(plain) {
		name, l.Subscribed = "LSUB", false
	}
	all := new([]Listed)
	x := c.begin(name, l.Append(c.style(), nil))
	x.on = func(r Response) (bool, error) {
		switch r.Name {
		case name:
			one, err := ParseListReply(r.Rest, c.utf8())
			if err == nil {
				*all = append(*all, Listed{ListReply: one})
			}
			return true, err
		case "STATUS":
			st, err := ParseStatusReply(r.Rest, c.utf8())
			for i := range *all {
				if err == nil && (*all)[i].Name == st.Name {
					(*all)[i].Status = &st.MailboxStatus
				}
			}
			return l.ReturnStatus != nil, err
		}
		return false, nil
	}
	return &Call[[]Listed]{c, x, all}
}

// equal tells whether two have the same options.
func (c *List) equal(o List) bool {
	return c.Subscribed == o.Subscribed && c.Remote == o.Remote && c.Recursive == o.Recursive && c.SpecialUse == o.SpecialUse && !c.returns()
}

// MailboxStatus asks for the status of a mailbox that need not be open.
func (c *Client) MailboxStatus(name string, items ...string) *Call[StatusReply] {
	reply := &StatusReply{Name: name}
	x := c.begin("STATUS", StatusCommand{Name: name, Items: items}.Append(c.style(), nil))
	x.on = func(r Response) (bool, error) {
		if r.Name != "STATUS" {
			return false, nil
		}
		got, err := ParseStatusReply(r.Rest, c.utf8())
		if err != nil || got.Name != canonical(name) {
			return false, err
		}
		*reply = got
		return true, nil
	}
	return &Call[StatusReply]{c, x, reply}
}

// named begins a command whose argument is a mailbox.
func (c *Client) named(verb, name string) *Call[Status] {
	return c.Do(verb, writeName(c.style(), nil, name), nil)
}

// Create makes a mailbox; with special uses such as UseSent if there are any
// (RFC 6154).
func (c *Client) Create(name string, uses ...string) *Call[Status] {
	args := writeName(c.style(), nil, name)
	if len(uses) > 0 {
		args = append(token.List(append(args, " (USE "...), uses, appendWord), ')')
	}
	return c.Do("CREATE", args, nil)
}

// Delete removes a mailbox and its messages.
func (c *Client) Delete(name string) *Call[Status] { return c.named("DELETE", name) }

// Rename renames a mailbox and those below it.
func (c *Client) Rename(from, to string) *Call[Status] {
	return c.Do("RENAME", writeName(c.style(), append(writeName(c.style(), nil, from), ' '), to), nil)
}

// Subscribe puts a mailbox on the list of subscriptions.
func (c *Client) Subscribe(name string) *Call[Status] { return c.named("SUBSCRIBE", name) }

// Unsubscribe takes it off.
func (c *Client) Unsubscribe(name string) *Call[Status] { return c.named("UNSUBSCRIBE", name) }

// Namespace asks where mailboxes may be (RFC 2342).
func (c *Client) Namespace() *Call[Namespaces] {
	all := new(Namespaces)
	x := c.begin("NAMESPACE", nil)
	x.on = func(r Response) (mine bool, err error) {
		if mine = r.Name == "NAMESPACE"; mine {
			*all, err = ParseNamespaces(r.Rest, c.utf8())
		}
		return mine, err
	}
	return &Call[Namespaces]{c, x, all}
}

// Quota asks for the limits of a root (RFC 9208).
func (c *Client) Quota(root string) *Call[[]Quota] {
	return c.quotas("GETQUOTA", c.style().AString(nil, root))
}

// QuotaRoot asks for the limits that a mailbox is under.
func (c *Client) QuotaRoot(mailbox string) *Call[[]Quota] {
	return c.quotas("GETQUOTAROOT", writeName(c.style(), nil, mailbox))
}

// SetQuota sets the limits of a root.
func (c *Client) SetQuota(q SetQuota) *Call[[]Quota] {
	return c.quotas("SETQUOTA", q.Append(c.style(), nil))
}

func (c *Client) quotas(verb string, args []byte) *Call[[]Quota] {
	all := new([]Quota)
	x := c.begin(verb, args)
	x.on = func(r Response) (bool, error) {
		switch r.Name {
		case "QUOTA":
			q, err := ParseQuota(r.Rest)
			if err == nil {
				*all = append(*all, q)
			}
			return true, err
		case "QUOTAROOT":
			return true, nil
		}
		return false, nil
	}
	return &Call[[]Quota]{c, x, all}
}
