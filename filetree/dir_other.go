//go:build !unix

package filetree

import "os"

// openNonblock is of no use here.
const openNonblock = 0

// syncDir has nothing to do: directories are not synced here.
func syncDir(*os.File) error { return nil }
