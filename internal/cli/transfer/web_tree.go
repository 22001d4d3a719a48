package transfer

import (
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
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

// listed is a line of a listing in JSON: of ngx_http_autoindex_module's form, or
// of Caddy's, whose names are others.
type listed struct {
	Name, Type, MTime string
	Size              *int64
	IsDir             *bool     `json:"is_dir"` // Caddy's
	IsSymlink         bool      `json:"is_symlink"`
	ModTime           time.Time `json:"mod_time"`
}

// entry is what a line says; false: it is neither a file nor a directory.
func (l *listed) entry(path string) (entry, bool) {
	e := entry{path: path, version: unknown}
	kind := l.Type
	if kind == "" && l.IsDir != nil && !l.IsSymlink {
		l.Name, e.dir = strings.TrimSuffix(l.Name, "/"), *l.IsDir
		e.path = strings.TrimSuffix(path, "/")
		kind = "file"
	}
	e.dir = e.dir || kind == "directory"
	if e.dir {
		return e, true
	}
	if l.Size != nil {
		e.version.Size = *l.Size
	}
	at, err := http.ParseTime(l.MTime)
	if err != nil {
		at = l.ModTime.Truncate(time.Second)
	}
	if !at.IsZero() {
		e.version.Modified, e.exact = at, true
	}
	return e, kind == "file"
}

// fromJSON reads a listing in JSON.
func (t *webTreeOf) fromJSON(dir entry, u *url.URL, body io.Reader) (listing, error) {
	var lines []listed
	if err := json.NewDecoder(body).Decode(&lines); err != nil {
		return listing{}, failuref(CodeWeird, "no listing in a known form: %w", err)
	}
	found := listing{whole: true}
	for _, l := range lines {
		e, ok := l.entry(join(dir.path, l.Name))
		if !ok {
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
	if r.from > 0 || r.to > 0 {
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
