package transfer

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// An Upload is one file to put.
type Upload struct {
	File string // "-": standard input
	URL  *url.URL
	// Resume goes on behind what the server has of it.
	Resume bool
}

// A payload is what is sent: of a file it can be read again from anywhere.
type payload struct {
	file     *os.File // nil: stdin
	in       io.Reader
	size     int64 // -1: unknown
	modified time.Time
}

// A putter sends files to one place.
type putter interface {
	// put sends p as a whole, or, with resume, what is missing of it. It counts
	// into r.
	put(ctx context.Context, u *url.URL, p *payload, resume bool, r *Result) error
}

// Put does the uploads, one after the other where they share a server's
// session, and returns when all have ended. report gets the result of each.
func (c *Client) Put(ctx context.Context, uploads []Upload, report func(i int, r Result)) {
	shares := make([]*share, len(uploads))
	for i := range uploads {
		shares[i] = c.meter.announce(-1)
	}
	c.parallel(len(uploads), func(i int, tell func(i int, r Result)) { tell(i, c.putOne(ctx, uploads[i], shares[i])) }, report)
}

func (c *Client) putOne(ctx context.Context, up Upload, s *share) Result {
	began := time.Now()
	r := Result{URL: up.URL.Redacted(), File: up.File, share: s}
	c.meter.Active.Add(1)
	if r.Err = ctx.Err(); r.Err == nil {
		limited, cancel := c.limited(ctx)
		r.Err = c.send(limited, up, &r)
		cancel()
	}
	r.Time = time.Since(began)
	c.meter.Active.Add(-1)
	if ctx.Err() == nil { // or all stand still
		s.end()
	}
	return r
}

func (c *Client) send(ctx context.Context, up Upload, r *Result) error {
	s, _ := schemeOf(up.URL.Scheme)
	if s.put == nil {
		return failuref(CodeUsage, "%s: nothing can be put there", s.name)
	}
	if done, err := c.putLetters(ctx, up, r); done {
		return err
	}
	p, err := c.payload(up.File)
	if err != nil {
		return err
	}
	if p.file != nil {
		defer p.file.Close()
	}
	return c.sendAgain(ctx, s.put(c, up.URL), up, p, r)
}

// sendAgain tries again what is worth it, where the file can be read again.
func (c *Client) sendAgain(ctx context.Context, to putter, up Upload, p *payload, r *Result) error {
	for failed := 0; ; failed++ {
		r.Tries++
		err := to.put(ctx, up.URL, p, up.Resume, r)
		if err == nil || p.file == nil || failed >= c.o.Retries || !worthIt(ctx, err) || !pause(ctx, failed, err) {
			return err
		}
		c.say("%s: %v; trying again", r.URL, plain(err))
	}
}

func (c *Client) payload(name string) (*payload, error) {
	if name == "-" {
		in := c.o.In
		if in == nil {
			in = strings.NewReader("")
		}
		return &payload{in: in, size: -1}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, failure(CodeLocalRead, err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, failure(CodeLocalRead, err)
	}
	if info.IsDir() {
		f.Close()
		return nil, failuref(CodeLocalRead, "%s is a directory: use -r", name)
	}
	if !info.Mode().IsRegular() {
		return &payload{in: f, size: -1}, nil
	}
	return &payload{file: f, in: f, size: info.Size(), modified: info.ModTime()}, nil
}

// reader reads the payload from an offset on, and counts.
func (c *Client) reader(p *payload, from int64, r *Result) (*outgoing, error) {
	if p.file != nil {
		if _, err := p.file.Seek(from, io.SeekStart); err != nil {
			return nil, failure(CodeLocalRead, err)
		}
	}
	r.Resumed = from
	o := &outgoing{in: p.in, r: r, share: r.share}
	o.share.begin(p.size, from)
	return o, nil
}

// outgoing counts what is read to be sent.
type outgoing struct {
	in    io.Reader
	r     *Result
	share *share
	err   error
}

func (o *outgoing) Read(b []byte) (int, error) {
	n, err := o.in.Read(b)
	o.r.Bytes += int64(n)
	o.share.add(int64(n))
	if err != nil && !errors.Is(err, io.EOF) {
		o.err = failure(CodeLocalRead, err)
		err = o.err
	}
	return n, err
}

// Target is the URL under which a file is put: below a directory's, under its
// own name. A message has none.
func Target(u *url.URL, file string) (*url.URL, error) {
	if !strings.HasSuffix(u.Path, "/") && u.Path != "" || isNews(u) || IsMail(u) {
		return u, nil
	}
	if file == "-" {
		return nil, failuref(CodeUsage, "standard input has no name: the URL must end in one")
	}
	return u.JoinPath(url.PathEscape(filepath.Base(file))), nil
}
