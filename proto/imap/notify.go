package imap

import (
	"slices"
	"strings"

	"github.com/farend-go/farend/proto/imap/internal/token"
)

// Notify is the arguments of NOTIFY (RFC 5465): what a client wants to be told
// of at any time. Without Groups it is NONE.
type Notify struct {
	Status bool // STATUS of all mailboxes that are watched, at once
	Groups []NotifyGroup
}

// A NotifyGroup is events of certain mailboxes. Where several groups are for
// one mailbox the first counts.
type NotifyGroup struct {
	Filter    string      // SELECTED, SELECTED-DELAYED, INBOXES, PERSONAL, SUBSCRIBED, SUBTREE, MAILBOXES
	Mailboxes []string    // of SUBTREE and MAILBOXES
	Events    []string    // nil: NONE
	Items     []FetchItem // what is to be told of new messages, of the selected mailbox
}

// Events of NOTIFY.
const (
	EventMessageNew         = "MessageNew"
	EventMessageExpunge     = "MessageExpunge"
	EventFlagChange         = "FlagChange"
	EventMailboxName        = "MailboxName"
	EventSubscriptionChange = "SubscriptionChange"
)

// knownEvents are the events that a server of ours tells of.
var knownEvents = []string{EventMessageNew, EventMessageExpunge, EventFlagChange, EventMailboxName, EventSubscriptionChange}

// Append writes the arguments.
func (n Notify) Append(st Style, b []byte) []byte {
	if len(n.Groups) == 0 {
		return append(b, "NONE"...)
	}
	b = append(b, "SET"...)
	if n.Status {
		b = append(b, " STATUS"...)
	}
	for _, g := range n.Groups {
		b = append(append(b, " ("...), g.Filter...)
		if len(g.Mailboxes) > 0 {
			b = token.List(append(b, ' '), g.Mailboxes, func(b []byte, m string) []byte { return writeName(st, b, m) })
		}
		if g.Events == nil {
			b = append(b, " NONE)"...)
			continue
		}
		b = token.List(append(b, ' '), g.Events, func(b []byte, e string) []byte {
			b = append(b, e...)
			if e == EventMessageNew && len(g.Items) > 0 {
				b = token.List(append(b, ' '), g.Items, func(b []byte, i FetchItem) []byte { return i.Append(b) })
			}
			return b
		})
		b = append(b, ')')
	}
	return b
}

// ParseNotify reads the arguments. The error is ErrSyntax or ErrName.
func ParseNotify(args []byte, utf8 bool) (Notify, error) {
	l := token.New(args)
	var n Notify
	names := nameReader{utf8: utf8}
	switch l.Name() {
	case "NONE":
	case "SET":
		l.SP()
		if n.Status = l.TakeWord("STATUS"); n.Status {
			l.SP()
		}
		n.Groups = []NotifyGroup{lexGroup(l, &names)}
		for l.Take(' ') {
			n.Groups = append(n.Groups, lexGroup(l, &names))
		}
	default:
		l.Fail("SET or NONE")
	}
	selected := 0
	for _, g := range n.Groups {
		if strings.HasPrefix(g.Filter, "SELECTED") {
			selected++
		}
	}
	if selected > 1 || len(n.Groups) > 100 {
		l.Fail("fewer groups")
	}
	if err := l.End(); err != nil {
		return Notify{}, err
	}
	return n, names.err
}

func lexGroup(l *token.Lexer, names *nameReader) NotifyGroup {
	var g NotifyGroup
	l.Open()
	g.Filter = l.Name()
	switch g.Filter {
	case "SELECTED", "SELECTED-DELAYED", "INBOXES", "PERSONAL", "SUBSCRIBED":
	case "SUBTREE", "MAILBOXES":
		l.SP()
		if l.Peek() == '(' {
			l.List(func() { g.Mailboxes = append(g.Mailboxes, names.read(l.AString())) })
		} else {
			g.Mailboxes = []string{names.read(l.AString())}
		}
		if len(g.Mailboxes) == 0 {
			l.Fail("a mailbox")
		}
	default:
		l.Fail("a filter of mailboxes")
	}
	l.SP()
	if !l.TakeWord("NONE") {
		l.List(func() { g.lexEvent(l) })
		if len(g.Events) == 0 {
			l.Fail("an event")
		}
	}
	l.Close()
	g.check(l)
	return g
}

func (g *NotifyGroup) lexEvent(l *token.Lexer) {
	event := l.Atom()
	for _, known := range knownEvents {
		if strings.EqualFold(known, event) {
			event = known
		}
	}
	if !slices.Contains(g.Events, event) {
		g.Events = append(g.Events, event)
	}
	if event != EventMessageNew || !strings.HasPrefix(string(l.Rest()), " (") {
		return
	}
	l.SP()
	l.List(func() { g.Items = append(g.Items, lexFetchItem(l)) })
	if !strings.HasPrefix(g.Filter, "SELECTED") {
		l.Fail("no data items for mailboxes that are not selected")
	}
}

// check holds the events to what RFC 5465 section 5 has go together.
func (g *NotifyGroup) check(l *token.Lexer) {
	comes, goes, flags := g.has(EventMessageNew), g.has(EventMessageExpunge), g.has(EventFlagChange)
	if comes != goes || flags && !comes {
		l.Fail("MessageNew and MessageExpunge together, and both with FlagChange")
	}
	if strings.HasPrefix(g.Filter, "SELECTED") && (g.has(EventMailboxName) || g.has(EventSubscriptionChange)) {
		l.Fail("events of messages only")
	}
}

func (g *NotifyGroup) has(event string) bool { return slices.Contains(g.Events, event) }

// fits tells whether a mailbox that is not selected is in the group.
func (g *NotifyGroup) fits(e *Entry) bool {
	switch g.Filter {
	case "INBOXES":
		return e.Name == "INBOX"
	case "PERSONAL":
		return true
	case "SUBSCRIBED":
		return e.Subscribed
	case "MAILBOXES":
		return slices.Contains(g.Mailboxes, e.Name)
	case "SUBTREE":
		return slices.ContainsFunc(g.Mailboxes, func(m string) bool { return e.Name == m || strings.HasPrefix(e.Name, m+"/") })
	}
	return false
}
