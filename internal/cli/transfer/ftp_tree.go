package transfer

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"

	"github.com/farend-go/farend/proto/ftp"
)

// ftpTreeOf is a directory of an FTP server.
type ftpTreeOf struct {
	site *ftpSite
	url  *url.URL

	once sync.Mutex
	base string // where the URL leads; "": not asked yet
}

func ftpTree(c *Client, u *url.URL) (tree, error) {
	return &ftpTreeOf{site: c.ftpSite(u), url: u}, nil
}

// do runs f with a session and the name of an entry.
func (t *ftpTreeOf) do(ctx context.Context, e entry, f func(fc *ftp.Client, name string) error) error {
	return t.site.pool.Do(ctx, func(fc *ftp.Client) error {
		name, err := t.name(ctx, fc, e)
		if err != nil {
			return err
		}
		return f(fc, name)
	})
}

func (t *ftpTreeOf) name(ctx context.Context, fc *ftp.Client, e entry) (string, error) {
	t.once.Lock()
	defer t.once.Unlock()
	if t.base == "" {
		base, err := t.site.at(ctx, fc, t.url)
		if err != nil {
			return "", err
		}
		t.base = base
	}
	return path.Join(t.base, e.path), nil
}

func (t *ftpTreeOf) at(e entry) string {
	u := *t.url
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	return below(&u, e).String()
}

// below is the URL of an entry under that of a directory.
func below(u *url.URL, e entry) *url.URL {
	if e.path == "." {
		return u
	}
	names := strings.Split(e.path, "/")
	for i := range names {
		names[i] = url.PathEscape(names[i])
	}
	down := u.JoinPath(names...)
	if e.dir {
		down = down.JoinPath("/")
	}
	return down
}

// list reads a directory: where the server gives its times by MLSD they are
// exact.
func (t *ftpTreeOf) list(ctx context.Context, dir entry) (found listing, err error) {
	err = t.do(ctx, dir, func(fc *ftp.Client, name string) error {
		// Many servers answer LIST of a directory that is not there with an
		// empty list: to go there tells.
		if err := fc.Cwd(ctx, name); err != nil {
			return deniedDir(err)
		}
		found = listing{whole: true}
		for one, err := range fc.Entries(ctx, "") {
			if err != nil {
				return err
			}
			e := entry{path: path.Join(dir.path, one.Name), dir: one.IsDir(), version: unknown}
			if strings.Contains(one.Name, "/") || one.Name == ".." {
				e.path = dir.path + "/" + one.Name // to be refused by its name
			}
			switch {
			case one.IsDir():
			case one.Mode.Type() != 0:
				found.passed++
				continue
			default:
				e.version = Version{Size: one.Size, Modified: one.Time}
				e.exact = one.Facts["modify"] != ""
			}
			found.entries = append(found.entries, e)
		}
		return nil
	})
	return found, err
}

// deniedDir is the refusal of a directory, with its number.
func deniedDir(err error) error {
	if r, ok := errors.AsType[ftp.Reply](err); ok && r.Code == 550 {
		return failure(CodeDenied, err)
	}
	return err
}

func (t *ftpTreeOf) look(ctx context.Context, e entry) (Version, error) {
	v := unknown
	err := t.do(ctx, e, func(fc *ftp.Client, name string) error {
		size, err := fc.Size(ctx, name)
		if err == nil {
			v.Size = size
		} else if _, refused := errors.AsType[ftp.Reply](err); !refused {
			return err
		}
		modified, err := fc.ModTime(ctx, name)
		if err == nil {
			v.Modified = modified
		} else if _, refused := errors.AsType[ftp.Reply](err); !refused {
			return err
		}
		return nil
	})
	return v, err
}

// open retrieves a file. What is here is gone on with where the listing, or
// the server when asked, says that the file is still the same.
func (t *ftpTreeOf) open(ctx context.Context, e entry, r request) (*source, error) {
	v := e.version
	if !e.exact || r.to > 0 { // a piece must be of the version that the others are of
		var err error
		if v, err = t.look(ctx, e); err != nil {
			return nil, err
		}
	}
	from := int64(0)
	if r.from > 0 && v.Same(r.version) {
		from = r.from
	}
	if from > 0 && from == v.Size {
		return &source{body: http.NoBody, from: from, version: v}, nil
	}
	fc, err := t.site.pool.Get(ctx)
	if err != nil {
		return nil, err
	}
	name, err := t.name(ctx, fc, e)
	if err == nil {
		var body *ftp.Body
		if body, err = fc.Retrieve(ctx, name, ftp.RetrieveOptions{Offset: from, Size: max(v.Size, 0)}); err == nil {
			return &source{body: &ftpBody{body, fc, t.site.pool}, from: from, version: v}, nil
		}
	}
	t.site.pool.Put(fc)
	return nil, err
}

// ftpBody gives the session back.
type ftpBody struct {
	*ftp.Body
	fc   *ftp.Client
	pool *ftp.Pool
}

func (b *ftpBody) Close() error {
	if b.fc == nil {
		return nil
	}
	err := b.Body.Close()
	b.pool.Put(b.fc)
	b.fc = nil
	return err
}

// sum asks by HASH, and by the commands that were there before it.
func (t *ftpTreeOf) sum(ctx context.Context, e entry) (algorithm, sum string, err error) {
	err = t.do(ctx, e, func(fc *ftp.Client, name string) error {
		features, err := fc.Features(ctx)
		if err != nil {
			return err
		}
		if _, ok := features["HASH"]; ok {
			algorithm, sum, err = fc.Hash(ctx, name)
			return err
		}
		for _, verb := range []string{"XSHA512", "XSHA256", "XSHA1", "XMD5", "XCRC"} {
			if _, ok := features[verb]; !ok {
				continue
			}
			r, err := fc.Cmd(ctx, verb, name)
			if err != nil {
				return err
			}
			words := strings.Fields(r.Text())
			if len(words) == 0 {
				break
			}
			algorithm, sum = strings.TrimPrefix(verb, "X"), words[len(words)-1]
			return nil
		}
		return errNoSum
	})
	if _, refused := errors.AsType[ftp.Reply](err); refused {
		err = errNoSum
	}
	return algorithm, sum, err
}
