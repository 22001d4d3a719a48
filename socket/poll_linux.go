package socket

import "golang.org/x/sys/unix"

// pollHangUp is what poll(2) is asked for to learn that the peer sends no more.
const pollHangUp = unix.POLLRDHUP

// reuseAddr: SO_REUSEADDR means what POSIX says here. On Windows it would let two
// servers take the same port.
const reuseAddr = true
