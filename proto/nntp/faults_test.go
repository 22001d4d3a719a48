package nntp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/newsgroup"
	"github.com/farend-go/farend/proto/nntp"
	"github.com/farend-go/farend/proto/nntp/nntptest"
	"github.com/farend-go/farend/server"
)

// TestUnderFaults has both ends talk over connections that misbehave, by seeds:
// each call gives the right answer or an error, and what was acknowledged is
// there, once.
func TestUnderFaults(t *testing.T) {
	t.Parallel()
	articles, _ := some(10)
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			var all sync.WaitGroup
			errs := make([]error, 25)
			for seed := range errs { // at once, for most of it is waiting
				s := nntptest.New(t, nntptest.Options{Articles: articles, Engine: e(), Server: func(srv *server.Server) {
					srv.Layers = []conv.Layer{faults.Layer(faults.Mix(uint64(seed))...)}
					srv.Limits.Turn, srv.Limits.Idle, srv.Limits.Drain = time.Second, time.Second, time.Second
				}})
				whole := strings.Join(s.Articles(nntptest.Group), "")
				all.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
					defer cancel()
					id := fmt.Sprintf("<seed%d@far.example>", seed)
					got, err := faulty(ctx, s, id)
					if errs[seed] = err; err == nil && got != whole {
						t.Errorf("seed %d: %d bytes and no error", seed, len(got))
					}
					if _, there := s.News.ByID(t.Context(), id); err == nil && there != nil {
						t.Errorf("seed %d: acknowledged, and not there: %v", seed, there)
					} else if there != nil && !errors.Is(there, newsgroup.ErrNoArticle) {
						t.Error(there)
					}
				})
			}
			all.Wait()
			if !slices.Contains(errs, nil) {
				t.Errorf("no seed went well: %v", errs)
			}
		})
	}
}

// faulty fetches all articles and posts one. The post comes last: a nil error is
// its acknowledgement.
func faulty(ctx context.Context, s *nntptest.Server, id string) (string, error) {
	c, err := nntp.Dial(ctx, s.Endpoint("tcp"), s.Options())
	if err != nil {
		return "", err
	}
	defer c.Close()
	_, numbers, err := c.ListGroup(ctx, nntptest.Group, nntp.From(0))
	if err != nil {
		return "", err
	}
	var refs []nntp.Ref
	for _, n := range numbers {
		refs = append(refs, nntp.ByNumber(n))
	}
	all := ""
	for b, err := range c.Fetch(ctx, refs...) {
		if err != nil {
			return "", err
		}
		text, err := io.ReadAll(b)
		if err != nil {
			return "", err
		}
		all += string(text)
	}
	_, err = c.Post(ctx, strings.NewReader("From: a@x.example\nSubject: s\nNewsgroups: local.test\nMessage-ID: "+id+"\n\nx\n"))
	return all, err
}

// TestACutArticle lets an article break at an exact byte, in clear, in TLS and
// compressed: the reader of the body hears of it.
func TestACutArticle(t *testing.T) {
	body := strings.Repeat("0123456789abcdef\n", 2000)
	for _, do := range []faults.Deed{faults.Reset, faults.Close, faults.Cut} {
		for _, scheme := range []string{"tcp", "starttls"} {
			rule := faults.Rule{After: 10_000, Do: do, Dir: faults.Out, Times: 1}
			s := nntptest.New(t, nntptest.Options{Articles: []string{nntptest.Article("<1@x>", nntptest.Group, "s", body)}, Faults: []faults.Rule{rule}})
			ctx := within(t)
			c := s.Client(ctx, scheme)
			b, err := c.Article(ctx, nntp.ByID("<1@x>"))
			if err == nil {
				_, err = io.Copy(io.Discard, b)
			}
			if err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) || !c.Broken() {
				t.Errorf("%s %s: %v", do, scheme, err)
			}
		}
	}
}

// FuzzSession says anything to a server, which must go on or hang up, and keep
// its news in order.
func FuzzSession(f *testing.F) {
	for _, s := range scriptsOf(f) {
		f.Add(s)
	}
	f.Add([]byte("COMPRESS DEFLATE\r\n\x01\x02\x03"))
	f.Add([]byte("POST\r\n.\r\nPOST\r\n\r\n.\r\nIHAVE <a@b>\r\n"))
	h := fixture(f, logins())
	f.Fuzz(func(t *testing.T, said []byte) {
		ctx := t.Context()
		_, _ = servertest.Say(t, &server.Server{Handler: h}, said) // whatever it answers
		g, err := h.Backend.Group(ctx, "misc.test")
		if err != nil {
			t.Fatal(err)
		}
		n := int64(0)
		for a, err := range h.Backend.Articles(ctx, g.Name, nntp.From(0)) {
			if err != nil || a.Number() < g.Low || a.Number() > g.High {
				t.Fatal(a, err)
			}
			n++
		}
		if n != g.Count {
			t.Errorf("%d articles of %d", n, g.Count)
		}
	})
}
