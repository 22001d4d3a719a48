package ftp

import "syscall"

// NarrowPorts has connections that come to h's open ports take as little at
// once as the system lets them.
func NarrowPorts(h *Handler) error {
	h.ports.mu.Lock()
	defer h.ports.mu.Unlock()
	for _, shared := range h.ports.ports {
		if err := syscall.SetsockoptInt(shared.l.fd, syscall.SOL_SOCKET, syscall.SO_SNDBUF, 1); err != nil {
			return err
		}
	}
	return nil
}
