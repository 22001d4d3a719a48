//go:build !unix

package filetree_test

// locks tells whether this system has flock.
const locks = false
