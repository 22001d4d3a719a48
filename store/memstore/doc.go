// Package memstore is a store in memory, the heir of Python's dict where
// shelve would go to a file: for tests, and for servers that keep nothing when
// they end.
//
// It passes the same suite as the engines on disk. A View reads a snapshot,
// which costs nothing to take.
package memstore
