package imap

import (
	"strconv"
	"strings"
	"time"

	"github.com/farend-go/farend/proto/imap/internal/token"
)

// A Key is a search key, or several (RFC 9051 section 6.4.4). Which fields it
// has depends on its name:
//
//	ALL ANSWERED DELETED DRAFT FLAGGED SEEN UNANSWERED UNDELETED UNDRAFT
//	UNFLAGGED UNSEEN NEW OLD RECENT SAVEDATESUPPORTED    nothing
//	BCC BODY CC FROM SUBJECT TEXT TO                     Text
//	KEYWORD UNKEYWORD EMAILID THREADID                   Text
//	HEADER                                               Field, Text
//	BEFORE ON SINCE SENTBEFORE SENTON SENTSINCE          Day
//	SAVEDBEFORE SAVEDON SAVEDSINCE                       Day
//	LARGER SMALLER OLDER YOUNGER                         Number (octets, seconds)
//	MODSEQ                                               Number, Field, Text (entry and type, or "")
//	SET                                                  Where: sequence numbers, UIDs, or "$"
//	AND OR NOT                                           Keys: any number, two, one
type Key struct {
	Name   string
	Text   string
	Field  string
	Day    time.Time // a date, whatever the zone
	Number int64
	Where  Where
	Keys   []Key
}

// maxKeys is how many keys a search may have.
const maxKeys = 1000

// shape is what a key has behind its name.
type shape uint8

const (
	keyAlone shape = iota + 1
	keyText
	keyAtom
	keyDay
	keyNumber
	keyField
	keyModSeq
	keyNot
	keyOr
	keyUID
)

var keyShapes = map[string]shape{
	"ALL": keyAlone, "ANSWERED": keyAlone, "DELETED": keyAlone, "DRAFT": keyAlone, "FLAGGED": keyAlone, "SEEN": keyAlone,
	"UNANSWERED": keyAlone, "UNDELETED": keyAlone, "UNDRAFT": keyAlone, "UNFLAGGED": keyAlone, "UNSEEN": keyAlone,
	"NEW": keyAlone, "OLD": keyAlone, "RECENT": keyAlone, "SAVEDATESUPPORTED": keyAlone,
	"BCC": keyText, "BODY": keyText, "CC": keyText, "FROM": keyText, "SUBJECT": keyText, "TEXT": keyText, "TO": keyText,
	"KEYWORD": keyAtom, "UNKEYWORD": keyAtom, "EMAILID": keyAtom, "THREADID": keyAtom,
	"BEFORE": keyDay, "ON": keyDay, "SINCE": keyDay, "SENTBEFORE": keyDay, "SENTON": keyDay, "SENTSINCE": keyDay,
	"SAVEDBEFORE": keyDay, "SAVEDON": keyDay, "SAVEDSINCE": keyDay,
	"LARGER": keyNumber, "SMALLER": keyNumber, "OLDER": keyNumber, "YOUNGER": keyNumber,
	"HEADER": keyField, "MODSEQ": keyModSeq, "NOT": keyNot, "OR": keyOr, "UID": keyUID,
}

// And joins keys; one alone is itself.
func And(keys ...Key) Key {
	if len(keys) == 1 {
		return keys[0]
	}
	return Key{Name: "AND", Keys: keys}
}

// Uses tells whether f holds for this key or for one inside it.
func (k *Key) Uses(f func(*Key) bool) bool {
	if f(k) {
		return true
	}
	for i := range k.Keys {
		if k.Keys[i].Uses(f) {
			return true
		}
	}
	return false
}

// Append writes the key; several in parentheses.
func (k Key) Append(st Style, b []byte) []byte {
	switch k.Name {
	case "SET":
		if k.Where.UID {
			b = append(b, "UID "...)
		}
		return k.Where.Append(b)
	case "AND":
		return append(k.appendKeys(st, append(b, '('), ' '), ')')
	}
	b = append(b, k.Name...)
	switch keyShapes[k.Name] {
	case keyText:
		b = st.AString(append(b, ' '), k.Text)
	case keyAtom:
		b = append(append(b, ' '), k.Text...)
	case keyField:
		b = st.AString(append(b, ' '), k.Field)
		b = st.AString(append(b, ' '), k.Text)
	case keyDay:
		b = appendDay(append(b, ' '), k.Day)
	case keyNumber:
		b = strconv.AppendInt(append(b, ' '), k.Number, 10)
	case keyModSeq:
		if k.Field != "" {
			b = append(append(st.String(append(b, ' '), k.Field), ' '), k.Text...)
		}
		b = strconv.AppendInt(append(b, ' '), k.Number, 10)
	case keyNot, keyOr:
		b = k.appendKeys(st, append(b, ' '), ' ')
	}
	return b
}

func (k Key) appendKeys(st Style, b []byte, sep byte) []byte {
	for i, key := range k.Keys {
		if i > 0 {
			b = append(b, sep)
		}
		b = key.Append(st, b)
	}
	return b
}

// ParseKey reads one key. The error is ErrSyntax.
func ParseKey(text []byte) (Key, error) {
	l := token.New(text)
	n := 0
	k := lexKey(l, &n)
	return k, l.End()
}

// lexProgram reads keys up to the end, which must all fit.
func lexProgram(l *token.Lexer) Key {
	n := 0
	keys := []Key{lexKey(l, &n)}
	for l.Take(' ') {
		keys = append(keys, lexKey(l, &n))
	}
	return And(keys...)
}

// lexKey reads a key; n counts them.
func lexKey(l *token.Lexer, n *int) Key {
	if *n++; *n > maxKeys {
		l.Fail("fewer keys")
	}
	l.Down()
	defer l.Up()
	switch c := l.Peek(); {
	case c == '(':
		keys := []Key{}
		l.List(func() { keys = append(keys, lexKey(l, n)) })
		if len(keys) == 0 {
			l.Fail("a search key")
		}
		return And(keys...)
	case c >= '0' && c <= '9' || c == '*' || c == '$':
		return Key{Name: "SET", Where: lexWhere(l, false)}
	}
	k := Key{Name: l.Name()}
	s := keyShapes[k.Name]
	if s == 0 {
		l.Fail("a search key")
		return k
	}
	if s != keyAlone {
		l.SP()
	}
	switch s {
	case keyText:
		k.Text = l.AString()
	case keyAtom:
		k.Text = l.Atom()
	case keyField:
		k.Field = l.AString()
		l.SP()
		k.Text = l.AString()
	case keyDay:
		k.Day = lexDay(l)
	case keyNumber:
		k.Number = l.Number64()
	case keyModSeq:
		if l.Peek() == '"' {
			if k.Field = l.String(); !strings.HasPrefix(k.Field, "/flags/") {
				l.Fail("an entry")
			}
			l.SP()
			if k.Text = strings.ToLower(l.Atom()); k.Text != "priv" && k.Text != "shared" && k.Text != "all" {
				l.Fail("priv, shared or all")
			}
			l.SP()
		}
		k.Number = l.Number64()
	case keyNot:
		k.Keys = []Key{lexKey(l, n)}
	case keyOr:
		k.Keys = []Key{lexKey(l, n), {}}
		l.SP()
		k.Keys[1] = lexKey(l, n)
	case keyUID:
		k = Key{Name: "SET", Where: lexWhere(l, true)}
	}
	return k
}

// A Return is what a search is to give (RFC 4731, RFC 5182, RFC 9394). The zero
// Return stands for ALL.
type Return struct {
	Min, Max, All, Count bool
	Save                 bool
	Page                 *Page
}

// Search is the arguments of SEARCH and UID SEARCH.
type Search struct {
	Return  *Return // nil: the answer is an untagged SEARCH
	Charset string  // "": not told
	Key     Key
}

// Append writes the arguments.
func (s Search) Append(st Style, b []byte) []byte {
	if s.Return != nil {
		b = append(s.Return.append(append(b, "RETURN "...)), ' ')
	}
	if s.Charset != "" {
		b = append(st.AString(append(b, "CHARSET "...), s.Charset), ' ')
	}
	return s.Key.appendProgram(st, b)
}

// appendProgram writes the keys of an AND without parentheses.
func (k Key) appendProgram(st Style, b []byte) []byte {
	if k.Name == "AND" && len(k.Keys) > 0 {
		return k.appendKeys(st, b, ' ')
	}
	return k.Append(st, b)
}

// ParseSearch reads the arguments. The error is ErrSyntax.
func ParseSearch(args []byte) (Search, error) {
	l := token.New(args)
	var s Search
	if l.TakeWord("RETURN") {
		l.SP()
		s.Return = lexReturn(l)
		l.SP()
	}
	if l.TakeWord("CHARSET") {
		l.SP()
		s.Charset = l.AString()
		l.SP()
	}
	s.Key = lexProgram(l)
	return s, l.End()
}

func (r *Return) append(b []byte) []byte {
	var words []string
	for word, has := range r.flags() {
		if *has {
			words = append(words, word)
		}
	}
	if r.Page != nil {
		words = append(words, string(r.Page.Append([]byte("PARTIAL "))))
	}
	return append(append(append(b, '('), strings.Join(words, " ")...), ')')
}

// flags gives the options by their names.
func (r *Return) flags() func(yield func(string, *bool) bool) {
	return func(yield func(string, *bool) bool) {
		_ = yield("MIN", &r.Min) && yield("MAX", &r.Max) && yield("ALL", &r.All) && yield("COUNT", &r.Count) && yield("SAVE", &r.Save)
	}
}

func lexReturn(l *token.Lexer) *Return {
	r := &Return{}
	l.List(func() {
		word := l.Name()
		for name, has := range r.flags() {
			if name == word {
				*has = true
				return
			}
		}
		if word != "PARTIAL" || r.Page != nil {
			l.Fail("MIN, MAX, ALL, COUNT, SAVE or PARTIAL")
			return
		}
		l.SP()
		r.Page = lexPage(l)
	})
	if r.Page != nil && r.All { // RFC 9394 section 3.1
		l.Fail("not both ALL and PARTIAL")
	}
	return r
}

// A SortKey is one of SORT's criteria (RFC 5256, RFC 5957): ARRIVAL, CC, DATE,
// FROM, SIZE, SUBJECT, TO, DISPLAYFROM, DISPLAYTO.
type SortKey struct {
	Name    string
	Reverse bool
}

// Sort is the arguments of SORT and UID SORT.
type Sort struct {
	Return  *Return // RFC 5267's, as of a search
	By      []SortKey
	Charset string
	Key     Key
}

// Append writes the arguments.
func (s Sort) Append(st Style, b []byte) []byte {
	if s.Return != nil {
		b = append(s.Return.append(append(b, "RETURN "...)), ' ')
	}
	b = token.List(b, s.By, func(b []byte, k SortKey) []byte {
		if k.Reverse {
			b = append(b, "REVERSE "...)
		}
		return append(b, k.Name...)
	})
	b = append(st.AString(append(b, ' '), s.Charset), ' ')
	return s.Key.appendProgram(st, b)
}

// ParseSort reads the arguments. The error is ErrSyntax.
func ParseSort(args []byte) (Sort, error) {
	l := token.New(args)
	var s Sort
	if l.TakeWord("RETURN") {
		l.SP()
		s.Return = lexReturn(l)
		l.SP()
	}
	l.List(func() {
		var k SortKey
		if k.Reverse = l.TakeWord("REVERSE"); k.Reverse {
			l.SP()
		}
		switch k.Name = l.Name(); k.Name {
		case "ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO", "DISPLAYFROM", "DISPLAYTO":
		default:
			l.Fail("a sort key")
		}
		if s.By = append(s.By, k); len(s.By) > 20 {
			l.Fail("fewer sort keys")
		}
	})
	if len(s.By) == 0 {
		l.Fail("a sort key")
	}
	l.SP()
	s.Charset = l.AString()
	l.SP()
	s.Key = lexProgram(l)
	return s, l.End()
}

// ThreadSearch is the arguments of THREAD and UID THREAD (RFC 5256).
type ThreadSearch struct {
	Algorithm string // ORDEREDSUBJECT or REFERENCES
	Charset   string
	Key       Key
}

// Append writes the arguments.
func (t ThreadSearch) Append(st Style, b []byte) []byte {
	b = append(append(b, t.Algorithm...), ' ')
	b = append(st.AString(b, t.Charset), ' ')
	return t.Key.appendProgram(st, b)
}

// ParseThreadSearch reads the arguments. The error is ErrSyntax.
func ParseThreadSearch(args []byte) (ThreadSearch, error) {
	l := token.New(args)
	t := ThreadSearch{Algorithm: l.Name()}
	l.SP()
	t.Charset = l.AString()
	l.SP()
	t.Key = lexProgram(l)
	return t, l.End()
}
