//go:build !windows

package maildir

// mark stands between a file's key and its flags.
const mark = ":"
