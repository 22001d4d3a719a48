//go:build dragonfly || netbsd || openbsd

package socket

import "unsafe"

// systemOptions: what these systems add can be had by number.
func systemOptions() []AnyOption { return nil }

// groupOffset is where the first address of struct group_req lies: aligned for a
// long.
const groupOffset = int(unsafe.Sizeof(uintptr(0)))
