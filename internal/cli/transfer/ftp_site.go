package transfer

import (
	"context"
	"errors"
	"io"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/proto/ftp"
)

// poolKey is what FTP sessions have in common that are shared.
type poolKey struct{ endpoint, user, password string }

// ftpSite is a server of FTP, by a pool of sessions: for what takes more than
// one request for each file.
type ftpSite struct {
	c    *Client
	pool *ftp.Pool
}

// ftpSite finds or makes the one for a URL.
func (c *Client) ftpSite(u *url.URL) *ftpSite {
	scheme, port := dial.TCP, "21"
	switch {
	case u.Scheme == "ftps":
		scheme, port = dial.TLS, "990"
	case c.o.RequireTLS:
		scheme = dial.StartTLS
	}
	if u.Port() != "" {
		port = u.Port()
	}
	user, password := u.User.Username(), ""
	if user != "" {
		password, _ = u.User.Password()
	} else {
		user, password = c.ftpUser(u)
	}
	if user == "" {
		user, password = "anonymous", "anonymous@" // RFC 1635
	}
	key := poolKey{dial.Endpoint{Scheme: scheme, Host: u.Hostname(), Port: port}.String(), user, password}
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.pools[key]
	if !ok {
		p = &ftp.Pool{Max: c.connections(), Open: func(ctx context.Context) (*ftp.Client, error) {
			return c.ftpOpen(ctx, key)
		}}
		c.pools[key] = p
	}
	return &ftpSite{c, p}
}

// ftpOpen opens a session. A server that has enough of us is crowded.
func (c *Client) ftpOpen(ctx context.Context, key poolKey) (*ftp.Client, error) {
	fc, err := ftp.Dial(ctx, key.endpoint, c.ftpOptions())
	if err == nil {
		if err = fc.Login(ctx, key.user, key.password, ""); err != nil {
			fc.Close()
		}
	}
	if r, ok := errors.AsType[ftp.Reply](err); ok && r.Code == 421 {
		return nil, &crowded{err}
	}
	return fc, err
}

// at is where a URL's path leads: RFC 1738 section 3.2.2 counts from where the
// login begins, and %2F at the beginning is the root.
func (s *ftpSite) at(ctx context.Context, fc *ftp.Client, u *url.URL) (string, error) {
	escaped := strings.TrimPrefix(u.EscapedPath(), "/")
	if i := strings.LastIndex(strings.ToLower(escaped), ";type="); i >= 0 {
		escaped = escaped[:i]
	}
	names := strings.Split(escaped, "/")
	for i, part := range names {
		name, err := url.PathUnescape(part)
		if err != nil || strings.ContainsAny(name, "\r\n\x00") {
			return "", failuref(CodeUsage, "%q is no name of FTP", part)
		}
		names[i] = name
	}
	if strings.HasPrefix(names[0], "/") {
		return path.Join(names...), nil
	}
	home, err := fc.Pwd(ctx)
	if err != nil {
		return "", err
	}
	return path.Join(append([]string{home}, names...)...), nil
}

// ftpPutter is STOR, APPE and REST.
type ftpPutter struct{ c *Client }

func putFTP(c *Client, _ *url.URL) putter { return ftpPutter{c} }

func (w ftpPutter) put(ctx context.Context, u *url.URL, p *payload, resume bool, r *Result) error {
	site := w.c.ftpSite(u)
	return site.pool.Do(ctx, func(fc *ftp.Client) error {
		name, err := site.at(ctx, fc, u)
		if err != nil {
			return err
		}
		return site.store(ctx, fc, name, p, resume, r)
	})
}

// store sends a file to a name.
func (s *ftpSite) store(ctx context.Context, fc *ftp.Client, name string, p *payload, resume bool, r *Result) error {
	var o ftp.StoreOptions
	from := int64(0)
	if resume {
		size, err := fc.Size(ctx, name)
		if _, refused := errors.AsType[ftp.Reply](err); err != nil && !refused {
			return err
		}
		switch {
		case err != nil: // nothing is there
		case p.size >= 0 && size > p.size:
			return failuref(CodeResume, "the server has %d bytes, more than the file", size)
		case p.size == size:
			r.Skipped, r.Resumed = "whole already", size
			return nil
		default:
			from, o.Append = size, true
		}
	}
	body, err := s.c.reader(p, from, r)
	if err != nil {
		return err
	}
	if p.file == nil && from > 0 {
		if _, err := io.CopyN(io.Discard, body, from); err != nil {
			return failuref(CodeResume, "standard input ends before byte %d", from)
		}
	}
	_, err = fc.Store(ctx, name, body, o)
	if refusal, ok := errors.AsType[ftp.Reply](err); ok && s.c.o.MakeDirs && r.Bytes == 0 && (refusal.Code == 550 || refusal.Code == 553) {
		if err := s.mkdirs(ctx, fc, path.Dir(name)); err != nil {
			return err
		}
		_, err = fc.Store(ctx, name, body, o)
	}
	return refusedUpload(err, body)
}

// refusedUpload is the error of an upload with its number.
func refusedUpload(err error, body *outgoing) error {
	if body.err != nil {
		return body.err
	}
	r, ok := errors.AsType[ftp.Reply](err)
	switch {
	case !ok:
		return err
	case r.Code == 530 || r.Code == 532:
		return failure(CodeLogin, err)
	case r.Code == 425 || r.Code == 426 || r.Code == 421:
		return err
	}
	return failure(CodeUpload, err)
}

// mkdirs makes a directory and those above it, as far as they are missing.
func (s *ftpSite) mkdirs(ctx context.Context, fc *ftp.Client, dir string) error {
	var missing []string
	for d := dir; d != "/" && d != "."; d = path.Dir(d) {
		missing = append(missing, d)
	}
	for _, d := range slices.Backward(missing) {
		err := fc.Mkdir(ctx, d)
		if _, refused := errors.AsType[ftp.Reply](err); err != nil && !refused {
			return err
		}
	}
	return nil // what stands already is refused too: the STOR shows whether all is well
}
