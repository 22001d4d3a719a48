package filetree

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// Uploads to a directory have such names until they are committed: hidden,
// and closed to everybody.
const (
	tempPrefix = ".filetree-"
	tempSuffix = ".part"
)

// The limits of names, those of Linux; a directory's own may be narrower.
const (
	maxElement = 255
	maxName    = 4095
)

func isTemp(element string) bool {
	return strings.HasPrefix(element, tempPrefix) && strings.HasSuffix(element, tempSuffix)
}

// checkName refuses what no tree can have. Names of uploads do not exist, and
// nobody else may make them.
func checkName(op, name string) error {
	if !fs.ValidPath(name) || strings.IndexByte(name, 0) >= 0 {
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	if len(name) > maxName {
		return &fs.PathError{Op: op, Path: name, Err: syscall.ENAMETOOLONG}
	}
	for element := range strings.SplitSeq(name, "/") {
		switch {
		case len(element) > maxElement:
			return &fs.PathError{Op: op, Path: name, Err: syscall.ENAMETOOLONG}
		case isTemp(element):
			return &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
	}
	return nil
}

// checkChange is checkName for what is to be made, moved or removed: the top
// stays.
func checkChange(op, name string, readOnly bool) error {
	if err := checkName(op, name); err != nil {
		return err
	}
	if readOnly || name == "." {
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrPermission}
	}
	return nil
}

// outside is a link that leads out of the tree, or what is neither file nor
// directory: as far as the tree goes it does not exist.
type outside string

func (e outside) Error() string        { return string(e) }
func (outside) Is(target error) bool   { return target == fs.ErrNotExist }
func dir(name string) string           { return path.Dir(name) }
func join(dir, element string) string  { return path.Join(dir, element) }
func fail(op, n string, e error) error { return &fs.PathError{Op: op, Path: n, Err: reason(e)} }

// reason is what the system said, without the paths in which it says it.
func reason(err error) error {
	inner, own := err, true
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		inner, own = p.Err, false
	} else if l, ok := errors.AsType[*os.LinkError](err); ok {
		inner, own = l.Err, false
	}
	if errors.Is(inner, syscall.ENOTDIR) {
		return outside("a file is no directory")
	}
	if errno, ok := errors.AsType[syscall.Errno](inner); ok {
		return errno
	}
	for _, known := range []error{
		fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, fs.ErrClosed,
		ErrQuota, ErrTooLarge, ErrChanged, ErrOffset, ErrNotEmpty, errIsDir,
	} {
		if errors.Is(inner, known) {
			return inner
		}
	}
	if !own { // os.Root's own refusal, which has no name
		return outside("leads out of the tree")
	}
	return err
}
