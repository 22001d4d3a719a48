//go:build !race

package imap_test

const slow = false
