package socket

// PeerCred tells which process connected or listened at the other end of a Unix
// stream or socket pair, SO_PEERCRED of unix(7): as it was then.
func (s *Sock) PeerCred() (Cred, error) { return SO_PEERCRED.Get(s) }
