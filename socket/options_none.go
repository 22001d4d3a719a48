//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd || windows)

package socket

func (h *handle) optInt(int, int) (int, error)           { return 0, errPortable }
func (h *handle) setOptInt(int, int, int) error          { return errPortable }
func (h *handle) optBytes(int, int, int) ([]byte, error) { return nil, errPortable }
func (h *handle) setOptBytes(int, int, []byte) error     { return errPortable }
