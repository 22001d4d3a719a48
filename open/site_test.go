package open_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/open"
)

// RFC 9309 section 5.1, and what goes beyond it.
const robots = `
User-Agent: *
Disallow: *.gif$
Disallow: /example/
Allow: /publications/

User-Agent: foobot
Disallow:/
Allow:/example/page.html
Allow:/example/allowed.gif

User-Agent: barbot
User-Agent: bazbot # both
Sitemap: https://www.example.com/map.xml
Disallow: /example/page.html
Crawl-delay: 2.5

User-Agent: quxbot
`

func TestRobots(t *testing.T) {
	r, err := open.ParseRobots(strings.NewReader("\ufeff" + strings.ReplaceAll(robots, "\n", "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		agent, url string
		want       bool
	}{
		{"foobot", "https://h/example/page.html", true}, {"foobot", "https://h/example/allowed.gif", true},
		{"foobot", "https://h/", false}, {"foobot", "https://h/robots.txt", true},
		{"barbot/1.0 (x)", "https://h/example/page.html", false}, {"BazBot", "https://h/example/page.html", false},
		{"barbot", "https://h/example/other", true}, {"barbot", "https://h/x.gif", true},
		{"quxbot", "https://h/example/", true},
		{"other", "https://h/example/x", false}, {"other", "https://h/x.gif", false}, {"other", "https://h/x.gif?", true},
		{"other", "https://h/publications/x.gif", true}, {"other", "https://h", true},
		{"other", "https://h/%65xample/x", false}, {"other", "%zz", false},
	} {
		if got := r.CanFetch(tt.agent, tt.url); got != tt.want {
			t.Errorf("%s, %s: %t", tt.agent, tt.url, got)
		}
	}
	if d, ok := r.CrawlDelay("bazbot"); d != 2500*time.Millisecond || !ok {
		t.Errorf("delay %v, %t", d, ok)
	}
	if _, ok := r.CrawlDelay("foobot"); ok {
		t.Error("a delay from nowhere")
	}
	if got := r.SiteMaps(); !reflect.DeepEqual(got, []string{"https://www.example.com/map.xml"}) {
		t.Errorf("maps %q", got)
	}
	// RFC 9309 section 2.2.2 and 2.2.3.
	for rule, url := range map[string]string{
		"/foo/bar?baz=quz": "/foo/bar?baz=quz", "/foo/bar?baz=https://foo.bar": "/foo/bar?baz=https%3A%2F%2Ffoo.bar",
		"/foo/bar/ツ": "/foo/bar/%E3%83%84", "/foo/bar/%62%61%7A": "/foo/bar/baz", "/a*b*c": "/axbxbxc/more",
		"/path/file-with-a-%2A.html": "/path/file-with-a-*.html", "*$": "/x",
	} {
		r, _ := open.ParseRobots(strings.NewReader("user-agent: *\ndisallow: " + rule))
		if want := strings.Contains(url, "%3A") || strings.Contains(rule, "%2A"); r.CanFetch("x", "http://h"+url) != want {
			t.Errorf("%s and %s: %t", rule, url, !want)
		}
	}
}

func TestReadRobots(t *testing.T) {
	for code, want := range map[int]bool{200: false, 404: true, 403: true, 500: false} {
		s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/robots.txt" {
				t.Errorf("asked for %s", r.URL)
			}
			w.WriteHeader(code)
			fmt.Fprint(w, "User-agent: *\nDisallow: /x\n")
		})
		r, err := open.ReadRobots(t.Context(), build(t), s.URL+"/some/page?q")
		if err != nil {
			t.Fatal(err)
		}
		if got := r.CanFetch("farendbot", s.URL+"/x"); got != want {
			t.Errorf("%d: %t", code, got)
		}
	}
}

func FuzzRobots(f *testing.F) {
	f.Add(robots, "foobot", "http://h/example/*")
	f.Fuzz(func(t *testing.T, text, agent, url string) {
		r, err := open.ParseRobots(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		lower := strings.ToLower(agent)
		if r.CanFetch(agent, url) != r.CanFetch(lower, url) {
			t.Errorf("%q: the case of %q counts", text, agent)
		}
		r.CrawlDelay(agent)
	})
}

func TestNetrc(t *testing.T) {
	n, err := open.ParseNetrc(strings.NewReader(`
# a comment
machine mail.example login klem password "a b\"c"  # behind
machine Two.example
	login u\ v
	account acct
	password p#q
macdef init
cd /pub
  ls

machine two.example login second password no
default login anonymous password me@
`))
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]open.NetrcEntry{
		"MAIL.example": {Login: "klem", Password: `a b"c`},
		"two.example":  {Login: "u v", Account: "acct", Password: "p#q"},
		"none":         {Login: "anonymous", Password: "me@"},
	} {
		got, ok := n.Lookup(host)
		if got != want || !ok {
			t.Errorf("%s: %+v", host, got)
		}
	}
	if got := n.Macros["init"]; !reflect.DeepEqual(got, []string{"cd /pub", "  ls"}) {
		t.Errorf("macro %q", got)
	}
	if _, _, ok := n.FindUserPassword("r", "http://none/"); ok {
		t.Error("the default entry serves a host that nobody named")
	}
	if u, p, ok := n.FindUserPassword("any", "https://mail.example:8443/x"); u != "klem" || p != `a b"c` || !ok {
		t.Errorf("%q, %q, %t", u, p, ok)
	}
	for text, want := range map[string]string{
		"\nmachine": "line 2: machine has no name", "machine h secret": "line 1: want login", "secret": "want machine",
		"machine h login": "login has no value", "macdef": "macdef has no name",
	} {
		if _, err := open.ParseNetrc(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestReadNetrc(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	if _, err := open.ReadNetrc(""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("none: %v", err)
	}
	name := filepath.Join(home, ".netrc")
	if err := os.WriteFile(name, []byte("machine 127.0.0.1 login klem password kadidd!ehopper\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := open.ReadNetrc(""); !errors.Is(err, open.ErrNetrcMode) {
		t.Errorf("open to all: %v", err)
	}
	if err := os.Chmod(name, 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := open.ReadNetrc("")
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, wantBasic("whatever", "klem", "kadidd!ehopper"))
	if _, body := get(t, build(t, open.NewHTTPBasicAuthHandler(n)), s.URL); body != "in" {
		t.Errorf("got %q", body)
	}
}

func FuzzNetrc(f *testing.F) {
	f.Add("machine h login u password \"p q\"\nmacdef m\nx\n\ndefault login a")
	f.Fuzz(func(t *testing.T, text string) {
		n, err := open.ParseNetrc(strings.NewReader(text))
		if (n == nil) == (err == nil) {
			t.Errorf("%q: %v, %v", text, n, err)
		}
	})
}
