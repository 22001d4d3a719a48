package load

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// wholeLoopback tells that every address in 127.0.0.0/8 is ours.
const wholeLoopback = true

// localPorts is how many source ports the system chooses from, ip(7).
func localPorts() int {
	var low, high int
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return ephemeralPorts
	}
	if _, err := fmt.Sscan(string(b), &low, &high); err != nil || high <= low {
		return ephemeralPorts
	}
	return high - low + 1
}

// latePort has bind choose no port: connect then finds one that is free to
// this peer (IP_BIND_ADDRESS_NO_PORT, ip(7)).
func latePort(_, _ string, c syscall.RawConn) error {
	var serr error
	err := c.Control(func(fd uintptr) {
		serr = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	})
	if err != nil {
		return err
	}
	return serr
}
