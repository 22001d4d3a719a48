package message

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestBaseSubject(t *testing.T) {
	for _, c := range []struct {
		in, want string
		reply    bool
	}{
		{"", "", false},
		{"hello", "hello", false},
		{"Re: hello", "hello", true},
		{"RE: fw: Fwd: hello", "hello", true},
		{"re : hello", "hello", true},
		{"Re[2]: hello", "hello", true},
		{"re [x]: hello", "hello", true},
		{"[list] Re: [list] hello", "hello", true},
		{"[list] hello", "hello", false},
		{"[a] [b] hello", "hello", false},
		{"[list]", "[list]", false},
		{"[a][b]", "[b]", false},
		{"Re: [list]", "[list]", true},
		{"hello (fwd)", "hello", true},
		{"hello (fwd) (FWD) ", "hello", true},
		{"[fwd: hello]", "hello", true},
		{"[Fwd: Re: [list] hello (fwd)]", "hello", true},
		{"[fwd: [fwd: hello]]", "hello", true},
		{"[fwd: hello", "[fwd: hello", false},
		{"  two\t \r\n words  ", "two words", false},
		{"Reply: hello", "Reply: hello", false},
		{"re hello", "re hello", false},
		{"=?utf-8?Q?Re=3A_bl=C3=A5?=", "blå", true},
		{"[a [b] hello", "[a [b] hello", false},
		{"Re:", "", true},
		{"(fwd)", "", true},
	} {
		if got, reply := BaseSubject(c.in); got != c.want || reply != c.reply {
			t.Errorf("%q: %q %v, want %q %v", c.in, got, reply, c.want, c.reply)
		}
	}
}

// list writes threads as IMAP does, numbers from 1 (RFC 5256 4).
func list(threads []Thread) string {
	var b strings.Builder
	for _, t := range threads {
		b.WriteString("(" + members(t) + ")")
	}
	return b.String()
}

func members(t Thread) string {
	s := ""
	if t.Item >= 0 {
		s = fmt.Sprint(t.Item + 1)
	}
	if len(t.Replies) == 1 && t.Item >= 0 {
		return s + " " + members(t.Replies[0])
	}
	if len(t.Replies) > 0 && s != "" {
		s += " "
	}
	return s + list(t.Replies)
}

// item is "id ref ref; subject; day".
func item(t *testing.T, text string) Threadable {
	t.Helper()
	part := strings.Split(text, ";")
	ids := strings.Fields(part[0])
	var day int
	if _, err := fmt.Sscan(part[2], &day); err != nil {
		t.Fatal(err)
	}
	it := Threadable{Subject: strings.TrimSpace(part[1]), Date: time.Date(2000, 1, day, 0, 0, 0, 0, time.UTC)}
	if len(ids) > 0 && ids[0] != "-" {
		it.MessageID = ids[0]
	}
	if len(ids) > 1 {
		it.References = ids[1:]
	}
	return it
}

func TestThreads(t *testing.T) {
	for _, c := range []struct {
		name, references, ordered string
		items                     []string
	}{
		{"none", "", "", nil},
		{"one", "(1)", "(1)", []string{"a;s;1"}},
		{"chain", "(1 2 3)", "(1 (2)(3))", []string{"a;s;1", "b a;Re: s;2", "c a b;Re: s;3"}},
		// RFC 5256 4: 3 and 6, then 4 with 23 beside 44 with 7 and 96
		{"fork", "(1 2 (3 4)(5 6 7))", "(1)(2)(3)(4)(5)(6)(7)",
			[]string{"a;a;1", "b a;b;2", "c a b;c;3", "d a b c;d;4", "e a b;e;5", "f a b e;f;6", "g a b e f;g;7"}},
		// RFC 5256 4: siblings of a parent that is not there
		{"missing parent", "((1)(2))", "(1)(2)", []string{"a x;a;1", "b x;b;2"}},
		{"missing parent of one", "(1)", "(1)", []string{"a x;a;1"}},
		{"missing in the middle", "(1 2)", "(1)(2)", []string{"a;a;1", "c a b;c;2"}},
		{"missing in the middle of two", "(1 (2)(3))", "(1)(2)(3)", []string{"a;a;1", "c a b;c;2", "d a b;d;3"}},
		{"answer before question", "(2 1)", "(2 1)", []string{"b a;Re: s;2", "a;s;1"}},
		{"siblings by date", "(1 (3)(2))", "(1 (3)(2))", []string{"a;s;1", "b a;Re: s;3", "c a;Re: s;2"}},
		{"equal dates by number", "(1)(2)(3)", "(1)(2)(3)", []string{"a;a;1", "b;b;1", "c;c;1"}},
		{"roots by date", "(2)(1)", "(2)(1)", []string{"a;a;2", "b;b;1"}},
		// 2 became the parent of 1 by 1's references; the reverse would be a loop.
		{"loop", "(2 1)", "(1)(2)", []string{"a b;a;1", "b a;b;2"}},
		{"own parent", "(1)", "(1)", []string{"a a;a;1"}},
		// 2 has no references: step 1.B takes it from the parent that 1's gave it.
		{"loop inside one", "(1)(2)", "(1)(2)", []string{"c a b a;c;1", "b;b;2"}},
		{"same identifier twice", "(1 3)(2)", "(1)(2)(3)", []string{"a;a;1", "a;b;2", "c a;c;3"}},
		{"no identifiers", "(1)(2)", "(1)(2)", []string{"-;a;1", "-;b;2"}},
		{"truncated references", "(1 2 3)", "(1)(2)(3)", []string{"a;a;1", "b a;b;2", "c b;c;3"}},
		// step 5
		{"reply without references", "(1 2)", "(1 2)", []string{"a;s;1", "b;Re: s;2"}},
		{"reply before its question", "(2 1)", "(1 2)", []string{"a;Re: s;1", "b;s;2"}},
		{"two questions alike", "((1)(2))", "(1 2)", []string{"a;s;1", "b;S;2"}},
		{"two replies alike", "((1)(2))", "(1 2)", []string{"a;Re: s;1", "b;Re: s;2"}},
		{"three alike", "((1)(2)(3))", "(1 (2)(3))", []string{"a;s;1", "b;s;2", "c;s;3"}},
		{"two dummies alike", "((1)(2)(3)(4))", "(1 (2)(3)(4))", []string{"a x;s;1", "b x;s;2", "c y;s;3", "d y;s;4"}},
		{"dummy and reply alike", "((1)(2)(3))", "(1 (2)(3))", []string{"a x;s;1", "b x;s;2", "c;Re: s;3"}},
		{"no subject", "(1)(2)", "(1 2)", []string{"a;;1", "b;Re:;2"}},
	} {
		var items []Threadable
		for _, text := range c.items {
			items = append(items, item(t, text))
		}
		if got := list(References(items)); got != c.references {
			t.Errorf("%s: REFERENCES %s, want %s", c.name, got, c.references)
		}
		if got := list(OrderedSubject(items)); got != c.ordered {
			t.Errorf("%s: ORDEREDSUBJECT %s, want %s", c.name, got, c.ordered)
		}
	}
}

func TestThreadable(t *testing.T) {
	arrival := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	e := Envelope{MessageID: " <a@b> ", InReplyTo: "your <c@d> and <e@f>", Date: "no date", Subject: "s"}
	got := e.Threadable(arrival)
	if got.MessageID != "<a@b>" || len(got.References) != 1 || got.References[0] != "<c@d>" || !got.Date.Equal(arrival) {
		t.Errorf("%+v", got)
	}
	e.References, e.Date = []string{"<x@y>"}, "1 Jan 2000 00:00:00 +0000"
	if got = e.Threadable(arrival); got.References[0] != "<x@y>" || got.Date.Year() != 2000 {
		t.Errorf("%+v", got)
	}
	for n := range 1500 {
		e.References = append(e.References, fmt.Sprintf("<%d@y>", n))
	}
	if got = e.Threadable(arrival); len(got.References) != 1000 || got.References[999] != "<1499@y>" {
		t.Errorf("%d references, up to %s", len(got.References), got.References[len(got.References)-1])
	}
}
