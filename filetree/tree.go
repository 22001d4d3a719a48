package filetree

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"
)

// A Tree is a tree of files. Its methods may be called by several goroutines.
// Errors are *fs.PathError with the name as it was given; errors.Is finds
// fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, the errors of
// this package, and what the system said (syscall.ENOSPC for a full disk).
type Tree interface {
	// Open opens a file or directory for reading; the caller closes it. Files
	// are an io.Seeker and io.ReaderAt where the tree can, and a *os.File
	// where it is one, so that a server may hand it to the kernel (sendfile).
	// What was opened stays what it was, whatever is committed under its name.
	fs.FS
	// Stat follows links.
	fs.StatFS
	// ReadDir is sorted by name. Entries are what their links lead to.
	fs.ReadDirFS

	// Create begins a file that takes its place under name at Commit. Its
	// directory must exist. Before Commit nothing of it is seen. ctx bounds
	// Create itself, which copies what an Offset keeps.
	Create(ctx context.Context, name string, o CreateOptions) (Upload, error)
	// Mkdir makes a directory, fs.ErrExist where something has that name.
	Mkdir(name string) error
	// Remove takes a file or an empty directory away; ErrNotEmpty.
	Remove(name string) error
	// RemoveIf is Remove of what is still as Stat gave it; otherwise
	// ErrChanged, also where there is nothing by now.
	RemoveIf(name string, as fs.FileInfo) error
	// Rename moves a file or directory. A file in the way is replaced, a
	// directory is fs.ErrExist.
	Rename(from, to string) error
	// Chtimes sets the time of the last change.
	Chtimes(name string, mtime time.Time) error
	// Space tells how many bytes lie in the tree and how many may (0: no
	// limit). used is -1 where nobody counts.
	Space() (used, limit int64)
}

// Ready is a Tree that can tell what needs no waiting, for servers that have
// others to attend to.
type Ready interface {
	// ReadReady reads a regular file whole into buf, and tells how long it is.
	// It never waits for a disk. Where it would have to, where the file is
	// longer than buf, or is none, it fails: Open does it, or tells why not.
	ReadReady(name string, buf []byte) (int, error)
}

// An Upload is a file that is being written. It is used by one goroutine at a
// time, and must be ended by Commit or Abort.
type Upload interface {
	// Write takes all of p, or fails: ErrQuota, ErrTooLarge, or what the disk
	// says. After a failure Commit fails too.
	io.Writer
	// ReadFrom copies without passing user space where the system can.
	io.ReaderFrom
	// Size is how many bytes the file has now, those before Offset included.
	Size() int64
	// Commit puts the file in its place, whole; with Options.Durable it is
	// on the disk when Commit returns. When it fails, nothing has changed and
	// the upload is over.
	Commit() error
	// Abort forgets the upload. After Commit or Abort it does nothing.
	Abort() error
}

// CreateOptions says how a file is written. The zero value writes a new file
// or replaces an old one.
type CreateOptions struct {
	Offset   int64       // keep that many bytes of the old file and go on there; ErrOffset where it has fewer
	Append   bool        // keep all of the old file, if there is one; Offset is ignored
	IfAbsent bool        // fs.ErrExist where the name is taken, also at Commit
	IfMatch  fs.FileInfo // ErrChanged unless the file is still as Stat gave it, also at Commit
	Size     int64       // how large it will be, if known: what cannot fit is refused at once
	Mode     fs.FileMode // permissions; 0: those of the old file, or Options.FileMode
	ModTime  time.Time   // time of the last change; zero: now
}

// Options of a tree. The zero value is writable.
type Options struct {
	ReadOnly bool        // every change is fs.ErrPermission
	Quota    int64       // bytes of all files; 0: none, in memory 256 MiB; below 0: none
	Entries  int         // number of files and directories; 0: none, in memory 100,000; below 0: none
	MaxFile  int64       // bytes of one file; 0: none
	Durable  bool        // Commit, Mkdir, Remove and Rename return when it is on the disk (fsync)
	FileMode fs.FileMode // of new files, before the umask; 0: 0o644
	DirMode  fs.FileMode // of new directories, before the umask; 0: 0o755
}

// Errors of this package.
var (
	ErrQuota    = errors.New("quota exceeded")
	ErrTooLarge = errors.New("file too large")
	ErrChanged  = errors.New("file has changed meanwhile")
	ErrOffset   = errors.New("offset beyond the end of the file")
	ErrNotEmpty = errors.New("directory not empty")
)

func (o Options) filled() Options {
	if o.FileMode == 0 {
		o.FileMode = 0o644
	}
	if o.DirMode == 0 {
		o.DirMode = 0o755
	}
	return o
}

// MkdirAll makes a directory and those above it that are missing.
func MkdirAll(t Tree, name string) error {
	err := t.Mkdir(name)
	switch {
	case errors.Is(err, fs.ErrExist):
		if info, statErr := t.Stat(name); statErr == nil && info.IsDir() {
			return nil
		}
		return err
	case !errors.Is(err, fs.ErrNotExist) || dir(name) == ".":
		return err
	}
	if err := MkdirAll(t, dir(name)); err != nil {
		return err
	}
	if err := t.Mkdir(name); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// RemoveAll takes away what has that name and all below it, as far as it can;
// it is no error when there is nothing.
func RemoveAll(t Tree, name string) error {
	err := t.Remove(name)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if !errors.Is(err, ErrNotEmpty) {
		return err
	}
	entries, err := t.ReadDir(name)
	for _, e := range entries {
		err = errors.Join(err, RemoveAll(t, join(name, e.Name())))
	}
	if err != nil {
		return err
	}
	return t.Remove(name)
}

// Copy writes every file and directory of from into t, with its permissions
// and times, replacing what is there. It ends with the first error, or ctx.
func Copy(ctx context.Context, t Tree, from fs.FS) error {
	return fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || name == "." {
			return err
		}
		if d.IsDir() {
			return MkdirAll(t, name)
		}
		return copyFile(ctx, t, from, name)
	})
}

func copyFile(ctx context.Context, t Tree, from fs.FS, name string) error {
	f, err := from.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	u, err := t.Create(ctx, name, CreateOptions{Size: info.Size(), ModTime: info.ModTime()})
	if err != nil {
		return err
	}
	defer u.Abort() //nolint:errcheck // does nothing after Commit; before it the copy's error leads
	if _, err := io.Copy(u, f); err != nil {
		return err
	}
	return u.Commit()
}
