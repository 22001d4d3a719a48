package socket

import "golang.org/x/sys/unix"

// pollHangUp is what poll(2) is asked for to learn that the peer sends no more.
const pollHangUp = unix.POLLRDHUP

// errorQueue is the flag with which receiving nothing is not the end.
const errorQueue = MSG_ERRQUEUE
