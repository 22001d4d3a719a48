package diskstore

import (
	"errors"

	"golang.org/x/sys/windows"
)

// syncDir has nothing to do: names are durable with the file, and a directory
// cannot be synced.
func (e *Engine) syncDir(string) error { return nil }

// isFull tells that there is no room.
func isFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}
