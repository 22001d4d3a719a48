//go:build !linux

package socket

import "net/netip"

// markSources has nothing to add: how these systems tell an address's state is
// not open to a program without cgo.
func markSources(map[netip.Addr]Source) {}
