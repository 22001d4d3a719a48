//go:build !windows

package maildir

import "errors"

// sync makes the names in a directory safe.
func (d *Dir) sync(dir string) error {
	f, err := d.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
