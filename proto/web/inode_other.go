//go:build !unix

package web

import "io/fs"

// inodeOf finds none without opening the file: its time and size must do,
// where it is one of a disk.
func inodeOf(info fs.FileInfo) (uint64, bool) { return 0, info.Sys() != nil }
