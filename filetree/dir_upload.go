package filetree

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"
)

// dirUpload is a file under a hidden name, in the directory where it will be.
type dirUpload struct {
	allowance
	t          *dirTree
	name, path string
	temp       string
	o          CreateOptions
	f          *os.File
	done       bool
}

var _ Upload = (*dirUpload)(nil)

// begin makes the hidden file and locks it, so that another process does not
// take it for one that a crash left behind.
func (u *dirUpload) begin(mode fs.FileMode) error {
	for range 10 {
		temp := filepath.Join(filepath.Dir(u.path), tempPrefix+rand.Text()+tempSuffix)
		f, err := u.t.root.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return err
		}
		if locked, err := lock(f); err != nil || locked && u.stands(f, temp) {
			u.f, u.temp = f, temp
			return nil // a disk without locks: the age of the file must do
		}
		f.Close() // somebody cleared it away before it was locked
	}
	return fs.ErrExist
}

// stands tells whether the hidden file is still there.
func (u *dirUpload) stands(f *os.File, temp string) bool {
	ours, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := u.t.root.Lstat(temp)
	return err == nil && os.SameFile(ours, there)
}

// clear removes a hidden file that nobody writes any more.
func (t *dirTree) clear(p string) {
	f, err := t.root.OpenFile(p, os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer f.Close()
	locked, err := lock(f)
	if err != nil { // no locks here: one of yesterday is old enough
		info, statErr := f.Stat()
		locked = statErr == nil && time.Since(info.ModTime()) > 24*time.Hour
	}
	if locked {
		_ = t.root.Remove(p) // it is in nobody's way
	}
}

// keep copies what stays of the old file.
func (u *dirUpload) keep(ctx context.Context, old fs.FileInfo) error {
	n := u.o.Offset
	if u.o.Append {
		n = 0
		if old != nil {
			n = old.Size()
		}
	}
	switch {
	case n < 0:
		return fs.ErrInvalid
	case n == 0:
		return nil
	case old == nil || n > old.Size():
		return ErrOffset
	}
	f, err := u.t.root.Open(u.path)
	if err != nil {
		return err
	}
	defer f.Close()
	for u.size < n {
		if err := ctx.Err(); err != nil {
			return err
		}
		got, err := u.ReadFrom(io.LimitReader(f, min(n-u.size, keepPiece)))
		if err != nil {
			return err
		}
		if got == 0 {
			return ErrOffset // it has been cut meanwhile
		}
	}
	return nil
}

// keepPiece is how much is copied between two looks at a context.
const keepPiece = 64 << 20

func (u *dirUpload) Size() int64 { return u.size }

func (u *dirUpload) Write(p []byte) (int, error) {
	if u.done {
		return 0, fail("write", u.name, fs.ErrClosed)
	}
	if err := u.grow(int64(len(p))); err != nil {
		return 0, fail("write", u.name, err)
	}
	n, err := u.f.Write(p)
	if err != nil {
		u.shrink(int64(len(p) - n))
		u.err = reason(err)
		return n, fail("write", u.name, err)
	}
	return n, nil
}

// copyPiece is how much room is taken before the kernel copies.
const copyPiece = 1 << 20

func (u *dirUpload) ReadFrom(r io.Reader) (total int64, err error) {
	// The file splices from a connection below one limit, not below two: the
	// caller's and the piece's are made one.
	outer, limited := r.(*io.LimitedReader)
	if !limited {
		outer = &io.LimitedReader{R: r, N: math.MaxInt64}
	}
	for outer.N > 0 {
		if u.done {
			return total, fail("write", u.name, fs.ErrClosed)
		}
		room := int64(copyPiece)
		for room > 1 && !u.hasRoom(room) {
			room /= 2
		}
		if err := u.grow(room); err != nil {
			if n, readErr := outer.Read(make([]byte, 1)); n == 0 && readErr == io.EOF { // it fitted exactly
				u.err = nil
				return total, nil
			}
			return total, fail("write", u.name, err)
		}
		want := min(room, outer.N)
		n, err := u.f.ReadFrom(&io.LimitedReader{R: outer.R, N: want})
		u.shrink(room - n)
		outer.N -= n
		total += n
		switch {
		case err != nil && isOurs(err): // the disk's, not the reader's
			u.err = reason(err)
			return total, fail("write", u.name, err)
		case err != nil || n < want:
			return total, err
		}
	}
	return total, nil
}

// hasRoom tells whether grow would succeed.
func (u *dirUpload) hasRoom(n int64) bool {
	return (u.max == 0 || n <= u.max-u.size) && u.b.fits(n)
}

// isOurs tells an error of the file that is written from one of the reader.
func isOurs(err error) bool {
	p, ok := errors.AsType[*fs.PathError](err)
	return ok && (p.Op == "write" || p.Op == "copy_file_range" || p.Op == "splice")
}

func (u *dirUpload) Commit() error {
	if u.done {
		return fail("commit", u.name, fs.ErrClosed)
	}
	err := u.err
	if err == nil && !u.o.ModTime.IsZero() {
		err = u.t.root.Chtimes(u.temp, time.Time{}, u.o.ModTime)
	}
	if err == nil && u.t.o.Durable {
		err = u.f.Sync()
	}
	if err == nil {
		err = u.place()
	}
	if err != nil {
		return errors.Join(fail("commit", u.name, err), u.Abort())
	}
	u.done = true
	if err := u.f.Close(); err != nil {
		return fail("commit", u.name, err)
	}
	return u.t.sync("commit", u.name)
}

// place gives the file its name, if its conditions still hold.
func (u *dirUpload) place() error {
	t := u.t
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := t.admit(u.path, u.name, u.o); err != nil {
		return err
	}
	if err := u.setApart(); err != nil {
		return err
	}
	old, err := t.root.Lstat(u.path)
	if err != nil {
		old = nil
		if err := t.budget.enter(); err != nil {
			return err
		}
	}
	if err := t.root.Rename(u.temp, u.path); err != nil {
		if old == nil {
			t.budget.leave()
		}
		return err
	}
	if old != nil && old.Mode().IsRegular() {
		t.budget.give(old.Size())
	}
	return nil
}

// The clock of file times stands still for some milliseconds where the kernel
// is older than Linux 6.13, and grains are 100 ns on NTFS.
const (
	clockTick = 50 * time.Millisecond
	timeGrain = 100 * time.Nanosecond
)

// setApart gives the file a time that no upload before it had: inodes are used
// again, and then size and time are all that tells it from one that has gone.
func (u *dirUpload) setApart() error {
	if !u.o.ModTime.IsZero() {
		return nil
	}
	t := u.t
	info, err := u.f.Stat()
	if err != nil {
		return err
	}
	mtime := info.ModTime()
	if behind := t.latest.Sub(mtime); behind >= 0 && behind < clockTick {
		mtime = t.latest.Add(timeGrain)
		if err := t.root.Chtimes(u.temp, time.Time{}, mtime); err != nil {
			return err
		}
	}
	t.latest = mtime
	return nil
}

func (u *dirUpload) Abort() error {
	if u.done {
		return nil
	}
	u.done = true
	u.release()
	err := errors.Join(u.t.root.Remove(u.temp), u.f.Close())
	if err != nil {
		return fail("abort", u.name, err)
	}
	return nil
}
