package open_test

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/open"
)

func set(t *testing.T, j *open.CookieJar, from string, fields ...string) {
	t.Helper()
	u, err := url.Parse(from)
	if err != nil {
		t.Fatal(err)
	}
	resp := &http.Response{Header: http.Header{"Set-Cookie": fields}}
	j.SetCookies(u, resp.Cookies())
}

func names(all []open.Cookie) (out []string) {
	for _, k := range all {
		out = append(out, k.Domain+k.Path+" "+k.Name+"="+k.Value)
	}
	return out
}

// full is a jar with cookies of every kind.
func full(t *testing.T) *open.CookieJar {
	j := open.NewCookieJar()
	set(t, j, "https://www.example.com/a/b", "host=1; Max-Age=3600", "wide=2; Domain=example.com; Path=/; Max-Age=3600; Secure; HttpOnly", `session="3 3"; Path=/s`)
	set(t, j, "http://127.0.0.1/", "ip=4; Max-Age=3600")
	set(t, j, "http://example.co.uk/", "all=5; Domain=co.uk; Max-Age=3600", "other=6; Domain=example.org; Max-Age=3600", "gone=7; Max-Age=3600")
	set(t, j, "http://example.co.uk/", "gone=7; Max-Age=-1")
	return j
}

func TestCookieJarListsWhatIsTaken(t *testing.T) {
	want := []string{"127.0.0.1/ ip=4", "example.com/ wide=2", "www.example.com/a host=1", "www.example.com/s session=\"3 3\""}
	if got := names(full(t).All()); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestCookieFiles(t *testing.T) {
	for _, format := range []open.CookieFormat{open.Netscape, open.LWP} {
		for _, session := range []bool{true, false} {
			j := full(t)
			name := filepath.Join(t.TempDir(), "cookies")
			if err := j.Save(name, format, session); err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(name); err != nil || info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%v, %v", info.Mode(), err)
			}
			again := open.NewCookieJar()
			if err := again.Load(name); err != nil {
				t.Fatal(err)
			}
			want := j.All()
			if !session {
				want = want[:3]
			}
			got := again.All()
			for i := range want {
				want[i].Expires = want[i].Expires.Truncate(time.Second).UTC()
			}
			for i := range got {
				got[i].Expires = got[i].Expires.UTC()
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("format %d\ngot  %v\nwant %v", format, got, want)
			}
		}
	}
	j := open.NewCookieJar()
	if err := j.Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := j.Save(filepath.Join(t.TempDir(), "no", "folder"), open.LWP, true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func TestCookieFilesThatAreNone(t *testing.T) {
	const head = "# Netscape HTTP Cookie File\n"
	for text, want := range map[string]string{
		"": "not a file of cookies",
		"example.com\tFALSE\t/\tFALSE\t0\ta\tb\n":                          "not a file of cookies",
		head + "one\ttwo\n":                                                "line 2: want 7 fields",
		head + "\n# x\nh\tFALSE\t/\tFALSE\tsoon\ta\tb\n":                   "line 4: want the time",
		"#LWP-Cookies-2.0\nSet-Cookie3: =\n":                               "line 2: want name=value",
		"#LWP-Cookies-2.0\nSet-Cookie3: a=b; domain=h; expires=\"soon\"\n": "line 2: want a time",
	} {
		if err := open.NewCookieJar().Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	j := open.NewCookieJar()
	if err := j.Read(strings.NewReader(head + "example.com\tFALSE\t/\tFALSE\t1\told\tx\nexample.com\tFALSE\t/\tFALSE\t\tempty\n.com\tTRUE\t/\tFALSE\t0\ttop\tx\nexample.com\tFALSE\t/\tFALSE\t0\t\tbare\n")); err != nil {
		t.Error(err)
	}
	all := j.All() // one for all of .com serves no host below it
	if got := names(all); !reflect.DeepEqual(got, []string{"com/ top=x", "example.com/ bare=", "example.com/ empty="}) || !all[0].HostOnly {
		t.Errorf("got %q", got)
	}
}

func TestCookieProcessor(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("seen"); err == nil {
			w.Write([]byte(c.Value))
		}
		http.SetCookie(w, &http.Cookie{Name: "seen", Value: "yes"})
	})
	c := build(t, open.HTTPCookieProcessor{})
	if _, body := get(t, c, s.URL); body != "" {
		t.Errorf("first %q", body)
	}
	if _, body := get(t, c, s.URL); body != "yes" {
		t.Errorf("then %q", body)
	}
}

func FuzzCookieFile(f *testing.F) {
	f.Add([]byte("# Netscape HTTP Cookie File\n#HttpOnly_.example.com\tTRUE\t/\tTRUE\t4102444800\ta\tb\n"))
	f.Add([]byte("#LWP-Cookies-2.0\nSet-Cookie3: a=\"b\\\"\"; path=\"/\"; domain=\".example.com\"; expires=\"2099-01-01 00:00:00Z\"; version=0\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		j := open.NewCookieJar()
		if j.Read(bytes.NewReader(text)) != nil {
			return
		}
		for _, format := range []open.CookieFormat{open.Netscape, open.LWP} {
			var b bytes.Buffer
			again := open.NewCookieJar()
			if err := errors.Join(j.Write(&b, format, true), again.Read(&b)); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			if got, want := names(again.All()), names(j.All()); !reflect.DeepEqual(got, want) {
				t.Errorf("format %d: %q: got %q, want %q", format, text, got, want)
			}
		}
	})
}
