package nntp_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/proto/nntp"
)

// TestWildmatOfTheRFC has the examples of RFC 3977 sections 4.2 and 4.4.
func TestWildmatOfTheRFC(t *testing.T) {
	for _, c := range []struct {
		wildmat, yes, no string // names with blanks between them
	}{
		{"a*,!*b,*c*", "aaa ccb", "abb xxx"},
		{"abc", "abc", "ab abcd"},
		{"abc,def", "abc def", "abcdef"},
		{"£", "£", "x ££"},
		{"a*", "a abc", "ba"},
		{"a*b", "ab acb", "abc"},
		{"a*,*b", "ax xb", "xx"},
		{"a*,!*b", "ax", "ab xb"},
		{"a*,!*b,c*", "ax cb", "ab"},
		{"a*,c*,!*b", "ax cx", "ab cb"},
		{"?a*", "xa £axx", "a ax"},
		{"??a*", "xxa ££a", "xa"},
		{"*a?", "xxax a£", "a xa"},
		{"*a??", "axx", "ax"},
		{"*", "a £", ""},
		{"*a*a*a*a*b", "aaaab", strings.Repeat("a", 400)},
		{"!a,b", "b", "a"},
	} {
		w, err := nntp.ParseWildmat(c.wildmat)
		if err != nil || w.String() != c.wildmat {
			t.Errorf("%s: %v, %v", c.wildmat, w, err)
		}
		for name := range strings.FieldsSeq(c.yes) {
			if !w.Match(name) {
				t.Errorf("%s does not match %s", c.wildmat, name)
			}
		}
		for name := range strings.FieldsSeq(c.no) {
			if w.Match(name) {
				t.Errorf("%s matches %s", c.wildmat, name)
			}
		}
	}
	for _, bad := range []string{"", ",", "a,", "!", "a,!", "a b", `a\b`, "[a]", "a!b", "\x00"} {
		if w, err := nntp.ParseWildmat(bad); !errors.Is(err, nntp.ErrWildmat) {
			t.Errorf("%q: %v, %v", bad, w, err)
		}
	}
}

func TestOldPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"*[Ff]oo*", "a foo b", true}, {"*[Ff]oo*", "a goo b", false}, {"[^a-c]x", "dx", true}, {"[^a-c]x", "bx", false},
		{`a\*b`, "a*b", true}, {`a\*b`, "axb", false}, {"[]]", "]", true}, {"[", "[", true}, {"[a", "[a", true},
		{`\`, `\`, true}, {"", "", true}, {"", "x", false}, {"[é-í]", "ì", true}, {"?", "é", true}, {"re: *", "re: a b", true},
	} {
		if got := nntp.MatchesOld(c.pattern, c.text); got != c.want {
			t.Errorf("%q, %q: %t", c.pattern, c.text, got)
		}
	}
}

func TestTimes(t *testing.T) {
	now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	want := time.Date(2026, 6, 24, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		text string
		want time.Time
	}{
		{"20260624 000000 GMT", want}, {"260624 000000 gmt", want}, {"270624 000000 GMT", want.AddDate(-99, 0, 0)},
		{"20260624 000000", time.Date(2026, 6, 24, 0, 0, 0, 0, time.Local)}, {"20160630 235960 GMT", time.Date(2016, 7, 1, 0, 0, 0, 0, time.UTC)},
	} {
		got, err := nntp.ParseTime(strings.Fields(c.text), now)
		if err != nil || !got.Equal(c.want) {
			t.Errorf("%s: %v, %v", c.text, got, err)
		}
	}
	for _, bad := range []string{"", "20260624", "20261324 000000", "2026062 000000", "20260624 0000", "20260624 000000 CET", "x 000000", "+20260624 000000", "-1-1-1 000000"} {
		if got, err := nntp.ParseTime(strings.Fields(bad), now); err == nil {
			t.Errorf("%q: %v", bad, got)
		}
	}
}

func TestOverviewFields(t *testing.T) {
	f := nntp.Format{"Subject:", "From:", "Date:", "Message-ID:", "References:", "Bytes:", "Lines:", "Xref:full", "Newsgroups:full"}
	o, err := nntp.ParseOverview("7\t=?utf-8?q?Gr=C3=BC=C3=9Fe?=\tann\tnow\t<1@x>\t<0@x> <z@x>\t120\t\tXREF: h g:7", f)
	if err != nil || o.Number != 7 || o.Subject() != "Grüße" || o.From() != "ann" || o.Date() != "now" || o.ID() != "<1@x>" {
		t.Errorf("%+v, %v", o, err)
	}
	if o.Bytes() != 120 || o.Lines() != -1 || len(o.References()) != 2 {
		t.Errorf("%d, %d, %v", o.Bytes(), o.Lines(), o.References())
	}
	if v, ok := o.Get("xref"); v != "h g:7" || !ok {
		t.Error(v, ok)
	}
	if v, ok := o.Get("newsgroups"); v != "" || ok {
		t.Error(v, ok)
	}
	if _, err := nntp.ParseOverview("x\ty", nil); !errors.Is(err, nntp.ErrReply) {
		t.Error(err)
	}
}

func FuzzCommand(f *testing.F) {
	for _, s := range []string{"GROUP a.b", "authinfo PASS a b ", "x", "LIST\tACTIVE  *", "HEAD \x00", "ARTICLE 1-", "OVER 3-7", "xover 0-0"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		c, err := nntp.ParseCommand(line)
		if err != nil {
			return
		}
		again, err := nntp.ParseCommand(c.Append(nil))
		if err != nil || again != c {
			t.Errorf("%q: %+v, then %+v, %v", line, c, again, err)
		}
		r, err := nntp.ParseRange(c.Arg)
		if err != nil {
			return
		}
		if s, err := nntp.ParseRange(r.String()); err != nil || s != r {
			t.Errorf("%q: %v, then %v, %v", c.Arg, r, s, err)
		}
	})
}

func FuzzReply(f *testing.F) {
	for _, s := range []string{"200 hello", "211 3 1 3 local.test", "99 x", "500", "2000", "435 "} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := nntp.ParseReply(line)
		if err != nil {
			return
		}
		b := r.Append(nil)
		if bytes.ContainsAny(b, "\r\n\x00") {
			t.Errorf("%q has a line break", b)
		}
		again, err := nntp.ParseReply(b)
		if err != nil || again.Code != r.Code || len(again.Text) != len(r.Text) {
			t.Errorf("%q: %+v, then %+v, %v", line, r, again, err)
		}
		g, err := nntp.ParseSelected(r.Text)
		if err != nil {
			return
		}
		if h, err := nntp.ParseSelected(string(nntp.AppendSelected(g))); err != nil || h != g {
			t.Errorf("%q: %+v, then %+v, %v", r.Text, g, h, err)
		}
	})
}

func FuzzWildmat(f *testing.F) {
	for _, s := range []string{"a*,!*b,*c*", "?", "*£*", "!x"} {
		f.Add(s, "abc")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		nntp.MatchesOld(text, name)
		w, err := nntp.ParseWildmat(text)
		if err != nil {
			return
		}
		again, err := nntp.ParseWildmat(w.String())
		if err != nil || again.Match(name) != w.Match(name) {
			t.Errorf("%q: %v", text, err)
		}
		if all := append(w, nntp.Pattern{Text: "*"}); !all.Match(name) {
			t.Errorf("%q does not match %q", all, name)
		}
		if !strings.ContainsAny(text, "*?!,") && w.Match(name) != (text == name) {
			t.Errorf("%q matches %q", text, name)
		}
	})
}

func FuzzOverview(f *testing.F) {
	f.Add("7\tsubject\tfrom\tdate\t<1@x>\t\t120\t3\tXref: h g:7")
	f.Add("3000234\t\t\t")
	f.Fuzz(func(t *testing.T, line string) {
		o, err := nntp.ParseOverview(line, nil)
		if err != nil {
			return
		}
		b := string(o.Append(nil))
		if strings.ContainsAny(b, "\r\n\x00") {
			t.Errorf("%q has a line break", b)
		}
		again, err := nntp.ParseOverview(b, nil)
		if err != nil || again.Number != o.Number || len(again.Fields) != len(o.Fields) || again.ID() != o.ID() && !strings.ContainsAny(line, "\r\n\x00") {
			t.Errorf("%q: %+v, then %+v, %v", line, o, again, err)
		}
		o.Subject()
		o.References()
		o.Lines()
	})
}
