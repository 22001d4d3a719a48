package filetree

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// dirFile is an open directory, whose listing is the tree's.
type dirFile struct {
	*os.File
	t    *dirTree
	name string
	list entryList
}

var _ fs.ReadDirFile = (*dirFile)(nil)

func (f *dirFile) ReadDir(n int) ([]fs.DirEntry, error) {
	return f.list.next(n, func() ([]fs.DirEntry, error) { return f.t.entries(f.File, f.name) })
}

// Readdir, Readdirnames and WriteTo are *os.File's, and see what is hidden.
func (f *dirFile) Readdir(int) ([]fs.FileInfo, error) { return nil, f.isDir("readdir") }
func (f *dirFile) Readdirnames(int) ([]string, error) { return nil, f.isDir("readdir") }
func (f *dirFile) WriteTo(io.Writer) (int64, error)   { return 0, f.isDir("read") }
func (f *dirFile) Read([]byte) (int, error)           { return 0, f.isDir("read") }
func (f *dirFile) ReadAt([]byte, int64) (int, error)  { return 0, f.isDir("read") }
func (f *dirFile) isDir(op string) error              { return fail(op, f.name, errIsDir) }

var errIsDir = errors.New("is a directory")

// entryList hands a listing out in pieces, as fs.ReadDirFile wants it.
type entryList struct {
	left []fs.DirEntry
	read bool
}

func (l *entryList) next(n int, load func() ([]fs.DirEntry, error)) ([]fs.DirEntry, error) {
	if !l.read {
		all, err := load()
		if err != nil {
			return nil, err
		}
		l.left, l.read = all, true
	}
	if n <= 0 {
		n = len(l.left)
	} else if len(l.left) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(l.left))
	out := l.left[:n:n]
	l.left = l.left[n:]
	return out, nil
}

func (t *dirTree) ReadDir(name string) ([]fs.DirEntry, error) {
	p, err := t.path("readdir", name)
	if err != nil {
		return nil, err
	}
	f, err := t.root.OpenFile(p, os.O_RDONLY|openNonblock, 0)
	if err != nil {
		return nil, fail("readdir", name, err)
	}
	defer f.Close()
	return t.entries(f, name)
}

// entries lists an open directory without what is hidden.
func (t *dirTree) entries(f *os.File, name string) ([]fs.DirEntry, error) {
	all, err := f.ReadDir(-1)
	if err != nil {
		return nil, fail("readdir", name, err)
	}
	out := make([]fs.DirEntry, 0, len(all))
	for _, d := range all {
		e := &dirEntry{t: t, dir: name, name: d.Name(), mode: d.Type()}
		if checkName("readdir", join(name, e.name)) != nil {
			continue
		}
		if !d.IsDir() && !d.Type().IsRegular() { // a link is what it leads to
			info, err := e.Info()
			if err != nil {
				continue
			}
			e.mode = info.Mode().Type()
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return out, nil
}

// dirEntry is an entry of a directory; its Info goes through the root.
type dirEntry struct {
	t         *dirTree
	dir, name string
	mode      fs.FileMode
}

func (e *dirEntry) Name() string               { return e.name }
func (e *dirEntry) IsDir() bool                { return e.mode.IsDir() }
func (e *dirEntry) Type() fs.FileMode          { return e.mode.Type() }
func (e *dirEntry) Info() (fs.FileInfo, error) { return e.t.Stat(join(e.dir, e.name)) }
func (e *dirEntry) String() string             { return fs.FormatDirEntry(e) }

// survey counts what is below a directory and clears what crashes left there.
func (t *dirTree) survey(name string) error {
	p := filepath.FromSlash(name)
	f, err := t.root.Open(p)
	if err != nil {
		if name != "." && errors.Is(err, fs.ErrPermission) { // nobody reads it through us either
			return nil
		}
		return fail("readdir", name, err)
	}
	all, err := f.ReadDir(-1)
	err = errors.Join(err, f.Close())
	if err != nil {
		return fail("readdir", name, err)
	}
	for _, d := range all {
		here := filepath.Join(p, d.Name())
		switch {
		case d.IsDir():
			t.budget.entries++
			if err := t.survey(filepath.ToSlash(here)); err != nil {
				return err
			}
		case !d.Type().IsRegular():
		case isTemp(d.Name()):
			t.clear(here)
		default:
			t.budget.entries++
			if info, err := t.root.Lstat(here); err == nil { // gone meanwhile: nothing to count
				t.budget.bytes += info.Size()
			}
		}
	}
	return nil
}
