//go:build !unix

package transfer

import (
	"cmp"
	"os"
)

// createFile makes a file where there is none, with its whole content.
func createFile(name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = cmp.Or(err, f.Close()); err != nil {
		_ = os.Remove(name) // it is ours, and not whole
	}
	return err
}

func renameFile(from, to string) error { return os.Rename(from, to) }
