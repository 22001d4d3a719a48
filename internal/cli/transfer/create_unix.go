//go:build unix

package transfer

import (
	"io"
	"io/fs"

	"golang.org/x/sys/unix"
)

// createFile makes a file where there is none, with its whole content. It is
// os.WriteFile with O_EXCL, without os.File's try to poll a regular file.
func createFile(name string, content []byte) error {
	fd, err := again(func() (int, error) {
		return unix.Open(name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o666)
	})
	if err != nil {
		return &fs.PathError{Op: "open", Path: name, Err: err}
	}
	for len(content) > 0 {
		n, err := again(func() (int, error) { return unix.Write(fd, content) })
		if err == nil && n == 0 {
			err = io.ErrShortWrite
		}
		if err != nil {
			_ = unix.Close(fd)
			_ = unix.Unlink(name) // it is ours, and not whole
			return &fs.PathError{Op: "write", Path: name, Err: err}
		}
		content = content[n:]
	}
	if err := unix.Close(fd); err != nil && err != unix.EINTR {
		_ = unix.Unlink(name)
		return &fs.PathError{Op: "close", Path: name, Err: err}
	}
	return nil
}

// renameFile is os.Rename without its look at what is there.
func renameFile(from, to string) error {
	_, err := again(func() (int, error) { return 0, unix.Rename(from, to) })
	return err
}

// again repeats a call that a signal has ended.
func again(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}
