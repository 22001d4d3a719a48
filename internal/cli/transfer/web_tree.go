package transfer

import (
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// webTreeOf is a directory of a web server, by its listings.
type webTreeOf struct {
	c    *Client
	base *url.URL // ends in a slash
}

func webTree(c *Client, u *url.URL) (tree, error) {
	base := *u
	base.User, base.RawQuery, base.Fragment, base.RawFragment = nil, "", "", ""
	if !strings.HasSuffix(base.Path, "/") {
		base = *base.JoinPath("/")
	}
	return &webTreeOf{c, &base}, nil
}

func (t *webTreeOf) at(e entry) string { return t.url(e).String() }

func (t *webTreeOf) url(e entry) *url.URL {
	if u, ok := e.ref.(*url.URL); ok {
		return u
	}
	return below(t.base, e)
}

// maxListing is how long a listing may be.
const maxListing = 64 << 20

// list reads a listing: of JSON in nginx's form, which farend gives too, or of
// HTML, by its links. A page that is no listing is followed all the same, and
// is a file of the tree, index.html.
func (t *webTreeOf) list(ctx context.Context, dir entry) (listing, error) {
	u := t.url(dir)
	resp, err := t.c.do(ctx, u, http.Header{"Accept": {"application/json, text/html;q=0.9, */*;q=0.1"}})
	if err != nil {
		return listing{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return listing{}, &StatusError{resp.StatusCode, resp.Status}
	}
	body := io.LimitReader(resp.Body, maxListing)
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch media {
	case "application/json":
		return t.fromJSON(dir, u, body)
	case "text/html", "application/xhtml+xml":
		return t.fromHTML(dir, u, body)
	}
	return listing{}, failuref(CodeWeird, "no listing, but %q", media)
}

// fromJSON reads ngx_http_autoindex_module's form.
func (t *webTreeOf) fromJSON(dir entry, u *url.URL, body io.Reader) (listing, error) {
	var lines []struct {
		Name, Type, MTime string
		Size              *int64
	}
	if err := json.NewDecoder(body).Decode(&lines); err != nil {
		return listing{}, failuref(CodeWeird, "no listing in a known form: %w", err)
	}
	found := listing{whole: true}
	for _, l := range lines {
		e := entry{path: join(dir.path, l.Name), version: unknown}
		switch l.Type {
		case "directory":
			e.dir = true
		case "file":
			if l.Size != nil {
				e.version.Size = *l.Size
			}
			if at, err := http.ParseTime(l.MTime); err == nil {
				e.version.Modified, e.exact = at, true
			}
		default:
			found.passed++
			continue
		}
		slash := ""
		if e.dir {
			slash = "/"
		}
		if SafeName(l.Name) == nil {
			e.ref = u.JoinPath(url.PathEscape(l.Name) + slash)
		}
		found.entries = append(found.entries, e)
	}
	return found, nil
}

// join is path.Join that leaves a name as it came, for its check.
func join(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}

// fromHTML follows the links of a page that lead below it.
func (t *webTreeOf) fromHTML(dir entry, u *url.URL, body io.Reader) (listing, error) {
	page, err := readPage(body)
	if err != nil {
		return listing{}, err
	}
	found := listing{whole: page.isListing()}
	seen := map[string]bool{}
	for _, link := range page.links {
		to, err := u.Parse(link)
		if err != nil {
			continue
		}
		rest, ok := under(u, to)
		if !ok || seen[rest] {
			continue
		}
		seen[rest] = true
		name := strings.TrimSuffix(rest, "/")
		found.entries = append(found.entries, entry{
			path: join(dir.path, name), dir: name != rest, version: unknown, ref: to,
		})
	}
	if !found.whole && !seen["index.html"] {
		found.entries = append(found.entries, entry{path: join(dir.path, "index.html"), version: unknown, ref: u})
	}
	return found, nil
}

// under gives the part of a link's path that is below a directory's; not of a
// query, which asks for another view of the same.
func under(dir, to *url.URL) (rest string, ok bool) {
	if to.Scheme != dir.Scheme || !strings.EqualFold(to.Host, dir.Host) || to.RawQuery != "" || to.ForceQuery || to.Opaque != "" {
		return "", false
	}
	to.Fragment, to.RawFragment = "", ""
	above, names := strings.Split(strings.TrimSuffix(dir.EscapedPath(), "/"), "/"), strings.Split(to.EscapedPath(), "/")
	if len(names) <= len(above) {
		return "", false
	}
	for i, escaped := range names {
		name, err := url.PathUnescape(escaped)
		if err != nil {
			return "", false
		}
		if names[i] = name; i >= len(above) {
			continue
		}
		if want, err := url.PathUnescape(above[i]); err != nil || want != name {
			return "", false
		}
	}
	names = names[len(above):]
	for i, name := range names {
		last := i == len(names)-1
		if strings.Contains(name, "/") || name == "." || name == ".." || name == "" && !last { // in disguise
			return "", false
		}
	}
	rest = strings.Join(names, "/")
	return rest, rest != ""
}

// page is what is wanted of HTML.
type page struct {
	title string
	links []string
}

// isListing tells a listing by its title: those of nginx, Apache and farend,
// of Python, of lighttpd and of busybox.
func (p *page) isListing() bool {
	title := strings.ToLower(strings.TrimSpace(p.title))
	for _, begin := range []string{"index of", "directory listing for", "listing of", "directory:"} {
		if strings.HasPrefix(title, begin) {
			return true
		}
	}
	return false
}

func readPage(r io.Reader) (*page, error) {
	p, z, inTitle := &page{}, html.NewTokenizer(r), false
	z.SetMaxBuf(1 << 20)
	for {
		switch z.Next() {
		case html.ErrorToken:
			if err := z.Err(); err != io.EOF {
				return nil, err
			}
			return p, nil
		case html.TextToken:
			if inTitle {
				p.title += string(z.Text())
			}
		case html.EndTagToken:
			inTitle = false
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			inTitle = string(name) == "title"
			if string(name) != "a" {
				continue
			}
			for more {
				var key, value []byte
				key, value, more = z.TagAttr()
				if string(key) == "href" {
					p.links = append(p.links, string(value))
				}
			}
		}
	}
}

// look asks by HEAD.
func (t *webTreeOf) look(ctx context.Context, e entry) (Version, error) {
	resp, err := t.c.ask(ctx, http.MethodHead, t.url(e), nil)
	if err != nil {
		return unknown, err
	}
	drain(resp)
	if resp.StatusCode >= 400 {
		return unknown, &StatusError{resp.StatusCode, resp.Status}
	}
	return versionOf(resp), nil
}

func (t *webTreeOf) open(ctx context.Context, e entry, r request) (*source, error) {
	u := t.url(e)
	if r.from > 0 {
		return t.c.openRest(ctx, u, r)
	}
	resp, err := t.c.do(ctx, u, nil)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		drain(resp)
		return nil, &StatusError{resp.StatusCode, resp.Status}
	}
	return t.c.whole(u, resp)
}

// sum is none: HTTP has no checksum that every server knows.
func (*webTreeOf) sum(context.Context, entry) (algorithm, sum string, err error) {
	return "", "", errNoSum
}
