package transfer

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"time"
)

// A target is a directory at a server into which a tree is sent.
type target interface {
	tree
	// mkdir makes a directory; one that is there already is no error.
	mkdir(ctx context.Context, e entry) error
	// store sends a file, with its time where the server takes one.
	store(ctx context.Context, e entry, p *payload, r *Result) error
	remove(ctx context.Context, e entry) error
}

// MirrorUp sends what is below the directory dir to below a directory's URL,
// which is made where it is missing. A file that is there with the same size,
// and is not older, stays. Links and devices are passed over.
func (c *Client) MirrorUp(ctx context.Context, dir string, u *url.URL, how Mirror, report func(r Result)) error {
	if isIMAP(u) {
		return c.importTree(ctx, dir, u, how, report)
	}
	s, _ := schemeOf(u.Scheme)
	if s.tree == nil || s.put == nil {
		return failuref(CodeUsage, "%s: nothing can be put there", s.name)
	}
	t, err := s.tree(c, u)
	if err != nil {
		return err
	}
	to, ok := t.(target)
	if !ok {
		return failuref(CodeUsage, "%s: no tree can be put there", s.name)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return failure(CodeLocalRead, err)
	}
	defer root.Close()
	m := &mirrorUp{c: c, how: how, to: to, root: root, report: report, todo: newQueue(max(1, c.o.Parallel))}
	first := entry{path: ".", dir: true, version: unknown}
	if !how.DryRun {
		if err := to.mkdir(ctx, first); err != nil {
			return err
		}
	}
	m.todo.add(task{urgent: true, do: func(alone bool) error { return m.directory(ctx, first, true, alone) }})
	m.todo.run(ctx)
	return nil
}

// mirrorUp is one at work.
type mirrorUp struct {
	c      *Client
	how    Mirror
	to     target
	root   *os.Root
	todo   *queue
	report func(r Result)
	mirror mirror // whose report is locked
}

func (m *mirrorUp) tell(r Result) {
	m.mirror.mu.Lock()
	defer m.mirror.mu.Unlock()
	m.report(r)
}

// directory compares one directory here with there. There may be none.
func (m *mirrorUp) directory(ctx context.Context, dir entry, there, alone bool) error {
	fail := func(err error) {
		m.tell(Result{URL: m.to.at(dir), File: dir.path, Action: ActionFail, Err: err})
	}
	if strings.Count(dir.path, "/") >= maxDepth {
		fail(tooDeep())
		return nil
	}
	here, err := fs.ReadDir(m.root.FS(), dir.path)
	if err != nil {
		fail(failure(CodeLocalRead, err))
		return nil
	}
	var found listing
	if there {
		found, err = m.to.list(ctx, dir)
		if s, ok := errors.AsType[*StatusError](err); ok && dir.path == "." && s.Code == http.StatusNotFound {
			found, err = listing{}, nil // it comes with the first file
		}
		if as[*crowded](err) && !alone {
			return err
		}
		if err != nil && !(m.how.DryRun && dir.path == ".") {
			fail(err)
			return nil
		}
	}
	known := map[string]entry{}
	for _, e := range found.entries {
		known[e.path] = e
	}
	for _, d := range here {
		m.one(ctx, dir, d, known)
	}
	if m.how.Delete && found.whole {
		m.sweep(ctx, here, found)
	}
	return nil
}

// one is an entry of a directory here.
func (m *mirrorUp) one(ctx context.Context, dir entry, d fs.DirEntry, known map[string]entry) {
	e := entry{path: path.Join(dir.path, d.Name()), dir: d.IsDir(), version: unknown}
	was, there := known[e.path]
	if there && was.dir != e.dir {
		m.tell(Result{URL: m.to.at(e), File: e.path, Action: ActionFail, Err: failuref(CodeUpload, "one is a directory, the other a file")})
		return
	}
	switch {
	case d.IsDir():
		m.todo.add(task{urgent: true, do: func(alone bool) error {
			if !there && !m.how.DryRun {
				if err := m.to.mkdir(ctx, e); err != nil {
					m.tell(Result{URL: m.to.at(e), File: e.path, Action: ActionFail, Err: err})
					return nil
				}
			}
			return m.directory(ctx, e, there, alone)
		}})
	case d.Type().IsRegular():
		if there {
			e = was
		}
		f := file{entry: e, share: m.c.meter.announce(-1)}
		m.todo.add(task{do: func(alone bool) error { return m.file(ctx, f, there, alone) }})
	default:
		m.c.say("%s: passed over, for it is no file", e.path)
	}
}

func (m *mirrorUp) file(ctx context.Context, f file, there, alone bool) error {
	began := time.Now()
	r := Result{URL: m.to.at(f.entry), File: f.path, Action: ActionPut, share: f.share}
	m.c.meter.Active.Add(1)
	defer m.c.meter.Active.Add(-1)
	limited, cancel := m.c.limited(ctx)
	defer cancel()
	r.Err = m.send(limited, f.entry, there, &r)
	if as[*crowded](r.Err) && !alone {
		return r.Err
	}
	if ctx.Err() == nil {
		f.share.end()
	}
	r.Time = time.Since(began)
	m.tell(r)
	return nil
}

func (m *mirrorUp) send(ctx context.Context, e entry, there bool, r *Result) error {
	f, err := m.root.Open(e.path)
	if err != nil {
		return failure(CodeLocalRead, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return failure(CodeLocalRead, err)
	}
	if there {
		same, err := m.same(ctx, e, info)
		if err != nil {
			return err
		}
		if same {
			r.Action, r.Skipped = ActionSkip, sameTime
			r.share.begin(info.Size(), info.Size())
			return nil
		}
	}
	if m.how.DryRun {
		return nil
	}
	p := &payload{file: f, in: f, size: info.Size(), modified: info.ModTime()}
	for failed := 0; ; failed++ {
		r.Tries++
		r.Bytes = 0
		err := m.to.store(ctx, e, p, r)
		if err == nil || failed >= m.c.o.Retries || !worthIt(ctx, err) || !pause(ctx, failed, err) {
			return err
		}
	}
}

// same tells whether what is there is of the same size and not older.
func (m *mirrorUp) same(ctx context.Context, e entry, info fs.FileInfo) (bool, error) {
	v := e.version
	if e.exact && v.Size >= 0 && v.Size != info.Size() {
		return false, nil
	}
	if v.Size < 0 || !e.exact || v.Modified.IsZero() {
		var err error
		if v, err = m.to.look(ctx, e); err != nil {
			return false, err
		}
	}
	return v.Size == info.Size() && !v.Modified.IsZero() && !v.Modified.Before(info.ModTime().Truncate(time.Second)), nil
}

// sweep removes what is there and not here.
func (m *mirrorUp) sweep(ctx context.Context, here []fs.DirEntry, found listing) {
	keep := map[string]bool{}
	for _, d := range here {
		keep[d.Name()] = true
	}
	for _, e := range found.entries {
		if keep[path.Base(e.path)] {
			continue
		}
		m.todo.add(task{do: func(alone bool) error {
			r := Result{URL: m.to.at(e), File: e.path, Action: ActionDelete}
			if !m.how.DryRun {
				r.Err = m.removeAll(ctx, e, 0)
			}
			if as[*crowded](r.Err) && !alone {
				return r.Err
			}
			m.tell(r)
			return nil
		}})
	}
}

// removeAll removes a directory from its leaves on.
func (m *mirrorUp) removeAll(ctx context.Context, e entry, depth int) error {
	if e.dir && depth < maxDepth {
		found, err := m.to.list(ctx, e)
		if err != nil {
			return err
		}
		for _, below := range found.entries {
			if err := m.removeAll(ctx, below, depth+1); err != nil {
				return err
			}
		}
	}
	return m.to.remove(ctx, e)
}
