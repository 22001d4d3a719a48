package socket

import (
	"encoding/binary"
	"syscall"
)

func (h *handle) optBytes(level, option, size int) ([]byte, error) {
	if size <= 0 {
		return nil, syscall.EINVAL
	}
	buf, n := make([]byte, size), int32(size)
	err := h.control(func(fd syscall.Handle) error {
		return syscall.Getsockopt(fd, int32(level), int32(option), &buf[0], &n)
	})
	if err != nil {
		return nil, err
	}
	return buf[:min(int(n), size)], nil
}

func (h *handle) setOptBytes(level, option int, value []byte) error {
	if len(value) == 0 {
		return syscall.EINVAL
	}
	return h.control(func(fd syscall.Handle) error {
		return syscall.Setsockopt(fd, int32(level), int32(option), &value[0], int32(len(value)))
	})
}

func (h *handle) optInt(level, option int) (int, error) {
	b, err := h.optBytes(level, option, 4)
	if err != nil {
		return 0, err
	}
	word := make([]byte, 4) // a flag may come as one byte
	copy(word, b)
	return int(int32(binary.LittleEndian.Uint32(word))), nil
}

func (h *handle) setOptInt(level, option, value int) error {
	return h.setOptBytes(level, option, binary.LittleEndian.AppendUint32(nil, uint32(value)))
}

// control runs a call on the open socket, if there is one.
func (h *handle) control(do func(fd syscall.Handle) error) error {
	rc, err := h.raw()
	if err != nil {
		return err
	}
	var failed error
	if err := rc.Control(func(fd uintptr) { failed = do(syscall.Handle(fd)) }); err != nil {
		return err
	}
	return failed
}
