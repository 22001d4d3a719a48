//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import "golang.org/x/sys/unix"

// pollHangUp is what poll(2) is asked for to learn that the peer sends no more;
// it reports POLLHUP unasked.
const pollHangUp = unix.POLLHUP

// errorQueue is the flag with which receiving nothing is not the end; only Linux
// has one.
const errorQueue Flag = 0
