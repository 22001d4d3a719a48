package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// Mirror says how a tree is mirrored. The zero value brings what is missing or
// other.
type Mirror struct {
	Delete bool // what is only at the target goes
	DryRun bool // nothing is changed: the results say what would be
	Verify bool // contents are compared, not only size and time
}

// A tree is a directory at a server, as far as it can be walked.
type tree interface {
	// list gives what is in a directory; dir is "." or the path of an entry.
	list(ctx context.Context, dir entry) (listing, error)
	// look asks the server for what a listing does not tell, or not exactly.
	look(ctx context.Context, e entry) (Version, error)
	open(ctx context.Context, e entry, r request) (*source, error)
	// sum is a checksum that the server computes, or errNoSum.
	sum(ctx context.Context, e entry) (algorithm, sum string, err error)
	// at is the URL of an entry, for people.
	at(e entry) string
}

// errNoSum is a server that computes no checksums.
var errNoSum = errors.New("the server computes no checksums")

// A listing is what a directory holds.
type listing struct {
	entries []entry
	whole   bool // all of it: what is not in it is not there
	passed  int  // links and devices that were passed over
}

// An entry is one thing of a tree.
type entry struct {
	path    string // from the start, with slashes
	dir     bool
	version Version
	exact   bool // version is, its time to the second; otherwise it is a hint
	ref     any  // what the tree knows it by
}

// maxDepth is how deep a tree is followed: a server may make up directories
// without end, and a tree that is sent into what it is served from grows.
const maxDepth = 100

func tooDeep() error { return fmt.Errorf("deeper than %d directories: not followed", maxDepth) }

// Mirror brings what is below a directory's URL into the directory dir, which
// is made where it is missing. report gets the result of each file as it ends.
// The error is of the whole: the target, or the first directory.
func (c *Client) Mirror(ctx context.Context, u *url.URL, dir string, how Mirror, report func(r Result)) error {
	if isIMAP(u) {
		return c.exportTree(ctx, u, dir, how, report)
	}
	s, _ := schemeOf(u.Scheme)
	if s.tree == nil {
		return failuref(CodeUsage, "%s: nothing to be mirrored", s.name)
	}
	t, err := s.tree(c, u)
	if err != nil {
		return err
	}
	if here, ok := t.(*fileTreeOf); ok && here.holds(dir) {
		return failuref(CodeUsage, "the target lies in the tree itself")
	}
	return c.mirror(ctx, t, dir, how, report)
}

func (c *Client) mirror(ctx context.Context, t tree, dir string, how Mirror, report func(r Result)) error {
	m := &mirror{c: c, how: how, tree: t, report: report, seen: map[string]bool{}}
	first := entry{path: ".", dir: true, version: unknown}
	found, err := m.tree.list(ctx, first)
	if err != nil {
		return err
	}
	if err := m.target(dir); err != nil {
		return failure(CodeWrite, err)
	}
	if m.root != nil {
		defer m.root.Close()
	}
	m.todo = newQueue(max(1, c.o.Parallel))
	m.todo.add(task{urgent: true, do: func(bool) error { return m.directory(ctx, first, found) }})
	m.todo.run(ctx)
	return nil
}

// mirror is one at work.
type mirror struct {
	c      *Client
	how    Mirror
	tree   tree
	root   *os.Root // nil: there is no target yet, and it is a dry run
	todo   *queue
	report func(r Result)

	mu   sync.Mutex
	seen map[string]bool // paths, so that no loop is followed and nothing comes twice
}

func (m *mirror) target(dir string) error {
	if !m.how.DryRun {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
	}
	root, err := os.OpenRoot(dir)
	if m.how.DryRun && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	m.root = root
	return err
}

// tell reports a result.
func (m *mirror) tell(r Result) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.report(r)
}

func (m *mirror) fail(e entry, err error) {
	m.tell(Result{URL: m.tree.at(e), File: e.path, Action: ActionFail, Err: err})
}

// list reads a directory, then does it.
func (m *mirror) list(ctx context.Context, dir entry, alone bool) error {
	if strings.Count(dir.path, "/") >= maxDepth {
		m.fail(dir, tooDeep())
		return nil
	}
	m.mu.Lock()
	again := m.seen[dir.path]
	m.seen[dir.path] = true
	m.mu.Unlock()
	if again {
		return nil
	}
	found, err := m.tree.list(ctx, dir)
	if err != nil {
		if as[*crowded](err) && !alone {
			m.mu.Lock()
			delete(m.seen, dir.path)
			m.mu.Unlock()
			return err
		}
		m.fail(dir, err)
		return nil
	}
	return m.directory(ctx, dir, found)
}

// directory does what a listing asks for.
func (m *mirror) directory(ctx context.Context, dir entry, found listing) error {
	good := m.sift(dir, found.entries)
	if found.passed > 0 {
		m.c.say("%s: %d links or devices passed over", m.tree.at(dir), found.passed)
	}
	if err := m.mkdir(dir.path); err != nil {
		m.fail(dir, failure(CodeWrite, err))
		return nil
	}
	if m.how.Delete {
		m.sweep(dir, good, found)
	}
	names := newNames(good)
	for _, e := range good {
		if e.dir {
			m.todo.add(task{urgent: true, do: func(alone bool) error { return m.list(ctx, e, alone) }})
			continue
		}
		m.mu.Lock()
		again := m.seen[e.path] // by another menu
		m.seen[e.path] = true
		m.mu.Unlock()
		if again {
			continue
		}
		f := file{e, names.temp(e.path), m.c.meter.announce(e.version.Size)}
		m.todo.add(task{do: func(alone bool) error { return m.file(ctx, f, alone) }})
	}
	return nil
}

// sift leaves out what has no name that is safe here, and the second of two
// that are one on this disk.
func (m *mirror) sift(dir entry, entries []entry) []entry {
	var good []entry
	taken := map[string]string{}
	for _, e := range entries {
		if err := safePath(e.path); err != nil {
			m.fail(e, failure(CodeWrite, err))
			continue
		}
		folded := strings.ToLower(e.path)
		other, clash := taken[folded]
		if clash && other == e.path {
			continue
		}
		if clash && m.foldsCase(dir.path) {
			m.fail(e, failuref(CodeWrite, "this disk does not tell %q from %q", path.Base(e.path), path.Base(other)))
			continue
		}
		taken[folded] = e.path
		good = append(good, e)
	}
	return good
}

// foldsCase tells whether the disk takes names that differ by case for one.
func (m *mirror) foldsCase(dir string) bool {
	if m.root == nil {
		return false
	}
	if err := m.mkdir(dir); err != nil {
		return false
	}
	probe := path.Join(dir, ".farend-Case")
	f, err := m.root.OpenFile(probe, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return true // the careful answer
	}
	f.Close()
	defer m.root.Remove(probe) //nolint:errcheck // it is ours, and empty
	_, err = m.root.Lstat(path.Join(dir, ".FAREND-cASE"))
	return err == nil
}

func (m *mirror) mkdir(dir string) error {
	if m.root == nil || m.how.DryRun || dir == "." {
		return nil
	}
	return m.root.MkdirAll(dir, 0o777)
}

// sweep removes what is here and not there.
func (m *mirror) sweep(dir entry, good []entry, found listing) {
	if !found.whole {
		m.c.say("%s: no listing of everything: nothing is deleted", m.tree.at(dir))
		return
	}
	if m.root == nil {
		return
	}
	keep := map[string]bool{}
	for _, e := range slices.Concat(good, found.entries) {
		rest := e.path
		if dir.path != "." {
			rest = strings.TrimPrefix(rest, dir.path+"/")
		}
		name, _, _ := strings.Cut(rest, "/")
		keep[name], keep[name+".part"], keep[name+".part.json"] = true, true, true
	}
	here, err := fs.ReadDir(m.root.FS(), dir.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.fail(dir, failure(CodeWrite, err))
	}
	for _, d := range here {
		if keep[d.Name()] {
			continue
		}
		name := path.Join(dir.path, d.Name())
		r := Result{URL: m.tree.at(entry{path: name, dir: d.IsDir()}), File: name, Action: ActionDelete}
		if !m.how.DryRun {
			if err := m.root.RemoveAll(name); err != nil {
				r.Err = failure(CodeWrite, err)
			}
		}
		m.tell(r)
	}
}

// A file is one that may have to come.
type file struct {
	entry
	temp  string // its name while it grows
	share *share
}

// file brings one file.
func (m *mirror) file(ctx context.Context, f file, alone bool) error {
	began := time.Now()
	r := Result{URL: m.tree.at(f.entry), File: f.path, Action: ActionGet, share: f.share}
	m.c.meter.Active.Add(1)
	defer m.c.meter.Active.Add(-1)
	limited, cancel := m.c.limited(ctx)
	defer cancel()
	r.Err = m.bring(limited, f.entry, f.temp, &r)
	if as[*crowded](r.Err) && !alone {
		return r.Err
	}
	if ctx.Err() == nil { // or all stand still
		f.share.end()
	}
	r.Time = time.Since(began)
	m.tell(r)
	return nil
}

// bring looks whether a file is here already, and fetches it if not.
func (m *mirror) bring(ctx context.Context, e entry, temp string, r *Result) error {
	info, err := m.here(e)
	if err != nil {
		return err
	}
	compare := false
	if info != nil {
		same, why, err := m.same(ctx, &e, info)
		if err != nil {
			return err
		}
		if same {
			m.skip(info.Size(), why, r)
			return nil
		}
		compare = why == unsure
	}
	if m.how.DryRun {
		if compare {
			r.Action = ActionCompare
		}
		return nil
	}
	p := &part{root: m.root, name: e.path, temp: temp, url: m.tree.at(e), setTime: true}
	to := sink(p)
	switch {
	case compare:
		to = &compared{part: p, r: r}
	case info == nil:
		p.fresh = true
	}
	return m.c.fetch(ctx, func(ctx context.Context, want request) (*source, error) { return m.tree.open(ctx, e, want) }, to, r)
}

func (m *mirror) skip(size int64, why string, r *Result) {
	r.Action, r.Skipped = ActionSkip, why
	r.share.begin(size, size)
}

// here is the file that stands under an entry's name; nil: nothing.
func (m *mirror) here(e entry) (fs.FileInfo, error) {
	if m.root == nil {
		return nil, nil
	}
	info, err := m.root.Lstat(e.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if dir := path.Dir(e.path); !m.how.DryRun && strings.Contains(e.path, "/") { // of a link that leads deeper
			if _, err := m.root.Lstat(dir); err != nil {
				if err := m.mkdir(dir); err != nil {
					return nil, failure(CodeWrite, err)
				}
			}
		}
		return nil, nil
	case err != nil:
		return nil, failure(CodeWrite, err)
	case !info.Mode().IsRegular():
		return nil, failuref(CodeWrite, "what is here under this name is no file")
	}
	return info, nil
}

// Why a file is skipped, or not.
const (
	sameTime = "same size and time"
	SameSize = "same size, and the server has no time"
	sameSum  = "same checksum"
	sameText = "same content"
	unsure   = "unsure"
)

// same tells whether what is here is what is there. Where only the content
// could tell, why is unsure.
func (m *mirror) same(ctx context.Context, e *entry, info fs.FileInfo) (same bool, why string, err error) {
	if m.how.Verify {
		return m.sameContent(ctx, *e, info)
	}
	v := e.version
	if e.exact && v.Size >= 0 && v.Size != info.Size() {
		return false, "", nil
	}
	if v.Size < 0 || v.Modified.IsZero() || !e.exact {
		if v, err = m.tree.look(ctx, *e); err != nil {
			return false, "", err
		}
		e.version, e.exact = v, true
	}
	switch {
	case v.Size >= 0 && v.Size != info.Size():
		return false, "", nil
	case v.Modified.IsZero() && v.Size < 0:
		return false, unsure, nil
	case v.Modified.IsZero():
		return true, SameSize, nil
	case !v.Modified.Truncate(time.Second).Equal(info.ModTime().Truncate(time.Second)):
		return false, "", nil
	case v.Size < 0:
		return false, unsure, nil
	}
	return true, sameTime, nil
}
