// Package storetest is the suite that every [store.Engine] passes, after the
// manner of Go's testing/fstest.
//
// [Run] is for all engines; [RunDisk] is for those that keep what they were
// given when the process ends, and wants to be told of each thing that they do
// to the disk, so that it can let it fail.
package storetest
