package filetree

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Dir is a directory on disk. What is in it is reached through root alone,
// which the caller closes when the tree is no longer used. Files open as
// *os.File.
//
// Uploads are written in the directory in which they will stand, under a
// hidden name; those that a crash left behind are removed here, those of other
// processes that still run are not. Unless it is ReadOnly, the tree is walked
// once, to count what is in it; changes that others make later are not
// counted.
func Dir(root *os.Root, o Options) (Tree, error) {
	t := &dirTree{root: root, o: o.filled()}
	t.top = sync.OnceValues(func() (*os.File, error) { return root.Open(".") })
	t.budget.quota, t.budget.most = max(0, o.Quota), max(0, o.Entries)
	if o.ReadOnly {
		t.uncounted = true
		return t, nil
	}
	if err := t.survey("."); err != nil {
		return nil, err
	}
	return t, nil
}

type dirTree struct {
	root      *os.Root
	top       func() (*os.File, error) // the directory itself, opened when first asked for
	o         Options
	budget    budget
	uncounted bool
	mu        sync.Mutex // held where a condition is looked at and something changed by it
	latest    time.Time  // of the uploads that took their place; mu is held
}

var _ Tree = (*dirTree)(nil)

// path is a name as this system spells it: fs.ErrInvalid where it has none
// (CON and C:x on Windows).
func (t *dirTree) path(op, name string) (string, error) {
	if err := checkName(op, name); err != nil {
		return "", err
	}
	p, err := filepath.Localize(name)
	if err != nil {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return p, nil
}

// changePath is path for what is to be made, moved or removed.
func (t *dirTree) changePath(op, name string) (string, error) {
	if err := checkChange(op, name, t.o.ReadOnly); err != nil {
		return "", err
	}
	return t.path(op, name)
}

func (t *dirTree) Open(name string) (fs.File, error) {
	p, err := t.path("open", name)
	if err != nil {
		return nil, err
	}
	f, err := t.root.OpenFile(p, os.O_RDONLY|openNonblock, 0) // or a pipe would wait for its writer
	if err != nil {
		return nil, fail("open", name, err)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, errors.Join(fail("open", name, err), f.Close())
	case info.IsDir():
		return &dirFile{File: f, t: t, name: name}, nil
	case !info.Mode().IsRegular():
		return nil, errors.Join(fail("open", name, outside("not a regular file")), f.Close())
	}
	return f, nil
}

func (t *dirTree) Stat(name string) (fs.FileInfo, error) {
	p, err := t.path("stat", name)
	if err != nil {
		return nil, err
	}
	return t.stat(p, name)
}

func (t *dirTree) stat(p, name string) (fs.FileInfo, error) {
	info, err := t.root.Stat(p)
	if err != nil {
		return nil, fail("stat", name, err)
	}
	if !info.IsDir() && !info.Mode().IsRegular() {
		return nil, fail("stat", name, outside("not a regular file"))
	}
	return info, nil
}

func (t *dirTree) Mkdir(name string) error {
	p, err := t.changePath("mkdir", name)
	if err != nil {
		return err
	}
	if err := t.budget.enter(); err != nil {
		return fail("mkdir", name, err)
	}
	if err := t.root.Mkdir(p, t.o.DirMode); err != nil {
		t.budget.leave()
		return fail("mkdir", name, err)
	}
	return t.sync("mkdir", name)
}

func (t *dirTree) Remove(name string) error { return t.RemoveIf(name, nil) }

func (t *dirTree) RemoveIf(name string, as fs.FileInfo) error {
	p, err := t.changePath("remove", name)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now, err := t.stat(p, name)
	if errors.Is(err, fs.ErrNotExist) && as != nil {
		err = ErrChanged
	}
	if err != nil { // hidden things stay
		return fail("remove", name, err)
	}
	if err := conditions(now, CreateOptions{IfMatch: as}, os.SameFile); err != nil {
		return fail("remove", name, err)
	}
	info, err := t.root.Lstat(p)
	if err != nil {
		return fail("remove", name, err)
	}
	if info.IsDir() {
		if empty, err := t.isEmpty(p); err != nil {
			return fail("remove", name, err)
		} else if !empty {
			return fail("remove", name, ErrNotEmpty)
		}
	}
	if err := t.root.Remove(p); err != nil {
		return fail("remove", name, err)
	}
	t.forget(info)
	return t.sync("remove", name)
}

// isEmpty looks at hidden entries too: nobody takes the ground from under an
// upload.
func (t *dirTree) isEmpty(p string) (bool, error) {
	f, err := t.root.Open(p)
	if err != nil {
		return false, err
	}
	defer f.Close()
	names, _ := f.Readdirnames(1) // the end is no error here, and others come again with Remove
	return len(names) == 0, nil
}

// forget counts off what was removed or replaced.
func (t *dirTree) forget(info fs.FileInfo) {
	t.budget.leave()
	if info.Mode().IsRegular() {
		t.budget.give(info.Size())
	}
}

func (t *dirTree) Rename(from, to string) error {
	pf, err := t.changePath("rename", from)
	if err != nil {
		return err
	}
	pt, err := t.changePath("rename", to)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := t.stat(pf, from); err != nil {
		return fail("rename", from, err)
	}
	source, err := t.root.Lstat(pf)
	if err != nil {
		return fail("rename", from, err)
	}
	target, err := t.root.Lstat(pt)
	switch {
	case err == nil && os.SameFile(source, target) && from == to:
		return nil
	case err == nil && !os.SameFile(source, target) && (target.IsDir() || source.IsDir()):
		return fail("rename", to, fs.ErrExist)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fail("rename", to, err)
	}
	if err := t.root.Rename(pf, pt); err != nil {
		return fail("rename", from, err)
	}
	if target != nil && !os.SameFile(source, target) {
		t.forget(target)
	}
	return errors.Join(t.sync("rename", from), t.sync("rename", to))
}

func (t *dirTree) Chtimes(name string, mtime time.Time) error {
	if t.o.ReadOnly {
		return fail("chtimes", name, fs.ErrPermission)
	}
	p, err := t.path("chtimes", name)
	if err != nil {
		return err
	}
	if _, err := t.stat(p, name); err != nil {
		return fail("chtimes", name, err)
	}
	if err := t.root.Chtimes(p, time.Time{}, mtime); err != nil {
		return fail("chtimes", name, err)
	}
	return nil
}

func (t *dirTree) Space() (used, limit int64) {
	used, limit = t.budget.space()
	if t.uncounted {
		used = -1
	}
	return used, limit
}

func (t *dirTree) Create(ctx context.Context, name string, o CreateOptions) (Upload, error) {
	p, err := t.changePath("create", name)
	if err != nil {
		return nil, err
	}
	old, err := t.admit(p, name, o)
	if err != nil {
		return nil, err
	}
	u := &dirUpload{t: t, name: name, path: p, o: o}
	u.b, u.max = &t.budget, max(0, t.o.MaxFile)
	if err := u.expects(o.Size); err != nil {
		return nil, fail("create", name, err)
	}
	mode := t.o.FileMode
	if old != nil {
		mode = old.Mode().Perm()
	}
	if o.Mode != 0 {
		mode = o.Mode.Perm()
	}
	if err := u.begin(mode); err != nil {
		return nil, fail("create", name, err)
	}
	if err := u.keep(ctx, old); err != nil {
		return nil, errors.Join(fail("create", name, err), u.Abort())
	}
	return u, nil
}

// admit checks the conditions of an upload and gives the file that it
// replaces, nil where there is none.
func (t *dirTree) admit(p, name string, o CreateOptions) (fs.FileInfo, error) {
	old, err := t.root.Stat(p)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		old = nil
	case err != nil:
		if err = fail("create", name, err); !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if _, statErr := t.root.Lstat(p); statErr != nil { // not the last link leads out: nothing can be made there
			return nil, err
		}
		old = nil
	case !old.Mode().IsRegular():
		return nil, fail("create", name, fs.ErrExist)
	}
	if err := conditions(old, o, os.SameFile); err != nil {
		return nil, fail("create", name, err)
	}
	return old, nil
}

// conditions checks those of a change against what is there.
func conditions(old fs.FileInfo, o CreateOptions, same func(a, b fs.FileInfo) bool) error {
	switch {
	case o.IfAbsent && old != nil:
		return fs.ErrExist
	case o.IfMatch == nil:
		return nil
	case old == nil || !same(old, o.IfMatch) || old.Size() != o.IfMatch.Size() || !old.ModTime().Equal(o.IfMatch.ModTime()):
		return ErrChanged
	}
	return nil
}

// sync brings the entry of a name to the disk.
func (t *dirTree) sync(op, name string) error {
	if !t.o.Durable {
		return nil
	}
	d, err := t.root.Open(filepath.FromSlash(dir(name)))
	if err != nil {
		return fail(op, name, err)
	}
	defer d.Close()
	if err := syncDir(d); err != nil {
		return fail(op, name, err)
	}
	return nil
}
