//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package socket

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

const scmRights = unix.SCM_RIGHTS

// CMSG_LEN is the length of a control message with this many bytes of data, its
// header included, cmsg(3).
func CMSG_LEN(length int) int { return unix.CmsgLen(length) }

// CMSG_SPACE is the room that a control message with this many bytes of data
// takes, padding included, cmsg(3).
func CMSG_SPACE(length int) int { return unix.CmsgSpace(length) }

// appendControl packs control messages as sendmsg wants them.
func appendControl(b []byte, all []Control) ([]byte, error) {
	for _, c := range all {
		at := len(b)
		b = append(b, make([]byte, unix.CmsgSpace(len(c.Data)))...)
		head := (*unix.Cmsghdr)(unsafe.Pointer(&b[at]))
		head.Level, head.Type = int32(c.Level), int32(c.Type)
		head.SetLen(unix.CmsgLen(len(c.Data)))
		copy(b[at+unix.CmsgLen(0):], c.Data)
	}
	return b, nil
}

// parseControl takes apart what recvmsg wrote; the data is copied. The kernel may
// have cut the last message (MSG_CTRUNC): what there is of it is kept.
func parseControl(b []byte) ([]Control, error) {
	var all []Control
	for len(b) >= unix.CmsgLen(0) {
		head := unix.Cmsghdr{}
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&head)), unix.SizeofCmsghdr), b)
		length := int(head.Len)
		if length < unix.CmsgLen(0) {
			return all, unix.EINVAL
		}
		data := b[unix.CmsgLen(0):min(length, len(b))]
		all = append(all, Control{Level: int(head.Level), Type: int(head.Type), Data: append([]byte(nil), data...)})
		b = b[min(unix.CmsgSpace(length-unix.CmsgLen(0)), len(b)):]
	}
	return all, nil
}

// SetInheritable lets the socket survive an exec, or not (as it begins),
// Python's set_inheritable. os/exec passes files on by ExtraFiles, not by this.
func (s *Sock) SetInheritable(on bool) error {
	return s.fail("fcntl", nil, s.control(func(fd int) error {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err != nil {
			return err
		}
		flags |= unix.FD_CLOEXEC
		if on {
			flags &^= unix.FD_CLOEXEC
		}
		_, err = unix.FcntlInt(uintptr(fd), unix.F_SETFD, flags)
		return err
	}))
}

// Inheritable tells whether the socket survives an exec.
func (s *Sock) Inheritable() (bool, error) {
	flags := 0
	err := s.control(func(fd int) (err error) { flags, err = unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); return err })
	return flags&unix.FD_CLOEXEC == 0, s.fail("fcntl", nil, err)
}
