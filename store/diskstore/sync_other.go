//go:build !linux

package diskstore

import "os"

func fdatasync(f *os.File) error { return f.Sync() }
