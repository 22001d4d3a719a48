package socket

import "golang.org/x/sys/unix"

// PeerCred tells which process is at the other end of a Unix stream, as it was
// when the connection was made: LOCAL_PEERCRED and LOCAL_PEERPID of unix(4).
func (s *Sock) PeerCred() (Cred, error) {
	var c Cred
	err := s.control(func(fd int) error {
		x, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
		if err != nil {
			return err
		}
		c.UID, c.GID = int(x.Uid), int(x.Groups[0])
		c.PID, err = unix.GetsockoptInt(fd, unix.SOL_LOCAL, unix.LOCAL_PEERPID)
		return err
	})
	return c, s.fail("getsockopt LOCAL_PEERCRED", nil, err)
}
