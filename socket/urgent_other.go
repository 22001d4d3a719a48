//go:build !unix

package socket

import "errors"

// UrgentAhead tells whether urgent data lies in a TCP connection that nobody has
// read. Here it is errors.ErrUnsupported.
func UrgentAhead(uintptr) (bool, error) { return false, errors.ErrUnsupported }
