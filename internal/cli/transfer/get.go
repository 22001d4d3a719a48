package transfer

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// A Job is one URL to get.
type Job struct {
	URL  *url.URL
	File string // where to; "" or "-": standard output; a directory: under the URL's own name
	// Named has it written under the URL's own name in the directory File, ""
	// being the current one.
	Named bool
	Range string // A-B; "": all
	// Resume goes on with File, which the user says is the beginning: at byte
	// ResumeAt, or -1 for its end.
	Resume   bool
	ResumeAt int64
	As       string // how a mailbox is written; "": File says it
}

// Get does the jobs, several at once, and returns when all have ended. report
// gets the result of each as it ends, with its place in jobs, one at a time.
func (c *Client) Get(ctx context.Context, jobs []Job, report func(i int, r Result)) {
	out := newLine(ctx, orDiscard(c.o.Out), len(jobs))
	c.jobs = len(jobs)
	places, shares := make([]*place, len(jobs)), make([]*share, len(jobs))
	for i, j := range jobs {
		shares[i] = c.meter.announce(-1)
		if j.toStdout() {
			places[i] = out.place()
		}
	}
	c.parallel(len(jobs), func(i int, tell func(i int, r Result)) {
		r := Result{URL: jobs[i].URL.Redacted(), File: jobs[i].File, share: shares[i]}
		c.one(ctx, jobs[i], places[i], &r)
		if places[i] == nil {
			tell(i, r)
			return
		}
		places[i].leave(func(err error) {
			if err != nil && r.Err == nil {
				r.Err = failure(CodeWrite, err)
			}
			tell(i, r)
		})
	}, report)
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}

func (j Job) toStdout() bool { return !j.Named && (j.File == "" || j.File == "-") }

// one does a job.
func (c *Client) one(ctx context.Context, j Job, p *place, r *Result) {
	began := time.Now()
	c.meter.Active.Add(1)
	if r.Err = ctx.Err(); r.Err == nil {
		limited, cancel := c.limited(ctx)
		r.Err = c.run(limited, j, p, r)
		cancel()
	}
	r.Time = time.Since(began)
	c.meter.Active.Add(-1)
	if ctx.Err() == nil { // or all stand still
		r.share.end()
	}
}

// limited is a context that ends when the time for one transfer is over.
func (c *Client) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.o.Limit <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, c.o.Limit)
}

func (c *Client) run(ctx context.Context, j Job, p *place, r *Result) error {
	var want *span
	if j.Range != "" {
		var err error
		if want, err = parseSpan(j.Range); err != nil {
			return err
		}
	}
	as, _, err := inLetters(j)
	if err != nil {
		return err
	}
	if as != "" {
		return c.getLetters(ctx, j, as, p, r)
	}
	get := c.urlOpener(j.URL, want)
	if p != nil {
		r.File = "-"
		s := sink(&stream{w: p})
		if j.Resume {
			return c.fetch(ctx, get, &skipped{stream: stream{w: p}, at: max(0, j.ResumeAt)}, r)
		}
		return c.fetch(ctx, get, s, r)
	}
	at, err := c.place(j)
	if err != nil {
		return err
	}
	r.File = at.name
	return c.toFile(ctx, get, j, want != nil, at, r)
}

// skipped is a stream whose user has the beginning already (-C N to standard
// output).
type skipped struct {
	stream
	at int64
}

func (s *skipped) have() request {
	return request{from: s.at + s.got, version: s.v, trusted: true}
}

func (s *skipped) start(src *source) (io.Writer, error) {
	if src.from != s.at+s.got || s.got > 0 && !src.version.Same(s.v) {
		return nil, errAnew
	}
	s.v = src.version
	return &s.stream, nil
}

// spot is where a file is written, and what is there now.
type spot struct {
	name  string
	info  fs.FileInfo // nil: nothing
	clear bool        // nor is a part of it, or its note
}

// place is the file that a job writes.
func (c *Client) place(j Job) (spot, error) {
	at := spot{name: j.File}
	dir := j.Named || strings.HasSuffix(j.File, "/") || strings.HasSuffix(j.File, string(filepath.Separator))
	if !dir {
		if err := c.look(&at); err != nil {
			return at, err
		}
		dir = at.info != nil && at.info.IsDir()
	}
	if dir {
		last, err := NameOf(j.URL)
		if err != nil {
			return at, err
		}
		at = spot{name: filepath.Join(j.File, last)}
		if err := c.look(&at); err != nil {
			return at, err
		}
	}
	if at.info != nil && at.info.IsDir() {
		return at, failuref(CodeWrite, "%s is a directory", at.name)
	}
	if c.o.MakeDirs && !at.clear { // or the directory has been read
		if err := os.MkdirAll(filepath.Dir(at.name), 0o777); err != nil {
			return at, failure(CodeWrite, err)
		}
	}
	return at, nil
}

// look finds what is where a file shall be. A link is written through, as
// everywhere.
func (c *Client) look(at *spot) error {
	stands := false
	if stands, at.clear = c.listed(at.name); !stands && at.clear {
		return nil
	}
	info, err := os.Lstat(at.name)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		info, err = os.Stat(at.name)
		if real, bad := filepath.EvalSymlinks(at.name); err == nil && bad == nil {
			at.name, at.clear = real, false
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failure(CodeWrite, err)
	}
	if err == nil {
		at.info = info
	}
	return nil
}

// toFile brings a job's file to its place.
func (c *Client) toFile(ctx context.Context, get opener, j Job, span bool, at spot, r *Result) error {
	if at.info != nil && !at.info.Mode().IsRegular() {
		return c.toDevice(ctx, get, at.name, r)
	}
	dir, err := c.folder(filepath.Dir(at.name))
	if err != nil {
		return failure(CodeWrite, err)
	}
	p := &part{root: dir.root, name: filepath.Base(at.name), url: r.URL, setTime: c.o.RemoteTime, path: at.name, turn: &dir.replacing}
	if span || c.o.Include || at.clear {
		p.looked, p.v, p.noted = true, unknown, !at.clear
	}
	if at.info != nil {
		p.size = at.info.Size()
	}
	p.fresh = at.info == nil && !j.Resume
	if j.Resume && p.have().from == 0 && (at.info != nil || j.ResumeAt > 0) {
		a, err := newAppended(at.name, j.ResumeAt)
		if err != nil {
			return err
		}
		defer a.close() //nolint:errcheck // done has told
		return c.fetch(ctx, get, a, r)
	}
	return c.fetch(ctx, get, p, r)
}

// toDevice writes to what is there and is no file: /dev/null, a pipe.
func (c *Client) toDevice(ctx context.Context, get opener, name string, r *Result) (err error) {
	var f *os.File
	s := &stream{open: func() (io.Writer, error) {
		var err error
		f, err = os.OpenFile(name, os.O_WRONLY, 0)
		return f, err
	}}
	err = c.fetch(ctx, get, s, r)
	if f != nil {
		err = errors.Join(err, f.Close())
	}
	return err
}

// folder is a directory that is written to.
type folder struct {
	root *os.Root
	// names are what was in it when it was opened, where many files go there:
	// to look once is quicker than to look for each. nil: nobody looked.
	names     map[string]bool
	replacing sync.Mutex
}

// root opens a directory once.
func (c *Client) root(dir string) (*os.Root, error) {
	f, err := c.folder(dir)
	if err != nil {
		return nil, err
	}
	return f.root, nil
}

// many is from how many files on a directory is read first; most is how large
// it may be.
const (
	many = 50
	most = 20_000
)

func (c *Client) folder(dir string) (*folder, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, ok := c.folders[dir]; ok {
		return f, nil
	}
	r, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	f := &folder{root: r}
	c.folders[dir] = f
	if c.jobs < many {
		return f, nil
	}
	d, err := r.Open(".")
	if err != nil {
		return f, nil //nolint:nilerr // then each file is looked for
	}
	defer d.Close()
	names, err := d.Readdirnames(most)
	if len(names) == most || err != nil && err != io.EOF {
		return f, nil //nolint:nilerr // as above
	}
	f.names = make(map[string]bool, len(names))
	for _, name := range names {
		f.names[name] = true
	}
	return f, nil
}

// listed tells what the directory of a file had in it when it was read: whether
// something stood under its name, and whether no part of it did. Something may
// by now: a file is made only where there is none.
func (c *Client) listed(name string) (stands, clear bool) {
	if c.jobs < many {
		return true, false
	}
	f, err := c.folder(filepath.Dir(name))
	if err != nil || f.names == nil {
		return true, false
	}
	base := filepath.Base(name)
	return f.names[base], !f.names[base+".part"] && !f.names[base+".part.json"]
}
