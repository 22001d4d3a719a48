package transfer

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// pages are listings as servers write them, and what is to be followed in them.
var pages = []struct {
	name, page string
	whole      bool
	want       []string
}{
	{"nginx", `<html><head><title>Index of /pub/</title></head><body><h1>Index of /pub/</h1><hr><pre><a href="../">../</a>
<a href="sub%20dir/">sub dir/</a>   21-Nov-2026 12:00   -
<a href="a&amp;b%23.txt">a&amp;b#.txt</a>   21-Nov-2026 12:00   123
</pre><hr></body></html>`, true, []string{"sub dir/", "a&b#.txt"}},
	{"Apache", `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN"><html><head><title>Index of /pub</title></head><body>
<table><tr><th><a href="?C=N;O=D">Name</a></th></tr><tr><td><a href="/">Parent Directory</a></td></tr>
<tr><td><a href="x.tar.gz">x.tar.gz</a></td><td align="right">2026-11-21 12:00 </td><td>1.2K</td></tr></table></body></html>`, true, []string{"x.tar.gz"}},
	{"Python", `<!DOCTYPE HTML><html lang="en"><head><meta charset="utf-8"><title>Directory listing for /pub/</title></head><body><ul>
<li><a href="%C3%BC.txt">ü.txt</a></li><li><a href="link/">link@</a></li></ul></body></html>`, true, []string{"ü.txt", "link/"}},
	{"a site", `<title>Welcome</title><a href=docs/index.html#top>x</a><A HREF='/pub/docs/b'>y</A><a href="mailto:x@y">z</a>`, false,
		[]string{"docs/index.html", "docs/b", "index.html"}},
	{"a site with its index", `<a href="index.html">x</a><a href=".">y</a><a href="">z</a>`, false, []string{"index.html"}},
	{"hostile", `<title>Index of x</title><a href="../up">1</a><a href="/etc/passwd">2</a><a href="//evil/pub/x">3</a><a href="http://h:81/pub/x">4</a>
<a href="..%2f..%2fup">5</a><a href="%2e%2e/up">6</a><a href="a%00b">7</a><a href="file:///etc/passwd">8</a><a href="ftp://h/pub/x">9</a>
<a href="/pub/../pub/./ok">10</a><a href="/pub/x/../../up">11</a><a href="https://h/pub/s">12</a><a href="/publicity">13</a><a href="http://[::bad">14</a>`,
		true, []string{"a\x00b", "ok"}}, // NUL has no safe name here, and goes no further
}

func TestListingsOfHTML(t *testing.T) {
	base, err := url.Parse("http://h/pub/")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range pages {
		found, err := (&webTreeOf{base: base}).fromHTML(entry{path: "."}, base, strings.NewReader(c.page))
		if err != nil || found.whole != c.whole {
			t.Errorf("%s: whole %v, %v", c.name, found.whole, err)
		}
		if got := paths(found.entries); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// paths are those of entries, directories with a slash.
func paths(entries []entry) []string {
	var got []string
	for _, e := range entries {
		p := e.path
		if e.dir {
			p += "/"
		}
		got = append(got, p)
	}
	return got
}

func TestListingsOfJSON(t *testing.T) {
	base, err := url.Parse("http://h/pub/")
	if err != nil {
		t.Fatal(err)
	}
	tree := &webTreeOf{base: base}
	found, err := tree.fromJSON(entry{path: "d"}, base.JoinPath("d/"), strings.NewReader(`[
{"name":"s u","type":"directory","mtime":"Sat, 21 Nov 2026 12:00:00 GMT"},
{"name":"f#?%41","type":"file","mtime":"Sat, 21 Nov 2026 12:00:01 GMT","size":5},
{"name":"../../x","type":"file","size":5},
{"name":"fifo","type":"other"}]`))
	if err != nil || !found.whole || found.passed != 1 {
		t.Fatalf("%+v, %v", found, err)
	}
	if got := paths(found.entries); !slices.Equal(got, []string{"d/s u/", "d/f#?%41", "d/../../x"}) {
		t.Errorf("%q", got)
	}
	f := found.entries[1]
	if at := tree.at(f); at != "http://h/pub/d/f%23%3F%2541" || f.version.Size != 5 || !f.exact || f.version.Modified.Unix() != 1795262401 {
		t.Errorf("%s, %+v", at, f)
	}
	if safePath(found.entries[2].path) == nil {
		t.Error("a name that leads out is safe")
	}
	for _, bad := range []string{"", "{}", "[1]", "[", `{"a":[]}`} {
		if _, err := tree.fromJSON(entry{path: "."}, base, strings.NewReader(bad)); Code(err) != CodeWeird {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// FuzzListing has servers write any page: no link that is followed leads out.
func FuzzListing(f *testing.F) {
	for _, c := range pages {
		f.Add(c.page)
	}
	for _, c := range listings {
		f.Add(c.page)
	}
	base, err := url.Parse("http://h/pub/a%20b/")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, page string) {
		tree := &webTreeOf{base: base}
		found, err := tree.fromHTML(entry{path: "."}, base, strings.NewReader(page))
		if err != nil {
			return
		}
		for _, e := range found.entries {
			u := tree.url(e)
			if u.Host != "h" || u.Scheme != "http" || !strings.HasPrefix(u.Path, "/pub/a b/") || u.RawQuery != "" {
				t.Errorf("%q leads to %v", page, u)
			}
			if strings.Contains("/"+e.path+"/", "/../") || strings.Contains(e.path, "//") {
				t.Errorf("%q has the path %q", page, e.path)
			}
		}
	})
}

// FuzzGlob expands any pattern: what has no bracket stays as it is.
func FuzzGlob(f *testing.F) {
	for _, p := range []string{"http://h/[1-3]", "[a-c:2]{x,y}", "http://[::1]/", "[01-10", "{}", "[1-2][3-4]"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		if len(pattern) > 40 || strings.Count(pattern, "-") > 2 { // not a million at a time
			return
		}
		all, err := Glob(pattern)
		if err == nil && len(all) == 0 {
			t.Errorf("%q stands for nothing", pattern)
		}
		if err == nil && !strings.ContainsAny(pattern, "[{") && (len(all) != 1 || all[0].URL != pattern) {
			t.Errorf("%q: %q", pattern, all)
		}
	})
}
