package socket

// Cred is a process as the kernel knows it, struct ucred: what PeerCred tells of
// the peer. Systems that do not tell the process leave PID 0.
type Cred struct {
	PID, UID, GID int
}
