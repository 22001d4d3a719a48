//go:build !unix

package cli

import "os"

// windowChanges never tells of any here.
func windowChanges() (changed <-chan os.Signal, stop func()) { return nil, func() {} }
