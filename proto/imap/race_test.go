//go:build race

package imap_test

// slow tells that the race detector runs, and everything takes ten times as long.
const slow = true
