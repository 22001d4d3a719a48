package ftp

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// FS is the server's tree from root on ("" where a login begins) as an fs.FS,
// with ReadDir, Stat and Sub. An fs.FS has no room for a context: ctx bounds
// everything that is done with it. Each open file takes one session of the pool
// until it is closed.
func (p *Pool) FS(ctx context.Context, root string) fs.FS {
	return &tree{p, func() context.Context { return ctx }, root}
}

// tree is a server's tree.
type tree struct {
	pool *Pool
	ctx  func() context.Context
	root string
}

var (
	_ fs.StatFS    = (*tree)(nil)
	_ fs.ReadDirFS = (*tree)(nil)
	_ fs.SubFS     = (*tree)(nil)
)

// at is name as the server knows it.
func (t *tree) at(op, name string) (string, error) {
	if !fs.ValidPath(name) || strings.ContainsAny(name, "\r\n\x00") {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	if name == "." && t.root == "" {
		return "", nil
	}
	return path.Join(t.root, name), nil
}

// told is err as package fs has it: what a server refuses by 550 is not there,
// as far as one can tell.
func told(op, name string, err error) error {
	if err == nil {
		return nil
	}
	if r, ok := errors.AsType[Reply](err); ok {
		switch r.Code {
		case 550, 450:
			err = errors.Join(fs.ErrNotExist, err)
		case 530, 532, 553:
			err = errors.Join(fs.ErrPermission, err)
		}
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// Stat tells of a name.
func (t *tree) Stat(name string) (fs.FileInfo, error) {
	at, err := t.at("stat", name)
	if err != nil {
		return nil, err
	}
	var e Entry
	err = t.pool.Do(t.ctx(), func(c *Client) (err error) {
		e, err = c.stat(t.ctx(), at)
		return err
	})
	if err != nil {
		return nil, told("stat", name, err)
	}
	e.Name = path.Base(name)
	return e.Info(), nil
}

// stat is Stat for the directory where the login begins, too.
func (c *Client) stat(ctx context.Context, name string) (Entry, error) {
	if name == "" {
		return Entry{Name: ".", Mode: fs.ModeDir | 0o755, Size: -1}, nil
	}
	return c.Stat(ctx, name)
}

// ReadDir lists a directory.
func (t *tree) ReadDir(name string) ([]fs.DirEntry, error) {
	at, err := t.at("readdir", name)
	if err != nil {
		return nil, err
	}
	var entries []fs.DirEntry
	err = t.pool.Do(t.ctx(), func(c *Client) error {
		for e, err := range c.Entries(t.ctx(), at) {
			if err != nil {
				return err
			}
			entries = append(entries, fs.FileInfoToDirEntry(e.Info()))
		}
		return nil
	})
	if err != nil {
		return nil, told("readdir", name, err)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// Sub is the tree below a directory.
func (t *tree) Sub(dir string) (fs.FS, error) {
	at, err := t.at("sub", dir)
	if err != nil {
		return nil, err
	}
	return &tree{t.pool, t.ctx, at}, nil
}

// Open opens a file for reading, or a directory.
func (t *tree) Open(name string) (fs.File, error) {
	at, err := t.at("open", name)
	if err != nil {
		return nil, err
	}
	c, err := t.pool.Get(t.ctx())
	if err != nil {
		return nil, told("open", name, err)
	}
	e, err := c.stat(t.ctx(), at)
	if err != nil {
		t.pool.Put(c)
		return nil, told("open", name, err)
	}
	e.Name = path.Base(name)
	if e.IsDir() {
		t.pool.Put(c)
		return &openDir{tree: t, name: name, info: e.Info()}, nil
	}
	body, err := c.Retrieve(t.ctx(), at, RetrieveOptions{Size: e.Size})
	if err != nil {
		t.pool.Put(c)
		return nil, told("open", name, err)
	}
	return &openFile{pool: t.pool, c: c, body: body, name: name, info: e.Info()}, nil
}

// openFile is a file that is being received.
type openFile struct {
	pool *Pool
	c    *Client // nil: given back
	body *Body
	name string
	info fs.FileInfo
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }

func (f *openFile) Read(p []byte) (int, error) {
	if f.c == nil {
		return 0, &fs.PathError{Op: "read", Path: f.name, Err: fs.ErrClosed}
	}
	n, err := f.body.Read(p)
	if err != nil && err != io.EOF {
		err = told("read", f.name, err)
	}
	return n, err
}

func (f *openFile) Close() error {
	if f.c == nil {
		return &fs.PathError{Op: "close", Path: f.name, Err: fs.ErrClosed}
	}
	err := f.body.Close()
	f.pool.Put(f.c)
	f.c = nil
	return told("close", f.name, err)
}

// openDir is a directory; it is listed when it is asked for the first time.
type openDir struct {
	tree    *tree
	name    string
	info    fs.FileInfo
	listed  bool
	entries []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: errDirectory}
}

func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if !d.listed {
		entries, err := d.tree.ReadDir(d.name)
		if err != nil {
			return nil, err
		}
		d.entries, d.listed = entries, true
	}
	if n > 0 && len(d.entries) == 0 {
		return nil, io.EOF
	}
	if n <= 0 || n > len(d.entries) {
		n = len(d.entries)
	}
	some := d.entries[:n:n]
	d.entries = d.entries[n:]
	return some, nil
}
