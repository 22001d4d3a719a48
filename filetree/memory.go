package filetree

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"
)

// The limits of a tree in memory where Options give none.
const (
	memoryQuota   = 256 << 20
	memoryEntries = 100_000
)

// Memory is an empty tree in memory. Durable means nothing to it.
func Memory(o Options) Tree {
	t := &memTree{o: o.filled()}
	t.budget.quota, t.budget.most = max(0, o.Quota), max(0, o.Entries)
	if o.Quota == 0 {
		t.budget.quota = memoryQuota
	}
	if o.Entries == 0 {
		t.budget.most = memoryEntries
	}
	t.top = &node{mode: fs.ModeDir | t.o.DirMode, mtime: time.Now(), kids: map[string]*node{}}
	return t
}

type memTree struct {
	o      Options
	budget budget
	mu     sync.RWMutex // of all nodes
	top    *node
}

var _ Tree = (*memTree)(nil)

// node is a file or directory. The content of a file never changes; a new one
// is another node.
type node struct {
	mode  fs.FileMode
	mtime time.Time
	data  []byte
	kids  map[string]*node // of a directory
}

// memInfo is a node at one moment, under one name.
type memInfo struct {
	name  string
	mode  fs.FileMode
	mtime time.Time
	size  int64
	node  *node
}

func (i *memInfo) Name() string               { return i.name }
func (i *memInfo) Size() int64                { return i.size }
func (i *memInfo) Mode() fs.FileMode          { return i.mode }
func (i *memInfo) ModTime() time.Time         { return i.mtime }
func (i *memInfo) IsDir() bool                { return i.mode.IsDir() }
func (i *memInfo) Sys() any                   { return nil }
func (i *memInfo) Type() fs.FileMode          { return i.mode.Type() }
func (i *memInfo) Info() (fs.FileInfo, error) { return i, nil }
func (i *memInfo) String() string             { return fs.FormatDirEntry(i) }

func (n *node) info(name string) *memInfo {
	return &memInfo{name[strings.LastIndexByte(name, '/')+1:], n.mode, n.mtime, int64(len(n.data)), n}
}

// find goes down to a name; the lock is held.
func (t *memTree) find(op, name string) (*node, error) {
	n := t.top
	if name == "." {
		return n, nil
	}
	for element := range strings.SplitSeq(name, "/") {
		if n = n.kids[element]; n == nil { // a file has none
			return nil, fail(op, name, fs.ErrNotExist)
		}
	}
	return n, nil
}

// place gives the directory of a name and its last element; the lock is held.
func (t *memTree) place(op, name string) (parent *node, element string, err error) {
	parent, err = t.find(op, dir(name))
	if err != nil || parent.kids == nil {
		return nil, "", fail(op, name, fs.ErrNotExist)
	}
	return parent, name[strings.LastIndexByte(name, '/')+1:], nil
}

func (t *memTree) Open(name string) (fs.File, error) {
	if err := checkName("open", name); err != nil {
		return nil, err
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	n, err := t.find("open", name)
	if err != nil {
		return nil, err
	}
	if n.kids != nil {
		return &memDir{t: t, name: name, info: n.info(name)}, nil
	}
	return &memFile{*bytes.NewReader(n.data), n.info(name)}, nil
}

var _ Ready = (*memTree)(nil)

func (t *memTree) ReadReady(name string, buf []byte) (int, error) {
	if err := checkName("read", name); err != nil {
		return 0, err
	}
	t.mu.RLock()
	n, err := t.find("read", name)
	t.mu.RUnlock()
	if err != nil {
		return 0, err
	}
	if n.kids != nil || len(n.data) > len(buf) {
		return 0, fail("read", name, fs.ErrInvalid)
	}
	return copy(buf, n.data), nil
}

func (t *memTree) Stat(name string) (fs.FileInfo, error) {
	if err := checkName("stat", name); err != nil {
		return nil, err
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	n, err := t.find("stat", name)
	if err != nil {
		return nil, err
	}
	return n.info(name), nil
}

func (t *memTree) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := checkName("readdir", name); err != nil {
		return nil, err
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	n, err := t.find("readdir", name)
	if err != nil {
		return nil, err
	}
	if n.kids == nil {
		return nil, fail("readdir", name, outside("a file is no directory"))
	}
	out := make([]fs.DirEntry, 0, len(n.kids))
	for element, kid := range n.kids {
		out = append(out, kid.info(element))
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return out, nil
}

func (t *memTree) Mkdir(name string) error {
	if err := checkChange("mkdir", name, t.o.ReadOnly); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	parent, element, err := t.place("mkdir", name)
	if err != nil {
		return err
	}
	if parent.kids[element] != nil {
		return fail("mkdir", name, fs.ErrExist)
	}
	if err := t.budget.enter(); err != nil {
		return fail("mkdir", name, err)
	}
	parent.mtime = time.Now()
	parent.kids[element] = &node{mode: fs.ModeDir | t.o.DirMode, mtime: parent.mtime, kids: map[string]*node{}}
	return nil
}

func (t *memTree) Remove(name string) error { return t.RemoveIf(name, nil) }

func (t *memTree) RemoveIf(name string, as fs.FileInfo) error {
	if err := checkChange("remove", name, t.o.ReadOnly); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n, err := t.find("remove", name)
	if err != nil && as != nil {
		return fail("remove", name, ErrChanged)
	}
	if err != nil {
		return err
	}
	if err := conditions(n.info(name), CreateOptions{IfMatch: as}, sameNode); err != nil {
		return fail("remove", name, err)
	}
	if len(n.kids) > 0 {
		return fail("remove", name, ErrNotEmpty)
	}
	parent, element, err := t.place("remove", name)
	if err != nil {
		return err
	}
	delete(parent.kids, element)
	parent.mtime = time.Now()
	t.forget(n)
	return nil
}

func (t *memTree) forget(n *node) {
	t.budget.leave()
	t.budget.give(int64(len(n.data)))
}

func (t *memTree) Rename(from, to string) error {
	for _, name := range []string{from, to} {
		if err := checkChange("rename", name, t.o.ReadOnly); err != nil {
			return err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n, err := t.find("rename", from)
	if err != nil {
		return err
	}
	if n.kids != nil && strings.HasPrefix(to, from+"/") {
		return fail("rename", to, fs.ErrInvalid) // into itself
	}
	source, was, err := t.place("rename", from)
	if err != nil {
		return err
	}
	target, is, err := t.place("rename", to)
	if err != nil {
		return err
	}
	switch old := target.kids[is]; {
	case old == n:
		return nil
	case old != nil && (old.kids != nil || n.kids != nil):
		return fail("rename", to, fs.ErrExist)
	case old != nil:
		t.forget(old)
	}
	delete(source.kids, was)
	target.kids[is] = n
	source.mtime = time.Now()
	target.mtime = source.mtime
	return nil
}

func (t *memTree) Chtimes(name string, mtime time.Time) error {
	if err := checkName("chtimes", name); err != nil {
		return err
	}
	if t.o.ReadOnly {
		return fail("chtimes", name, fs.ErrPermission)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n, err := t.find("chtimes", name)
	if err != nil {
		return err
	}
	n.mtime = mtime
	return nil
}

func (t *memTree) Space() (used, limit int64) { return t.budget.space() }

// memFile is an open file.
type memFile struct {
	bytes.Reader
	info *memInfo
}

func (f *memFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *memFile) Close() error               { return nil }

// memDir is an open directory.
type memDir struct {
	t    *memTree
	name string
	info *memInfo
	list entryList
}

func (d *memDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *memDir) Close() error               { return nil }
func (d *memDir) Read([]byte) (int, error)   { return 0, fail("read", d.name, errIsDir) }
func (d *memDir) ReadDir(n int) ([]fs.DirEntry, error) {
	return d.list.next(n, func() ([]fs.DirEntry, error) { return d.t.ReadDir(d.name) })
}

var (
	_ fs.ReadDirFile = (*memDir)(nil)
	_ io.ReaderAt    = (*memFile)(nil)
	_ io.WriterTo    = (*memFile)(nil)
)

func (t *memTree) Create(ctx context.Context, name string, o CreateOptions) (Upload, error) {
	if err := checkChange("create", name, t.o.ReadOnly); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fail("create", name, err)
	}
	t.mu.RLock()
	old, err := t.admit(name, o)
	t.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	u := &memUpload{t: t, name: name, o: o}
	u.b, u.max = &t.budget, max(0, t.o.MaxFile)
	if err := u.expects(o.Size); err != nil {
		return nil, fail("create", name, err)
	}
	u.mode = t.o.FileMode
	var kept []byte
	if old != nil {
		u.mode, kept = old.mode.Perm(), old.data
	}
	if o.Mode != 0 {
		u.mode = o.Mode.Perm()
	}
	switch {
	case o.Append:
	case o.Offset < 0:
		return nil, fail("create", name, fs.ErrInvalid)
	case o.Offset > int64(len(kept)):
		return nil, fail("create", name, ErrOffset)
	default:
		kept = kept[:o.Offset]
	}
	if err := u.grow(int64(len(kept))); err != nil {
		return nil, fail("create", name, err)
	}
	u.buf.Grow(int(max(int64(len(kept)), min(o.Size, 1<<20))))
	u.buf.Write(kept)
	return u, nil
}

// admit checks the conditions of an upload; the lock is held.
func (t *memTree) admit(name string, o CreateOptions) (*node, error) {
	parent, element, err := t.place("create", name)
	if err != nil {
		return nil, err
	}
	old := parent.kids[element]
	if old == nil {
		return nil, reasonOf(name, conditions(nil, o, sameNode))
	}
	if old.kids != nil {
		return nil, fail("create", name, fs.ErrExist)
	}
	return old, reasonOf(name, conditions(old.info(name), o, sameNode))
}

func reasonOf(name string, err error) error {
	if err == nil {
		return nil
	}
	return fail("create", name, err)
}

func sameNode(a, b fs.FileInfo) bool {
	x, ok := a.(*memInfo)
	y, ok2 := b.(*memInfo)
	return ok && ok2 && x.node == y.node
}

// memUpload is a file that is not yet in the tree.
type memUpload struct {
	allowance
	t    *memTree
	name string
	o    CreateOptions
	mode fs.FileMode
	buf  bytes.Buffer
	done bool
}

var _ Upload = (*memUpload)(nil)

func (u *memUpload) Size() int64 { return u.size }

func (u *memUpload) Write(p []byte) (int, error) {
	if u.done {
		return 0, fail("write", u.name, fs.ErrClosed)
	}
	if err := u.grow(int64(len(p))); err != nil {
		return 0, fail("write", u.name, err)
	}
	return u.buf.Write(p)
}

// ReadFrom copies through a buffer: memory has no shorter way.
func (u *memUpload) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{u}, struct{ io.Reader }{r})
}

func (u *memUpload) Commit() error {
	if u.done {
		return fail("commit", u.name, fs.ErrClosed)
	}
	err := u.err
	if err == nil {
		err = u.commit()
	}
	if err != nil {
		return errors.Join(fail("commit", u.name, err), u.Abort())
	}
	u.done = true
	return nil
}

func (u *memUpload) commit() error {
	t := u.t
	t.mu.Lock()
	defer t.mu.Unlock()
	old, err := t.admit(u.name, u.o)
	if err != nil {
		return err
	}
	if old == nil {
		if err := t.budget.enter(); err != nil {
			return err
		}
	} else {
		t.budget.give(int64(len(old.data)))
	}
	parent, element, err := t.place("commit", u.name)
	if err != nil {
		return err
	}
	now := time.Now()
	n := &node{mode: u.mode, mtime: now, data: slices.Clip(u.buf.Bytes())}
	if !u.o.ModTime.IsZero() {
		n.mtime = u.o.ModTime
	}
	parent.kids[element] = n
	if old == nil {
		parent.mtime = now
	}
	return nil
}

func (u *memUpload) Abort() error {
	if !u.done {
		u.done = true
		u.release()
		u.buf = bytes.Buffer{}
	}
	return nil
}
