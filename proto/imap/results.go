package imap

import (
	"slices"
	"strconv"

	"github.com/farend-go/farend/proto/imap/internal/token"
)

// Found is the untagged SEARCH and SORT: numbers as they were found, in the
// order of the sort, and the highest modification sequence among them where the
// search asked for any (RFC 7162; else 0).
type Found struct {
	Numbers []uint32
	ModSeq  uint64
}

// Append writes what follows the response's name, which may be nothing.
func (f Found) Append(b []byte) []byte {
	for i, n := range f.Numbers {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendUint(b, uint64(n), 10)
	}
	if f.ModSeq > 0 && len(f.Numbers) > 0 {
		b = append(strconv.AppendUint(append(b, " (MODSEQ "...), f.ModSeq, 10), ')')
	}
	return b
}

// ParseFound reads it. The error is ErrSyntax.
func ParseFound(rest []byte) (Found, error) {
	l := token.New(rest)
	var f Found
	for l.More() {
		if len(f.Numbers) > 0 {
			if l.SP(); !l.More() { // a space behind the last number is common
				break
			}
		}
		if len(f.Numbers) > 0 && l.Peek() == '(' {
			l.Open()
			if l.Name() != "MODSEQ" {
				l.Fail("MODSEQ")
			}
			l.SP()
			f.ModSeq = uint64(l.Number64())
			l.Close()
			break
		}
		f.Numbers = append(f.Numbers, l.Positive())
	}
	return f, l.End()
}

// ESearch is the untagged ESEARCH (RFC 9051 section 7.3.4).
type ESearch struct {
	Tag      string // of the command; "": none
	UID      bool
	Min, Max uint32 // 0: not told
	Count    int64  // -1: not told
	All      Set    // nil: not told
	ModSeq   uint64 // 0: not told
	Page     *Page  // nil: not told
	PageSet  Set    // what is on the page
}

// Append writes what follows the response's name.
func (e ESearch) Append(b []byte) []byte {
	if e.Tag != "" {
		b = append(Style(0).String(append(b, "(TAG "...), e.Tag), ')')
	}
	if e.UID {
		b = append(b, " UID"...)
	}
	number := func(name string, n uint64) {
		b = strconv.AppendUint(append(append(append(b, ' '), name...), ' '), n, 10)
	}
	if e.Min > 0 {
		number("MIN", uint64(e.Min))
	}
	if e.Max > 0 {
		number("MAX", uint64(e.Max))
	}
	if e.Count >= 0 {
		number("COUNT", uint64(e.Count))
	}
	if len(e.All) > 0 {
		b = e.All.Append(append(b, " ALL "...))
	}
	if e.Page != nil {
		b = append(e.Page.Append(append(b, " PARTIAL ("...)), ' ')
		if len(e.PageSet) == 0 {
			b = append(b, "NIL)"...)
		} else {
			b = append(e.PageSet.Append(b), ')')
		}
	}
	if e.ModSeq > 0 {
		number("MODSEQ", e.ModSeq)
	}
	if e.Tag == "" && len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	return b
}

// ParseESearch reads it; what nobody knows is passed by. The error is
// ErrSyntax.
func ParseESearch(rest []byte) (ESearch, error) {
	l := token.New(rest)
	e := ESearch{Count: -1}
	if l.Peek() == '(' {
		l.Open()
		if l.Name() != "TAG" {
			l.Fail("TAG")
		}
		l.SP()
		e.Tag = l.AString()
		l.Close()
		if l.More() {
			l.SP()
		}
	}
	for first := true; l.More(); first = false {
		if !first {
			l.SP()
		}
		name := l.Name()
		if name == "UID" {
			e.UID = true
			continue
		}
		l.SP()
		switch name {
		case "MIN":
			e.Min = l.Positive()
		case "MAX":
			e.Max = l.Positive()
		case "COUNT":
			e.Count = int64(l.Number())
		case "ALL":
			e.All = lexSet(l)
		case "MODSEQ":
			e.ModSeq = uint64(l.Number64())
		case "PARTIAL":
			l.Open()
			e.Page = lexPage(l)
			l.SP()
			if !l.Nil() {
				e.PageSet = lexSet(l)
			}
			l.Close()
		default:
			l.Skip()
		}
	}
	return e, l.End()
}

// A Thread is messages that answer one another (RFC 5256): a message, or, where
// Number is 0, none that is there, and what answers it.
type Thread struct {
	Number  uint32
	Answers []Thread
}

// AppendThreads writes what follows the name of the untagged THREAD.
func AppendThreads(b []byte, threads []Thread) []byte {
	for _, t := range threads {
		b = append(t.append(append(b, '(')), ')')
	}
	return b
}

// append writes a thread without its parentheses: a chain of single answers is
// a row of numbers.
func (t Thread) append(b []byte) []byte {
	for first := true; ; first = false {
		if t.Number > 0 {
			if !first {
				b = append(b, ' ')
			}
			b = strconv.AppendUint(b, uint64(t.Number), 10)
		}
		if len(t.Answers) != 1 || t.Number == 0 || t.Answers[0].Number == 0 {
			break
		}
		t = t.Answers[0]
	}
	if len(t.Answers) > 0 && t.Number > 0 {
		b = append(b, ' ')
	}
	return AppendThreads(b, t.Answers)
}

// ParseThreads reads it. The error is ErrSyntax.
func ParseThreads(rest []byte) ([]Thread, error) {
	l := token.New(rest)
	threads := lexThreads(l)
	return threads, l.End()
}

func lexThreads(l *token.Lexer) []Thread {
	var threads []Thread
	for l.Peek() == '(' {
		l.Open()
		threads = append(threads, lexThread(l))
		l.Close()
		l.Take(' ') // some servers write one
	}
	return threads
}

func lexThread(l *token.Lexer) Thread {
	if l.Peek() == '(' {
		answers := lexThreads(l)
		if len(answers) == 1 { // a parenthesis too many
			return answers[0]
		}
		return Thread{Answers: answers}
	}
	var chain []uint32
	for {
		chain = append(chain, l.Positive())
		if !l.Take(' ') || l.Peek() == '(' || l.Err() != nil {
			break
		}
	}
	t := Thread{Answers: lexThreads(l)}
	for i, n := range slices.Backward(chain) {
		t.Number = n
		if i > 0 {
			t = Thread{Answers: []Thread{t}}
		}
	}
	return t
}

// Vanished is the untagged VANISHED (RFC 7162): UIDs that are gone; Earlier:
// since long ago, so that no sequence number changes.
type Vanished struct {
	Earlier bool
	UIDs    Set
}

// Append writes what follows the response's name.
func (v Vanished) Append(b []byte) []byte {
	if v.Earlier {
		b = append(b, "(EARLIER) "...)
	}
	return v.UIDs.Append(b)
}

// ParseVanished reads it. The error is ErrSyntax.
func ParseVanished(rest []byte) (Vanished, error) {
	l := token.New(rest)
	var v Vanished
	if l.Peek() == '(' {
		l.Open()
		if v.Earlier = l.TakeWord("EARLIER"); !v.Earlier {
			l.Fail("EARLIER")
		}
		l.Close()
		l.SP()
	}
	v.UIDs = lexSet(l)
	return v, l.End()
}
