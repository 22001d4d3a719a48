//go:build !(linux || darwin || freebsd)

package socket

import "errors"

// PeerCred is not to be had on this system: errors.ErrUnsupported.
func (s *Sock) PeerCred() (Cred, error) {
	return Cred{}, s.fail("peercred", nil, errors.ErrUnsupported)
}
