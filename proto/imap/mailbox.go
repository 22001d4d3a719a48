package imap

import (
	"slices"
	"strconv"
	"strings"

	"github.com/farend-go/farend/proto/imap/internal/token"
)

// Items of STATUS.
const (
	StatusMessages      = "MESSAGES"
	StatusRecent        = "RECENT" // RFC 3501 only
	StatusUIDNext       = "UIDNEXT"
	StatusUIDValidity   = "UIDVALIDITY"
	StatusUnseen        = "UNSEEN"
	StatusDeleted       = "DELETED"       // RFC 9051
	StatusSize          = "SIZE"          // RFC 8438
	StatusHighestModSeq = "HIGHESTMODSEQ" // RFC 7162
	StatusAppendLimit   = "APPENDLIMIT"   // RFC 7889
	StatusMailboxID     = "MAILBOXID"     // RFC 8474
	StatusDeletedSize   = "DELETED-STORAGE"
)

var statusItems = []string{
	StatusMessages, StatusRecent, StatusUIDNext, StatusUIDValidity, StatusUnseen, StatusDeleted, StatusSize,
	StatusHighestModSeq, StatusAppendLimit, StatusMailboxID, StatusDeletedSize,
}

// MailboxStatus is what STATUS tells of a mailbox.
type MailboxStatus struct {
	Messages, Recent, UIDNext, UIDValidity, Unseen, Deleted uint32
	Size, DeletedSize                                       int64 // in octets
	HighestModSeq                                           uint64
	AppendLimit                                             int64 // in octets; 0: none
	MailboxID                                               string
}

// A StatusReply is the untagged STATUS: a mailbox, and what of its status is
// told.
type StatusReply struct {
	Name  string
	Items []string
	MailboxStatus
}

// StatusCommand is the arguments of STATUS.
type StatusCommand struct {
	Name  string
	Items []string
}

// Append writes the arguments.
func (c StatusCommand) Append(st Style, b []byte) []byte {
	return token.List(append(writeName(st, b, c.Name), ' '), c.Items, appendWord)
}

// ParseStatusCommand reads the arguments. The error is ErrSyntax or ErrName.
func ParseStatusCommand(args []byte, utf8 bool) (StatusCommand, error) {
	l := token.New(args)
	names := nameReader{utf8: utf8}
	c := StatusCommand{Name: names.read(l.AString())}
	l.SP()
	c.Items = lexStatusItems(l)
	if err := l.End(); err != nil {
		return StatusCommand{}, err
	}
	return c, names.err
}

func lexStatusItems(l *token.Lexer) []string {
	var items []string
	l.List(func() {
		item := l.Name()
		if !slices.Contains(statusItems, item) {
			l.Fail("an item of STATUS")
		}
		if !slices.Contains(items, item) {
			items = append(items, item)
		}
	})
	if len(items) == 0 {
		l.Fail("an item of STATUS")
	}
	return items
}

// number is where the value of an item is.
func (s *MailboxStatus) number(item string) *uint32 {
	switch item {
	case StatusMessages:
		return &s.Messages
	case StatusRecent:
		return &s.Recent
	case StatusUIDNext:
		return &s.UIDNext
	case StatusUIDValidity:
		return &s.UIDValidity
	case StatusUnseen:
		return &s.Unseen
	case StatusDeleted:
		return &s.Deleted
	}
	return nil
}

// Append writes what follows the response's name.
func (r StatusReply) Append(st Style, b []byte) []byte {
	b = append(writeName(st, b, r.Name), ' ')
	return token.List(b, r.Items, func(b []byte, item string) []byte {
		b = append(append(b, item...), ' ')
		switch item {
		case StatusSize:
			return strconv.AppendInt(b, r.Size, 10)
		case StatusDeletedSize:
			return strconv.AppendInt(b, r.DeletedSize, 10)
		case StatusHighestModSeq:
			return strconv.AppendUint(b, r.HighestModSeq, 10)
		case StatusAppendLimit:
			if r.AppendLimit == 0 {
				return append(b, "NIL"...)
			}
			return strconv.AppendInt(b, r.AppendLimit, 10)
		case StatusMailboxID:
			return append(append(append(b, '('), r.MailboxID...), ')')
		}
		if n := r.number(item); n != nil {
			return strconv.AppendUint(b, uint64(*n), 10)
		}
		return append(b, '0')
	})
}

// ParseStatusReply reads it; what nobody knows is passed by. The error is
// ErrSyntax.
func ParseStatusReply(rest []byte, utf8 bool) (StatusReply, error) {
	l := token.New(rest)
	r := StatusReply{Name: knownName(l.AString(), utf8)}
	l.SP()
	l.List(func() {
		item := l.Name()
		l.SP()
		known := true
		switch item {
		case StatusSize:
			r.Size = l.Number64()
		case StatusDeletedSize:
			r.DeletedSize = l.Number64()
		case StatusHighestModSeq:
			r.HighestModSeq = uint64(l.Number64())
		case StatusAppendLimit:
			if !l.Nil() {
				r.AppendLimit = l.Number64()
			}
		case StatusMailboxID:
			l.Open()
			r.MailboxID = l.Atom()
			l.Close()
		default:
			n := r.number(item)
			if known = n != nil; known {
				*n = l.Number()
			} else {
				l.Skip()
			}
		}
		if known {
			r.Items = append(r.Items, item)
		}
	})
	l.Take(' ') // Exchange writes one
	return r, l.End()
}

// Select is the arguments of SELECT and EXAMINE.
type Select struct {
	Name      string
	CondStore bool     // RFC 7162
	QResync   *QResync // RFC 7162
}

// QResync is what a client knows of a mailbox that it comes back to.
type QResync struct {
	UIDValidity uint32
	ModSeq      uint64
	Known       Set // UIDs; nil: all
	// Seqs and UIDs are pairs that the client knew.
	Seqs, UIDs Set
}

// Append writes the arguments.
func (c Select) Append(st Style, b []byte) []byte {
	b = writeName(st, b, c.Name)
	if !c.CondStore && c.QResync == nil {
		return b
	}
	b = append(b, " ("...)
	if c.CondStore {
		b = append(b, "CONDSTORE"...)
	}
	if q := c.QResync; q != nil {
		if c.CondStore {
			b = append(b, ' ')
		}
		b = strconv.AppendUint(append(b, "QRESYNC ("...), uint64(q.UIDValidity), 10)
		b = strconv.AppendUint(append(b, ' '), q.ModSeq, 10)
		if len(q.Known) > 0 {
			b = q.Known.Append(append(b, ' '))
		}
		if len(q.Seqs) > 0 {
			b = q.Seqs.Append(append(b, " ("...))
			b = append(q.UIDs.Append(append(b, ' ')), ')')
		}
		b = append(b, ')')
	}
	return append(b, ')')
}

// ParseSelect reads the arguments. The error is ErrSyntax or ErrName.
func ParseSelect(args []byte, utf8 bool) (Select, error) {
	l := token.New(args)
	names := nameReader{utf8: utf8}
	c := Select{Name: names.read(l.AString())}
	if l.Take(' ') {
		l.List(func() {
			switch l.Name() {
			case "CONDSTORE":
				c.CondStore = true
			case "QRESYNC":
				l.SP()
				c.QResync = lexQResync(l)
			default:
				l.Fail("CONDSTORE or QRESYNC")
			}
		})
	}
	if err := l.End(); err != nil {
		return Select{}, err
	}
	return c, names.err
}

func lexQResync(l *token.Lexer) *QResync {
	q := &QResync{}
	l.Open()
	q.UIDValidity = l.Positive()
	l.SP()
	q.ModSeq = uint64(l.Number64())
	if l.Take(' ') && l.Peek() != '(' {
		q.Known = lexPlainSet(l)
		if !l.Take(' ') {
			l.Close()
			return q
		}
	}
	if l.Peek() == '(' {
		l.Open()
		q.Seqs = lexPlainSet(l)
		l.SP()
		q.UIDs = lexPlainSet(l)
		l.Close()
	}
	l.Close()
	return q
}

// lexPlainSet reads a set in which "*" is not allowed.
func lexPlainSet(l *token.Lexer) Set {
	s := lexSet(l)
	if slices.ContainsFunc(s, func(r Range) bool { return r.First == 0 || r.Last == 0 }) {
		l.Fail("no *")
	}
	return s
}

// Namespaces are those of NAMESPACE (RFC 2342).
type Namespaces struct{ Personal, Others, Shared []Namespace }

// A Namespace is where mailboxes may be.
type Namespace struct{ Prefix, Delimiter string }

// Append writes what follows the response's name.
func (n Namespaces) Append(st Style, b []byte) []byte {
	for i, list := range [...][]Namespace{n.Personal, n.Others, n.Shared} {
		if i > 0 {
			b = append(b, ' ')
		}
		if len(list) == 0 {
			b = append(b, "NIL"...)
			continue
		}
		b = append(b, '(')
		for _, s := range list {
			b = append(st.String(append(b, '('), wireName(st, s.Prefix)), ' ')
			b = append(st.NString(b, s.Delimiter), ')')
		}
		b = append(b, ')')
	}
	return b
}

// ParseNamespaces reads it. The error is ErrSyntax.
func ParseNamespaces(rest []byte, utf8 bool) (Namespaces, error) {
	l := token.New(rest)
	var n Namespaces
	for i, list := range [...]*[]Namespace{&n.Personal, &n.Others, &n.Shared} {
		if i > 0 {
			l.SP()
		}
		if l.Nil() {
			continue
		}
		l.Open()
		for l.Peek() == '(' {
			l.Open()
			var s Namespace
			s.Prefix = l.String()
			if name, err := DecodeName(s.Prefix); err == nil && !utf8 {
				s.Prefix = name
			}
			l.SP()
			s.Delimiter, _ = l.NString()
			for l.Take(' ') {
				l.Skip()
			}
			l.Close()
			*list = append(*list, s)
			l.Take(' ')
		}
		l.Close()
	}
	return n, l.End()
}

// Quota is the untagged QUOTA (RFC 9208): what of a root's resources is used
// and what there is.
type Quota struct {
	Root      string
	Resources []Resource
}

// A Resource is STORAGE (in units of 1024 octets), MESSAGE, MAILBOX or
// ANNOTATION-STORAGE.
type Resource struct {
	Name         string
	Usage, Limit int64
}

// Append writes what follows the response's name.
func (q Quota) Append(st Style, b []byte) []byte {
	b = append(st.AString(b, q.Root), ' ')
	return token.List(b, q.Resources, func(b []byte, r Resource) []byte {
		b = strconv.AppendInt(append(append(b, r.Name...), ' '), r.Usage, 10)
		return strconv.AppendInt(append(b, ' '), r.Limit, 10)
	})
}

// ParseQuota reads it. The error is ErrSyntax.
func ParseQuota(rest []byte) (Quota, error) {
	l := token.New(rest)
	q := Quota{Root: l.AString()}
	l.SP()
	l.List(func() {
		r := Resource{Name: l.Name()}
		l.SP()
		r.Usage = l.Number64()
		l.SP()
		r.Limit = l.Number64()
		q.Resources = append(q.Resources, r)
	})
	return q, l.End()
}

// SetQuota is the arguments of SETQUOTA (RFC 9208): limits of a root; what is
// not named has none.
type SetQuota struct {
	Root   string
	Limits []Resource // without Usage
}

// Append writes the arguments.
func (q SetQuota) Append(st Style, b []byte) []byte {
	b = append(st.AString(b, q.Root), ' ')
	return token.List(b, q.Limits, func(b []byte, r Resource) []byte {
		return strconv.AppendInt(append(append(b, r.Name...), ' '), r.Limit, 10)
	})
}

// ParseSetQuota reads the arguments. The error is ErrSyntax.
func ParseSetQuota(args []byte) (SetQuota, error) {
	l := token.New(args)
	q := SetQuota{Root: l.AString()}
	l.SP()
	l.List(func() {
		r := Resource{Name: l.Name()}
		l.SP()
		r.Limit = l.Number64()
		q.Limits = append(q.Limits, r)
	})
	return q, l.End()
}

// QuotaRoots is the untagged QUOTAROOT: which roots a mailbox counts under.
type QuotaRoots struct {
	Name  string
	Roots []string
}

// Append writes what follows the response's name.
func (q QuotaRoots) Append(st Style, b []byte) []byte {
	b = writeName(st, b, q.Name)
	for _, root := range q.Roots {
		b = st.AString(append(b, ' '), root)
	}
	return b
}

// ParseQuotaRoots reads it. The error is ErrSyntax.
func ParseQuotaRoots(rest []byte, utf8 bool) (QuotaRoots, error) {
	l := token.New(rest)
	q := QuotaRoots{Name: knownName(l.AString(), utf8)}
	for l.Take(' ') {
		q.Roots = append(q.Roots, l.AString())
	}
	return q, l.End()
}

// AppendID writes what a program says of itself: the arguments of ID and of its
// answer (RFC 2971). Without fields it is NIL.
func AppendID(st Style, b []byte, fields []Param) []byte {
	if len(fields) == 0 {
		return append(b, "NIL"...)
	}
	return token.List(b, fields, func(b []byte, f Param) []byte {
		return st.NString(append(st.String(b, f.Name), ' '), f.Value)
	})
}

// ParseID reads it; names are in lower case. The error is ErrSyntax.
func ParseID(text []byte) ([]Param, error) {
	l := token.New(text)
	var fields []Param
	if !l.Nil() {
		l.List(func() {
			var f Param
			f.Name = strings.ToLower(l.String())
			l.SP()
			f.Value, _ = l.NString()
			if fields = append(fields, f); len(fields) > 30 { // RFC 2971 section 3.3
				l.Fail("at most 30 fields")
			}
		})
	}
	return fields, l.End()
}
