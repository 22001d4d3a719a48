//go:build unix

package diskstore

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// syncDir makes the names in a directory durable.
func (e *Engine) syncDir(dir string) error {
	if err := e.fault(opSync, dir); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	e.counted.syncs.Add(1)
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// isFull tells that there is no room, or not for us.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}
