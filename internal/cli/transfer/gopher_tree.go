package transfer

import (
	"context"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/farend-go/farend/proto/gopher"
)

// gopherTreeOf is a menu of a gopher server and what lies below its selector.
type gopherTreeOf struct {
	client *gopher.Client
	base   gopher.URL
	prefix string // of selectors that lie below

	mu    sync.Mutex
	hosts map[string]bool // names that are, or are not, the server's own
}

func gopherTree(c *Client, u *url.URL) (tree, error) {
	base, err := gopher.ParseURL(u.String())
	if err != nil {
		return nil, failure(CodeUsage, err)
	}
	if !base.Type.IsMenu() {
		return nil, failuref(CodeUsage, "a %s is no menu: -r begins at one", base.Type)
	}
	prefix := strings.Trim(base.Selector, "/")
	if prefix != "" {
		prefix += "/"
	}
	return &gopherTreeOf{client: &gopher.Client{Dialer: &c.dialer}, base: base, prefix: prefix, hosts: map[string]bool{}}, nil
}

func (t *gopherTreeOf) at(e entry) string { return t.url(e).String() }

func (t *gopherTreeOf) url(e entry) gopher.URL {
	if u, ok := e.ref.(gopher.URL); ok {
		return u
	}
	u := t.base
	if e.path != "." {
		u.Selector = "/" + t.prefix + e.path
	}
	return u
}

// list reads a menu. Its items are followed where they are the same server's
// and lie below the start.
func (t *gopherTreeOf) list(ctx context.Context, dir entry) (listing, error) {
	found := listing{whole: true}
	for item, err := range t.client.Menu(ctx, t.url(dir)) {
		if err != nil {
			return found, gopherError(err)
		}
		menu := item.Type == gopher.Menu
		if !menu && (!item.Type.Fetchable() || item.Type == gopher.Search || item.Type == gopher.Error || item.Type == gopher.CSO) || item.Link() != "" || strings.HasPrefix(item.Selector, "URL:") {
			continue
		}
		selector := strings.Trim(item.Selector, "/")
		name, below := strings.CutPrefix(selector, t.prefix)
		if !below || name == "" || !t.own(ctx, item) {
			found.passed++
			continue
		}
		u := t.base
		u.Type, u.Selector, u.Search = item.Type, item.Selector, ""
		found.entries = append(found.entries, entry{path: name, dir: menu, version: unknown, ref: u})
	}
	return found, nil
}

func gopherError(err error) error {
	if as[*gopher.ServerError](err) {
		return failure(CodeMissing, err)
	}
	return err
}

// own tells whether an item is of the server that we ask: a menu names it as it
// calls itself.
func (t *gopherTreeOf) own(ctx context.Context, item gopher.Item) bool {
	port := t.base.Port
	if port == 0 {
		port = gopher.DefaultPort
	}
	if item.Port != port {
		return false
	}
	if strings.EqualFold(item.Host, t.base.Host) {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	is, known := t.hosts[item.Host]
	if !known {
		is = sameHost(ctx, item.Host, t.base.Host)
		t.hosts[item.Host] = is
	}
	return is
}

// sameHost tells whether two names have an address in common.
func sameHost(ctx context.Context, a, b string) bool {
	var r net.Resolver
	x, err := r.LookupHost(ctx, a)
	if err != nil {
		return false
	}
	y, err := r.LookupHost(ctx, b)
	return err == nil && slices.ContainsFunc(x, func(address string) bool { return slices.Contains(y, address) })
}

// look tells nothing: Gopher knows neither size nor time.
func (*gopherTreeOf) look(context.Context, entry) (Version, error) { return unknown, nil }

func (t *gopherTreeOf) open(ctx context.Context, e entry, _ request) (*source, error) {
	reply, err := t.client.Get(ctx, t.url(e))
	if err != nil {
		return nil, gopherError(err)
	}
	return &source{body: reply, version: Version{Size: reply.Size}}, nil
}

// sum is none.
func (*gopherTreeOf) sum(context.Context, entry) (algorithm, sum string, err error) {
	return "", "", errNoSum
}
