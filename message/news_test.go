package message

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

const article = "Path: news.b.test!.POSTED.a.test!not-for-mail\n" +
	"From: a@x.test\nNewsgroups: comp.lang.go,local.test\nSubject: s\n" +
	"Date: Fri, 21 Nov 1997 09:55:06 -0600\nMessage-ID: <a@x.test>\n\n"

func TestCheckArticle(t *testing.T) {
	for _, c := range []struct {
		name, from, to string
		proto          bool
		want           string // what the error says, or nothing
	}{
		{"good", "", "", false, ""},
		{"posted already", "", "", true, "posted already"},
		{"posted", "Path: news.b.test!.POSTED.a.test!not-for-mail\n", "", true, ""},
		{"posted bare", "Date: Fri, 21 Nov 1997 09:55:06 -0600\nMessage-ID: <a@x.test>\n", "", true, "posted already"},
		{"no path", "Path: news.b.test!.POSTED.a.test!not-for-mail\n", "", false, "no field Path"},
		{"no groups", "Newsgroups: comp.lang.go,local.test\n", "", true, "no field Newsgroups"},
		{"empty groups", "comp.lang.go,local.test", "", false, "Newsgroups is empty"},
		{"commas", "comp.lang.go,local.test", ",,", false, "Newsgroups has no name"},
		{"bad group", "local.test", "local..test", false, `newsgroup "local..test"`},
		{"two subjects", "Subject: s\n", "Subject: s\nsubject: t\n", false, "2 fields Subject"},
		{"two groups", "Subject: s\n", "Subject: s\nNewsgroups: a\n", false, "2 fields Newsgroups"},
		{"bad date", "21 Nov", "41 Nov", false, "Date cannot be read"},
		{"bad from", "From: a@x.test", "From: nobody", false, "From has no valid address"},
		{"bad id", "<a@x.test>", "a@x.test", false, "Message-ID is malformed"},
		{"lax id", "<a@x.test>", "<a..b@x@test>", false, ""},
		{"lax id to post", "<a@x.test>", "<a..b@x@test>", true, "Message-ID is malformed"},
		{"xref to post", "Subject: s\n", "Subject: s\nXref: a b:1\n", true, "Xref is for the server"},
	} {
		text := article
		if c.from != "" {
			if text = strings.Replace(article, c.from, c.to, 1); text == article {
				t.Fatalf("%s changes nothing", c.name)
			}
		}
		h, _ := ParseHeader([]byte(crlf(text)), Limits{})
		err := CheckArticle(h, c.proto)
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrArticle) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestNewsFields(t *testing.T) {
	if got := ParseNewsgroups(" a.b , c,,\td "); !slices.Equal(got, []string{"a.b", "c", "d"}) {
		t.Errorf("%q", got)
	}
	for name, want := range map[string]bool{"comp.lang.go": true, "a": true, "a+b-c_1.2": true, "": false, ".a": false, "a.": false, "a b": false, "a*": false, "a,b": false, "å.b": true} {
		if ValidNewsgroup(name) != want {
			t.Errorf("%q is not %v", name, want)
		}
	}
	path := "foo.isp.example!.SEEN.isp.example!!foo-news !.MISMATCH.2001:DB8:0:0:8:800:200C:417A!bar.isp.example!!old.site.example !barbaz!!baz.isp.example!.POSTED.dialup123.baz.isp.example!not-for-mail"
	got := ParsePath(path)
	if len(got) != 13 || got[0] != "foo.isp.example" || got[2] != "" || got[12] != "not-for-mail" {
		t.Errorf("%d: %q", len(got), got)
	}
	for server, want := range map[string]bool{"bar.isp.example": true, "BARBAZ": true, "isp.example": false, "not-for-mail": false} {
		if PathHas(path, server) != want {
			t.Errorf("%s is not %v", server, want)
		}
	}
}
