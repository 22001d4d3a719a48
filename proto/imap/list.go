package imap

import (
	"slices"
	"strings"

	"github.com/farend-go/farend/proto/imap/internal/token"
)

// Attributes of mailboxes in LIST (RFC 9051 section 7.3.1, RFC 6154).
const (
	HasChildren   = `\HasChildren`
	HasNoChildren = `\HasNoChildren`
	NoInferiors   = `\Noinferiors`
	NoSelect      = `\Noselect`
	NonExistent   = `\NonExistent`
	Subscribed    = `\Subscribed`
	Remote        = `\Remote`

	UseAll       = `\All`
	UseArchive   = `\Archive`
	UseDrafts    = `\Drafts`
	UseFlagged   = `\Flagged`
	UseImportant = `\Important` // RFC 8457
	UseJunk      = `\Junk`
	UseSent      = `\Sent`
	UseTrash     = `\Trash`
)

// specialUses are the special uses of mailboxes.
var specialUses = []string{UseAll, UseArchive, UseDrafts, UseFlagged, UseImportant, UseJunk, UseSent, UseTrash}

// List is the arguments of LIST, with the options of RFC 5258, 5819, 6154 and
// 8440. Names are UTF-8.
type List struct {
	Reference string
	Patterns  []string

	// Selection: only mailboxes that fit all of these.
	Subscribed bool
	Remote     bool // remote ones too
	Recursive  bool // RECURSIVEMATCH: parents of those that fit, too
	SpecialUse bool

	// What is to be told.
	ReturnSubscribed bool
	ReturnChildren   bool
	ReturnSpecialUse bool
	ReturnStatus     []string // items of STATUS; nil: none
}

func (c *List) selection() func(yield func(string, *bool) bool) {
	return func(yield func(string, *bool) bool) {
		_ = yield("SUBSCRIBED", &c.Subscribed) && yield("REMOTE", &c.Remote) &&
			yield("RECURSIVEMATCH", &c.Recursive) && yield("SPECIAL-USE", &c.SpecialUse)
	}
}

func (c *List) results() func(yield func(string, *bool) bool) {
	return func(yield func(string, *bool) bool) {
		_ = yield("SUBSCRIBED", &c.ReturnSubscribed) && yield("CHILDREN", &c.ReturnChildren) && yield("SPECIAL-USE", &c.ReturnSpecialUse)
	}
}

// extended tells whether the command is one that RFC 3501 does not have.
func (c *List) extended() bool {
	return c.Subscribed || c.Remote || c.Recursive || c.SpecialUse || len(c.Patterns) != 1 || c.returns()
}

func (c *List) returns() bool {
	return c.ReturnSubscribed || c.ReturnChildren || c.ReturnSpecialUse || c.ReturnStatus != nil
}

func words(options func(yield func(string, *bool) bool)) []string {
	var names []string
	for name, has := range options {
		if *has {
			names = append(names, name)
		}
	}
	return names
}

// Append writes the arguments.
func (c List) Append(st Style, b []byte) []byte {
	if selected := words(c.selection()); len(selected) > 0 {
		b = append(token.List(b, selected, appendWord), ' ')
	}
	b = append(writeName(st, b, c.Reference), ' ')
	if len(c.Patterns) == 1 {
		b = writePattern(st, b, c.Patterns[0])
	} else {
		b = token.List(b, c.Patterns, func(b []byte, p string) []byte { return writePattern(st, b, p) })
	}
	if !c.returns() {
		return b
	}
	results := words(c.results())
	if c.ReturnStatus != nil {
		results = append(results, string(token.List([]byte("STATUS "), c.ReturnStatus, appendWord)))
	}
	return token.List(append(b, " RETURN "...), results, appendWord)
}

func appendWord(b []byte, w string) []byte { return append(b, w...) }

func writePattern(st Style, b []byte, p string) []byte {
	return st.Pattern(b, wireName(st, p))
}

// ParseList reads the arguments; utf8: names come in UTF-8, as they do when
// that is enabled. The error is ErrSyntax or ErrName.
func ParseList(args []byte, utf8 bool) (List, error) {
	l := token.New(args)
	var c List
	if l.Peek() == '(' {
		l.List(func() { lexOption(l, c.selection(), nil) })
		l.SP()
	}
	names := nameReader{utf8: utf8}
	c.Reference = names.read(l.AString())
	l.SP()
	if l.Peek() == '(' {
		l.List(func() { c.Patterns = append(c.Patterns, names.read(l.Pattern())) })
		if len(c.Patterns) == 0 || len(c.Patterns) > 100 {
			l.Fail("1 to 100 patterns")
		}
	} else {
		c.Patterns = []string{names.read(l.Pattern())}
	}
	if l.Take(' ') {
		if l.Name() != "RETURN" {
			l.Fail("RETURN")
		}
		l.SP()
		l.List(func() { lexOption(l, c.results(), &c.ReturnStatus) })
	}
	if c.Recursive && !c.Subscribed && !c.SpecialUse { // RFC 5258 section 3.1
		l.Fail("what RECURSIVEMATCH modifies")
	}
	if err := l.End(); err != nil {
		return List{}, err
	}
	return c, names.err
}

func lexOption(l *token.Lexer, options func(yield func(string, *bool) bool), status *[]string) {
	word := l.Name()
	for name, has := range options {
		if name == word {
			*has = true
			return
		}
	}
	if word != "STATUS" || status == nil {
		l.Fail("an option of LIST")
		return
	}
	l.SP()
	*status = lexStatusItems(l)
}

// nameReader reads mailbox names and keeps the first error.
type nameReader struct {
	utf8 bool
	err  error
}

func (r *nameReader) read(wire string) string {
	name, err := readName(wire, r.utf8)
	if err != nil && r.err == nil {
		r.err = err
	}
	return name
}

// A ListReply is the untagged LIST and LSUB: one mailbox.
type ListReply struct {
	Attrs     []string // with their backslashes
	Delimiter string   // between the levels of a name; "": there are none
	Name      string   // UTF-8
	ChildInfo []string // what fits below, where RECURSIVEMATCH was asked: SUBSCRIBED
	OldName   string   // what it was called (RFC 9051 section 6.3.9.7)
}

// Has tells whether the mailbox has an attribute, whatever its case.
func (r ListReply) Has(attr string) bool {
	return slices.ContainsFunc(r.Attrs, func(a string) bool { return strings.EqualFold(a, attr) })
}

// Append writes what follows the response's name.
func (r ListReply) Append(st Style, b []byte) []byte {
	b = append(token.List(b, r.Attrs, appendWord), ' ')
	if r.Delimiter == "" {
		b = append(b, "NIL"...)
	} else {
		b = st.String(b, r.Delimiter)
	}
	b = writeName(st, append(b, ' '), r.Name)
	if len(r.ChildInfo) == 0 && r.OldName == "" {
		return b
	}
	b = append(b, " ("...)
	if len(r.ChildInfo) > 0 {
		b = token.List(append(b, `"CHILDINFO" `...), r.ChildInfo, st.String)
	}
	if r.OldName != "" {
		if len(r.ChildInfo) > 0 {
			b = append(b, ' ')
		}
		b = append(writeName(st, append(b, `"OLDNAME" (`...), r.OldName), ')')
	}
	return append(b, ')')
}

// ParseListReply reads it; a name that is no modified UTF-7 is left as it is.
// The error is ErrSyntax.
func ParseListReply(rest []byte, utf8 bool) (ListReply, error) {
	l := token.New(rest)
	r := ListReply{Attrs: []string{}}
	l.List(func() { r.Attrs = append(r.Attrs, l.Flag()) })
	l.SP()
	r.Delimiter, _ = l.NString()
	l.SP()
	r.Name = knownName(l.AString(), utf8)
	if l.Take(' ') {
		l.List(func() {
			tag := strings.ToUpper(l.AString())
			l.SP()
			switch tag {
			case "CHILDINFO":
				l.List(func() { r.ChildInfo = append(r.ChildInfo, strings.ToUpper(l.AString())) })
			case "OLDNAME":
				l.Open()
				r.OldName = knownName(l.AString(), utf8)
				l.Close()
			default:
				l.Skip()
			}
		})
	}
	return r, l.End()
}

// knownName is a name from a server, whatever it looks like.
func knownName(wire string, utf8 bool) string {
	if !utf8 {
		if name, err := DecodeName(wire); err == nil {
			return canonical(name)
		}
	}
	return canonical(wire)
}

// matches tells whether a pattern fits a name: "*" is anything, "%" anything
// without a delimiter (RFC 9051 section 6.3.9). INBOX fits in any case.
func matches(pattern, name string) bool {
	type place struct{ p, n int }
	back := place{-1, -1} // of the last "*"
	level := back         // of the last "%" behind it
	p, n := 0, 0
	for {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			back, level = place{p, n}, place{-1, -1}
			p++
		case p < len(pattern) && pattern[p] == '%':
			level = place{p, n}
			p++
		case p < len(pattern) && n < len(name) && pattern[p] == name[n]:
			p++
			n++
		case p == len(pattern) && n == len(name):
			return true
		case level.p >= 0 && level.n < len(name) && name[level.n] != '/':
			level.n++
			p, n = level.p+1, level.n
		case back.p >= 0 && back.n < len(name):
			back.n++
			level = place{-1, -1}
			p, n = back.p+1, back.n
		default:
			return false
		}
	}
}
