package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/proto/nntp"
)

// What NNTP has acknowledged, by POST or TAKETHIS, is there exactly once after
// the process was killed at any moment: whole, in all its groups, under numbers
// without a gap.
func TestNoAcknowledgedArticleIsLost(t *testing.T) {
	cycles := 10
	if testing.Short() {
		cycles = 3
	}
	dir := filepath.Join(t.TempDir(), "data")
	took := &tookIn{ids: map[string]bool{}}
	for cycle := range cycles {
		k := durable(t, dir)
		took.while(t, k, cycle)
		k.kill()
	}
	k := durable(t, dir)
	defer k.kill()
	c := k.news(t.Context())
	if c == nil {
		t.Fatal("no session")
	}
	defer c.Close()
	there := map[string]int{}
	for _, group := range []string{"local.a", "local.b"} {
		for id := range took.read(t, c, group) {
			there[id]++
		}
	}
	if len(took.ids) < cycles {
		t.Errorf("%d articles were acknowledged in %d cycles: that shows nothing", len(took.ids), cycles)
	}
	for id := range took.ids {
		if there[id] != 2 {
			t.Errorf("%s, which was acknowledged, is in %d groups of 2", id, there[id])
		}
	}
	for id, groups := range there {
		if groups != 2 { // one whose answer was lost may be there, or not
			t.Errorf("%s is in %d groups of 2", id, groups)
		}
	}
	t.Logf("%d acknowledged, %d there, after %d deaths", len(took.ids), len(there), cycles)
}

// tookIn are the identifiers of articles that a server took.
type tookIn struct {
	mu   sync.Mutex
	ids  map[string]bool
	next atomic.Int64
}

// news opens a session that may post; nil: the server was killed meanwhile.
func (k *keeper) news(ctx context.Context) *nntp.Client {
	c, err := nntp.Dial(ctx, "tcp:"+k.at["nntp"], nntp.Options{})
	if err != nil {
		return nil
	}
	if err := c.Login(ctx, auth.Credentials{User: "ann", Password: "secret", Mechanism: nntp.MechanismUSER}); err != nil {
		c.Close()
		return nil
	}
	return c
}

func numberedArticle(n int) (id, text string) {
	id = fmt.Sprintf("<n%d@x.test>", n)
	return id, "Path: x\nFrom: a@x.test\nNewsgroups: local.a,local.b\nSubject: number\nDate: 6 Oct 1998 04:38:40 -0500\nMessage-ID: " + id +
		"\n\n" + strings.Repeat(id+"\n", n%300)
}

// while posts from several connections, and feeds by another, until the server
// dies, a while after the first articles are in.
func (a *tookIn) while(t *testing.T, k *keeper, cycle int) {
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	var here atomic.Int64
	took := func(id string) {
		a.mu.Lock()
		a.ids[id] = true
		a.mu.Unlock()
		// Each cycle dies a little later, in the middle of whatever is done then.
		if here.Add(1) == int64(3+cycle*cycle%41) {
			k.kill()
		}
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			c := k.news(ctx)
			for c != nil {
				id, text := numberedArticle(int(a.next.Add(1)))
				if _, err := c.Post(ctx, strings.NewReader(text)); err != nil {
					c.Close()
					return
				}
				took(id)
			}
		})
	}
	wg.Go(func() {
		c := k.news(ctx)
		if c == nil {
			return
		}
		defer c.Close()
		for fed, err := range c.Feed(ctx, a.offers) {
			if err != nil {
				return
			}
			took(fed.ID)
		}
	})
	wg.Wait()
}

// offers are articles without end.
func (a *tookIn) offers(yield func(nntp.Offer) bool) {
	for {
		id, text := numberedArticle(int(a.next.Add(1)))
		open := func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
		if !yield(nntp.Offer{ID: id, Open: open}) {
			return
		}
	}
}

// read gives the identifiers of a group, all of whose articles are whole.
func (a *tookIn) read(t *testing.T, c *nntp.Client, group string) map[string]bool {
	t.Helper()
	g, numbers, err := c.ListGroup(t.Context(), group, nntp.From(0))
	if err != nil {
		t.Fatal(err)
	}
	if g.Count != int64(len(numbers)) || g.High-g.Low+1 != g.Count || !slices.IsSorted(numbers) {
		t.Errorf("%+v, and %d numbers", g, len(numbers))
	}
	var refs []nntp.Ref
	for _, n := range numbers {
		refs = append(refs, nntp.ByNumber(n))
	}
	ids := map[string]bool{}
	for b, err := range c.FetchBodies(t.Context(), refs...) {
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(b)
		if err != nil {
			t.Fatal(err)
		}
		var n int
		if _, err := fmt.Sscanf(b.ID, "<n%d@x.test>", &n); err != nil || ids[b.ID] || string(text) != strings.Repeat(b.ID+"\r\n", n%300) {
			t.Errorf("%s %d, %s: %d bytes, before: %t, %v", group, b.Number, b.ID, len(text), ids[b.ID], err)
		}
		ids[b.ID] = true
	}
	return ids
}
