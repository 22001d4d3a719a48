package filetree

import (
	"context"
	"io/fs"
	"time"
)

// FS is any fs.FS as a tree that cannot be changed: every change is
// fs.ErrPermission. Only its directories and regular files are in it.
func FS(fsys fs.FS) Tree { return &readOnly{fsys} }

type readOnly struct{ fsys fs.FS }

var _ Tree = (*readOnly)(nil)

func (t *readOnly) Open(name string) (fs.File, error) {
	if err := checkName("open", name); err != nil {
		return nil, err
	}
	info, err := t.Stat(name)
	if err != nil {
		return nil, fail("open", name, err)
	}
	f, err := t.fsys.Open(name)
	if err != nil {
		return nil, fail("open", name, err)
	}
	if info.IsDir() {
		return &readOnlyDir{File: f, t: t, name: name}, nil
	}
	return f, nil
}

// readOnlyDir is an open directory, whose listing is the tree's.
type readOnlyDir struct {
	fs.File
	t    *readOnly
	name string
	list entryList
}

var _ fs.ReadDirFile = (*readOnlyDir)(nil)

func (d *readOnlyDir) ReadDir(n int) ([]fs.DirEntry, error) {
	return d.list.next(n, func() ([]fs.DirEntry, error) { return d.t.ReadDir(d.name) })
}

func (t *readOnly) Stat(name string) (fs.FileInfo, error) {
	if err := checkName("stat", name); err != nil {
		return nil, err
	}
	info, err := fs.Stat(t.fsys, name)
	if err != nil {
		return nil, fail("stat", name, err)
	}
	if !info.IsDir() && !info.Mode().IsRegular() {
		return nil, fail("stat", name, outside("not a regular file"))
	}
	return info, nil
}

func (t *readOnly) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := checkName("readdir", name); err != nil {
		return nil, err
	}
	all, err := fs.ReadDir(t.fsys, name)
	if err != nil {
		return nil, fail("readdir", name, err)
	}
	out := all[:0:0]
	for _, d := range all {
		full := join(name, d.Name())
		if checkName("readdir", full) != nil {
			continue
		}
		if !d.IsDir() && !d.Type().IsRegular() {
			info, err := t.Stat(full)
			if err != nil {
				continue
			}
			d = fs.FileInfoToDirEntry(info)
		}
		out = append(out, d)
	}
	return out, nil
}

func (t *readOnly) Create(_ context.Context, name string, _ CreateOptions) (Upload, error) {
	return nil, refuse("create", name)
}

func (t *readOnly) Mkdir(name string) error                   { return refuse("mkdir", name) }
func (t *readOnly) Remove(name string) error                  { return refuse("remove", name) }
func (t *readOnly) RemoveIf(name string, _ fs.FileInfo) error { return refuse("remove", name) }
func (t *readOnly) Rename(from, _ string) error               { return refuse("rename", from) }
func (t *readOnly) Chtimes(name string, _ time.Time) error    { return refuse("chtimes", name) }

// Space counts nothing.
func (t *readOnly) Space() (used, limit int64) { return -1, 0 }

// refuse is the answer to a change; a name that nothing could have is the
// graver fault.
func refuse(op, name string) error {
	if err := checkName(op, name); err != nil {
		return err
	}
	return fail(op, name, fs.ErrPermission)
}
