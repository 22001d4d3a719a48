//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package filetree

import (
	"errors"
	"os"
)

// lock finds no locks here.
func lock(*os.File) (bool, error) { return false, errors.ErrUnsupported }
