package app_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/farend-go/farend/app"
)

// browser is a client that trusts the services and follows no redirection.
func browser(t *testing.T, r app.Ready) *http.Client {
	t.Helper()
	transport := &http.Transport{ForceAttemptHTTP2: true}
	if r.CAFile != "" {
		transport.TLSClientConfig = trust(t, r)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// visit makes a request, with a login where there is one.
func visit(t *testing.T, c *http.Client, method, url, login, body string) (resp *http.Response, content string, err error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if name, password, ok := strings.Cut(login, ":"); ok {
		req.SetBasicAuth(name, password)
	}
	if resp, err = c.Do(req); err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp, string(b), err
}

// status is visit for who wants to know no more.
func status(t *testing.T, c *http.Client, method, url, login string) int {
	t.Helper()
	resp, _, err := visit(t, c, method, url, login, "put by a test")
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

// The tutorial's row of HTTP (default port 80, httplib, urllib): a server and a
// client, over the tree that ftp and gopher serve too.
func TestTutorial71_Web(t *testing.T) {
	for _, engine := range bothEngines {
		r := run(t, app.Config{Engine: engine, Listen: at(t, "http=:0", "https=:0", "http=tls::0", "ftp=:0")})
		c := browser(t, r)
		for i, proto := range []string{"HTTP/1.1", "HTTP/2.0", "HTTP/2.0"} {
			url := r.Services[i+1].URL
			if want := []string{"http://", "https://", "https://"}[i]; !strings.HasPrefix(url, want) {
				t.Errorf("%s, want %s", url, want)
			}
			resp, text, err := visit(t, c, "GET", url+"/README.txt", "", "")
			if err != nil || resp.Proto != proto || !strings.Contains(text, "sample tree of farend") || resp.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("%s: %v, %q, %v", url, resp, text, err)
			}
			if resp, _, err = visit(t, c, "GET", url+"/docs", "", ""); err != nil || resp.StatusCode != 301 || resp.Header.Get("Location") != "/docs/" {
				t.Errorf("%s: %v, %v", url, resp, err)
			}
			if resp, text, err = visit(t, c, "GET", url+"/", "", ""); err != nil || resp.StatusCode != 200 || !strings.Contains(text, `<a href="docs/">`) {
				t.Errorf("%s: %v, %q, %v", url, resp, text, err)
			}
			if got := status(t, c, "PUT", fmt.Sprintf("%s/put/%d", url, i), ""); got != 201 {
				t.Errorf("%s: PUT: %d", url, got)
			}
		}
		f := entered(t, r, "tcp", r.Services[0], "anybody", "anything")
		if text, err := retrieve(t.Context(), f, "put/1"); err != nil || text != "put by a test" {
			t.Errorf("by ftp: %q, %v", text, err)
		}
		if got := status(t, c, "DELETE", r.Services[1].URL+"/put/1", ""); got != 204 {
			t.Errorf("DELETE: %d", got)
		}
	}
}

// Who may write, and where.
func TestWebWrites(t *testing.T) {
	users := map[string]string{"ann": "secret"}
	dir := t.TempDir()
	for _, c := range []struct {
		root               string
		writable           bool
		users              map[string]string
		nobody, wrong, ann int // what PUT gives
	}{
		{"", false, nil, 201, 204, 204},
		{"", false, users, 401, 401, 201},
		{dir, false, nil, 405, 405, 405},
		{dir, false, users, 401, 401, 405},
		{dir, true, users, 401, 401, 201},
		{dir, true, nil, 204, 204, 204},
	} {
		r := run(t, app.Config{Root: c.root, Writable: c.writable, Users: c.users, Listen: at(t, "http=:0")})
		b, url := browser(t, r), r.Services[0].URL+"/new"
		got := [3]int{status(t, b, "PUT", url, ""), status(t, b, "PUT", url, "ann:wrong"), status(t, b, "PUT", url, "ann:secret")}
		if want := [3]int{c.nobody, c.wrong, c.ann}; got != want {
			t.Errorf("root %q writable %v, %v: %v, want %v", c.root, c.writable, c.users, got, want)
		}
		if got := status(t, b, "GET", r.Services[0].URL+"/", ""); got != 200 {
			t.Errorf("reading: %d", got)
		}
	}
}

// Without users what can be changed is for this host alone; what cannot is for
// everybody.
func TestWebWide(t *testing.T) {
	for _, c := range []struct {
		cfg     app.Config
		refused bool
	}{
		{app.Config{}, true},
		{app.Config{Root: t.TempDir(), Writable: true}, true},
		{app.Config{Root: t.TempDir()}, false},
		{app.Config{Users: map[string]string{"ann": "secret"}}, false},
	} {
		c.cfg.Listen = at(t, "http=0.0.0.0:0")
		a, err := app.Listen(t.Context(), c.cfg)
		if err == nil {
			a.Close()
		}
		var bad *app.ConfigError
		if refused := errors.As(err, &bad); refused != c.refused || !refused && err != nil {
			t.Errorf("%+v: %v", c.cfg, err)
		}
	}
}

// A rule for a method that there is not is refused.
func TestWebVerbs(t *testing.T) {
	a, err := app.Listen(t.Context(), app.Config{Listen: at(t, "http=:0"), Faults: []string{"http GTE do=close"}})
	if err == nil {
		a.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "did you mean GET?") {
		t.Error(err)
	}
}

// A conversation is written down without the passwords in it, and a rule knows
// the methods.
func TestWebEars(t *testing.T) {
	for _, engine := range bothEngines {
		dir := t.TempDir()
		var told buffer
		serveOnce(t, app.Config{
			Engine: engine, Listen: at(t, "http=:0", "https=:0"), Users: map[string]string{"ann": "secret"}, Transcript: dir,
			Ears: []app.Ear{app.Explain(&told)}, Faults: []string{"http GET after=100 do=reset times=1"},
		}, func(r app.Ready) {
			b := browser(t, r)
			defer b.CloseIdleConnections()
			for _, s := range r.Services {
				if got := status(t, b, "PUT", s.URL+"/new", "ann:secret"); got != 201 && got != 204 {
					t.Errorf("%s: PUT: %d", s.URL, got)
				}
			}
			// A GET is safe to repeat, and net/http may do so on another connection.
			if _, text, err := visit(t, b, "GET", r.Services[0].URL+"/README.txt", "", ""); err == nil && !strings.Contains(text, "sample tree") {
				t.Errorf("%q", text)
			}
			if _, text, err := visit(t, b, "GET", r.Services[0].URL+"/new", "", ""); err != nil || text != "put by a test" {
				t.Errorf("after the fault: %q, %v", text, err)
			}
		})
		var all strings.Builder
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(b)
		}
		for _, want := range []string{"PUT /new HTTP/1.1", "Authorization:***", "S: HTTP/1.1 201 Created", "FAULT 1/1 http GET", "PRI * HTTP/2.0"} {
			if !strings.Contains(all.String(), want) {
				t.Errorf("%s: no %q in the transcripts", engine, want)
			}
		}
		for _, secret := range []string{"YW5uOnNlY3JldA", "secret"} {
			if strings.Contains(all.String()+told.String(), secret) {
				t.Errorf("%s: %q was told", engine, secret)
			}
		}
		if !strings.Contains(told.String(), "PUT /new HTTP/1.") {
			t.Errorf("%s: it explained\n%s", engine, told.String())
		}
	}
}
