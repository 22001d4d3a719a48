package nntp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/message"
	"github.com/farend-go/farend/newsgroup"
	"github.com/farend-go/farend/proto/nntp"
	"github.com/farend-go/farend/proto/nntp/nntptest"
	"github.com/farend-go/farend/wire"
)

// some are that many articles for a Server, and their identifiers.
func some(n int) (articles, ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("<%d@far.example>", i+1))
		articles = append(articles, nntptest.Article(ids[i], nntptest.Group, fmt.Sprint("article ", i+1), strings.Repeat(fmt.Sprintf("%d.\n.\n", i), 50+i*7%100)))
	}
	return articles, ids
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// TestEveryWayIn reads and posts in clear, in TLS and compressed, on both
// engines.
func TestEveryWayIn(t *testing.T) {
	articles, ids := some(30)
	for name, engine := range engines {
		for _, scheme := range []string{"tcp", "starttls", "tls"} {
			for _, compressed := range []bool{false, true} {
				t.Run(fmt.Sprint(name, " ", scheme, " ", compressed), func(t *testing.T) {
					ctx := within(t)
					s := nntptest.New(t, nntptest.Options{Articles: articles, Login: true, Engine: engine(), Implicit: scheme == "tls"})
					c := s.Client(ctx, scheme)
					if _, tls := c.TLS(); tls != (scheme != "tcp") {
						t.Error("TLS:", tls)
					}
					if _, err := c.Post(ctx, strings.NewReader("")); !errors.Is(err, nntp.ErrNotAllowed) {
						t.Error(err)
					}
					if err := c.Login(ctx, auth.Credentials{User: nntptest.User, Password: "wrong"}); !errors.Is(err, auth.ErrRefused) {
						t.Error(err)
					}
					if err := c.Login(ctx, auth.Credentials{User: nntptest.User, Password: nntptest.Password}); err != nil {
						t.Fatal(err)
					}
					if compressed {
						if err := c.Compress(ctx); err != nil || !c.Compressed() {
							t.Fatal(err)
						}
						if err := c.Compress(ctx); !errors.Is(err, nntp.ErrNotAllowed) {
							t.Error(err)
						}
						if caps, err := c.Capabilities(ctx); err != nil || caps.Has("COMPRESS") || caps.Has("STARTTLS") || caps.Has("AUTHINFO") {
							t.Error(caps, err)
						}
					}
					readAll(ctx, t, c, s, ids)
				})
			}
		}
	}
}

func readAll(ctx context.Context, t *testing.T, c *nntp.Client, s *nntptest.Server, ids []string) {
	t.Helper()
	g, err := c.Group(ctx, nntptest.Group)
	if err != nil || g.Count != int64(len(ids)) {
		t.Fatal(g, err)
	}
	var refs []nntp.Ref
	for o, err := range c.Over(ctx, nntp.From(g.Low)) {
		if err != nil || o.ID() != ids[o.Number-1] {
			t.Fatal(o, err)
		}
		refs = append(refs, nntp.ByNumber(o.Number))
	}
	whole := s.Articles(nntptest.Group)
	n := 0
	for b, err := range c.Fetch(ctx, append(refs, nntp.ByNumber(999))...) {
		if n == len(ids) {
			if !errors.Is(err, nntp.ErrNoArticle) {
				t.Error(err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(b)
		if err != nil || string(text) != whole[n] || b.ID != ids[n] {
			t.Errorf("%d: %d bytes, %v", n+1, len(text), err)
		}
		n++
	}
	for range c.Fetch(ctx, refs...) { // left at once: the session goes on
		break
	}
	id, err := c.PostMessage(ctx, message.Builder{From: []message.Address{{Local: "bob", Domain: "far.example"}}, Subject: "Grüße", Text: ".\nfrom\n"}, nntptest.Group)
	if err != nil || !strings.Contains(s.Wait(ctx, id), "Injection-Info: news.example; posting-host=\"127.0.0.1\"") {
		t.Error(id, err)
	}
	if o, err := c.OverID(ctx, id); err != nil || o.Subject() != "Grüße" || o.Number != 0 {
		t.Error(o, err)
	}
	if err := c.Quit(ctx); err != nil {
		t.Error(err)
	}
}

// TestNothingIsSmuggled tries to get a second line into a command, and into a
// header.
func TestNothingIsSmuggled(t *testing.T) {
	ctx := within(t)
	s := nntptest.New(t, nntptest.Options{})
	c := s.Client(ctx, "tcp")
	if _, err := c.Group(ctx, "a\r\nQUIT"); !errors.Is(err, wire.ErrBreak) {
		t.Error(err)
	}
	if _, err := c.Stat(ctx, nntp.ByID("<a@x>\r\nQUIT")); !errors.Is(err, nntp.ErrCommand) {
		t.Error(err)
	}
	if _, err := c.PostMessage(ctx, message.Builder{From: []message.Address{{Local: "b", Domain: "x"}}, Text: "x"}, "a\r\nPath: x"); !errors.Is(err, nntp.ErrCommand) {
		t.Error(err)
	}
	for _, header := range []string{
		"From: a@x.example\nSubject: s\nNewsgroups: local.test\nInjection-Info: me\n",
		"From: a@x.example\nSubject: s\nNewsgroups: local.test\nXref: me local.test:1\n",
		"From: a@x.example\nSubject: s\nNewsgroups: local.test\nPath: a!.POSTED.b!c\n",
		"From: a@x.example\nSubject: s\nNewsgroups: local.test\nSubject: twice\n",
		"From: a@x.example\nSubject: s\nNewsgroups: local.test\nDate: Sat, 21 Nov 2099 10:00:00 +0000\n",
		"From: a@x.example\nSubject: s\nNewsgroups: local.test\nMessage-ID: none\n",
		"From: a@x.example\nSubject: s\nNewsgroups: local.test\nno field\n",
		"From: nobody\nSubject: s\nNewsgroups: local.test,a b\n",
		" From: a@x.example\nSubject: s\nNewsgroups: local.test\n",
		"From: a@x.example\nSubject: s\x00\nNewsgroups: local.test\n",
	} {
		if _, err := c.Post(ctx, strings.NewReader(header+"\nbody\n")); err == nil {
			t.Errorf("%q was taken", header)
		} else if r := (nntp.Reply{}); !errors.As(err, &r) || r.Code != 441 {
			t.Errorf("%q: %v", header, err)
		}
	}
	if all := s.Articles(nntptest.Group); len(all) != 0 {
		t.Errorf("%q", all)
	}
}

// TestFeed has one server feed another, by streaming and without, while a third
// feeds it the same articles.
func TestFeed(t *testing.T) {
	t.Parallel()
	ctx := within(t)
	articles, ids := some(150)
	from := nntptest.New(t, nntptest.Options{Articles: articles})
	to := nntptest.New(t, nntptest.Options{})
	offers := func(yield func(nntp.Offer) bool) {
		for _, id := range ids {
			ok := yield(nntp.Offer{ID: id, Open: func(ctx context.Context) (io.ReadCloser, error) {
				a, err := from.News.ByID(ctx, id)
				if err != nil {
					return nil, err
				}
				x, err := a.Open(ctx)
				if err != nil {
					return nil, err
				}
				return struct {
					io.Reader
					io.Closer
				}{io.MultiReader(strings.NewReader(string(x.Header)+"\r\n"), x.Body), x}, nil
			}})
			if !ok {
				return
			}
		}
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	took := map[string]int{}
	for range 3 {
		all.Go(func() {
			o := to.Options()
			o.NoReader = true
			c, err := nntp.Dial(ctx, to.Endpoint("tcp"), o)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			n := 0
			for f, err := range c.Feed(ctx, offers) {
				n++
				if err == nil {
					mu.Lock()
					took[f.ID]++
					mu.Unlock()
				} else if !errors.Is(err, nntp.ErrNotWanted) {
					t.Error(f.ID, err)
				}
			}
			if n != len(ids) {
				t.Errorf("%d came back", n)
			}
			if err := c.Quit(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, id := range ids {
		if took[id] != 1 || !strings.Contains(to.Wait(ctx, id), "Path: news.example!.SEEN.127.0.0.1!far.example!not-for-mail\r\n") {
			t.Errorf("%s was taken %d times", id, took[id])
		}
	}
	if got := to.Articles(nntptest.Group); len(got) != len(ids) {
		t.Errorf("%d articles", len(got))
	}
}

// TestPool downloads over several sessions, of which some break.
func TestPool(t *testing.T) {
	t.Parallel()
	ctx := within(t)
	articles, ids := some(400)
	s := nntptest.New(t, nntptest.Options{Articles: articles})
	var refs []nntp.Ref
	for i := range ids {
		refs = append(refs, nntp.ByNumber(int64(i+1)))
	}
	var mu sync.Mutex
	var clients []*nntp.Client
	p := &nntp.Pool{Max: 3, Open: func(ctx context.Context) (*nntp.Client, error) {
		c, err := nntp.Dial(ctx, s.Endpoint("tcp"), s.Options())
		mu.Lock()
		clients = append(clients, c)
		mu.Unlock()
		return c, err
	}}
	for round := range 3 {
		got := map[int64]string{}
		err := p.Fetch(ctx, nntptest.Group, append(refs, nntp.ByNumber(1<<40)), func(b *nntp.Body, err error) error {
			if b.Number == 1<<40 && errors.Is(err, nntp.ErrNoArticle) {
				return nil
			}
			if err != nil {
				return err
			}
			text, err := io.ReadAll(b)
			if err != nil {
				return nil // it comes again
			}
			mu.Lock()
			defer mu.Unlock()
			got[b.Number] = string(text)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		whole := s.Articles(nntptest.Group)
		for i := range whole {
			if got[int64(i+1)] != whole[i] {
				t.Errorf("round %d, %d: %d bytes", round, i+1, len(got[int64(i+1)]))
			}
		}
		if round == 1 { // those at rest break
			for _, c := range clients {
				c.Close()
			}
		}
	}
	own := errors.New("enough")
	if err := p.Fetch(ctx, nntptest.Group, refs, func(*nntp.Body, error) error { return own }); !errors.Is(err, own) {
		t.Error(err)
	}
	if err := p.Close(ctx); err != nil {
		t.Error(err)
	}
	if err := p.Fetch(ctx, "", refs, nil); !errors.Is(err, nntp.ErrPoolClosed) {
		t.Error(err)
	}
}

func TestURLs(t *testing.T) {
	ctx := within(t)
	articles, _ := some(3)
	s := nntptest.New(t, nntptest.Options{Articles: articles, Login: true})
	tr := &nntp.Transport{Options: s.Options(), Server: s.Addr}
	hc := &http.Client{Transport: tr}
	for _, c := range []struct {
		method, url, body string
		status            int
		want              string
	}{
		{"GET", "nntp://" + s.Addr + "/", "", 200, "local.test\n"},
		{"GET", "nntp://" + s.Addr + "/local.test", "", 200, "1 article 1\n2 article 2\n3 article 3\n"},
		{"GET", "nntp://" + s.Addr + "/local.test/2", "", 200, "Subject: article 2\r\n"},
		{"GET", "nntp://" + s.Addr + "/local.test/2-9", "", 200, "Subject: article 3\n"},
		{"GET", "nntp://" + s.Addr + "/local.test/9", "", 404, "No article"},
		{"GET", "nntp://" + s.Addr + "/local.test/x", "", 404, "neither"},
		{"GET", "nntp://" + s.Addr + "/none.such", "", 404, "No such"},
		{"GET", "news:3@far.example", "", 200, "Subject: article 3\r\n"},
		{"GET", "news:local.*", "", 200, "local.test\n"},
		{"HEAD", "news:3@far.example", "", 200, ""},
		{"DELETE", "news:3@far.example", "", 405, "DELETE"},
		{"PUT", "nntp://" + s.Addr + "/local.test", "From: a@x.example\nSubject: put\n\nx\n", 401, "login"},
		{"PUT", "nntp://user:wrong@" + s.Addr + "/local.test", "From: a@x.example\nSubject: put\n\nx\n", 401, "refused"},
		{"PUT", "nntp://user:password@" + s.Addr + "/local.test", "From: a@x.example\nSubject: put\n\nx\n", 201, "posted <"},
		{"PUT", "nntp://user:password@" + s.Addr + "/", "From: a@x.example\nSubject: put\n\nx\n", 409, "Newsgroups"},
	} {
		req, err := http.NewRequestWithContext(ctx, c.method, c.url, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := hc.Do(req)
		if err != nil {
			t.Errorf("%s %s: %v", c.method, c.url, err)
			continue
		}
		text, err := io.ReadAll(resp.Body)
		if err = errors.Join(err, resp.Body.Close()); err != nil || resp.StatusCode != c.status || !strings.Contains(string(text), c.want) {
			t.Errorf("%s %s: %s, %q, %v", c.method, c.url, resp.Status, text, err)
		}
	}
	if all := s.Articles(nntptest.Group); len(all) != 4 {
		t.Errorf("%d articles", len(all))
	}
}

func TestSTARTTLSIsNotToBeTakenAway(t *testing.T) {
	ctx := within(t)
	s := nntptest.New(t, nntptest.Options{Handler: func(h *nntp.Handler) { h.TLS = nil }})
	if c, err := nntp.Dial(ctx, s.Endpoint("starttls"), s.Options()); !errors.Is(err, nntp.ErrNoTLS) {
		t.Error(c, err)
	}
	o := s.Options()
	o.Opportunistic = true
	c, err := nntp.Dial(ctx, s.Endpoint("tcp"), o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, ok := c.TLS(); ok {
		t.Error("TLS")
	}
	s = nntptest.New(t, nntptest.Options{})
	c, err = nntp.Dial(ctx, s.Endpoint("tcp"), nntp.Options{Opportunistic: true})
	if err == nil {
		c.Close()
		t.Error("an unknown certificate was taken")
	}
	if _, unknown := errors.AsType[*tls.CertificateVerificationError](err); !unknown {
		t.Error(err)
	}
}

// TestModerated posts to a moderated group with the right to approve.
func TestModerated(t *testing.T) {
	ctx := within(t)
	s := nntptest.New(t, nntptest.Options{})
	if err := s.News.Create(ctx, newsgroup.NewGroup{Name: "local.moderated", Status: newsgroup.Moderated}); err != nil {
		t.Fatal(err)
	}
	c := s.Client(ctx, "tcp")
	text := "From: a@x.example\nSubject: s\nNewsgroups: local.moderated,local.test\n"
	if _, err := c.Post(ctx, strings.NewReader(text+"\nx\n")); err == nil || !strings.Contains(err.Error(), "moderated") {
		t.Error(err)
	}
	if _, err := c.Post(ctx, strings.NewReader(text+"Approved: a@x.example\n\nx\n")); err != nil {
		t.Error(err)
	}
	if n, g, err := counted(c.List(ctx, nntp.Wildmat{{Text: "*.moderated"}})); err != nil || n != 1 || g.Status != nntp.Moderated || g.High != 1 {
		t.Error(g, err)
	}
	if lines, err := c.Help(ctx); err != nil || !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "XPAT") }) {
		t.Error(lines, err)
	}
	if n, f, err := counted(c.XPat(ctx, "Subject", nntp.From(1), "*")); !errors.Is(err, nntp.ErrNoGroup) && err == nil {
		t.Error(n, f, err)
	}
}
