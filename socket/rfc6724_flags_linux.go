package socket

import (
	"encoding/hex"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// markSources adds what the kernel tells of IPv6 addresses' state.
func markSources(known map[netip.Addr]Source) {
	text, err := os.ReadFile("/proc/net/if_inet6")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(text)) {
		markSource(known, line)
	}
}

// markSource reads a line of /proc/net/if_inet6: address, index, prefix length,
// scope and flags, all in hexadecimal, then the interface.
func markSource(known map[netip.Addr]Source, line string) {
	const homeAddress, deprecated = 0x10, 0x20 // IFA_F_ of linux/if_addr.h
	fields := strings.Fields(line)
	if len(fields) < 5 {
		return
	}
	raw, err := hex.DecodeString(fields[0])
	if err != nil || len(raw) != 16 {
		return
	}
	flags, err := strconv.ParseUint(fields[4], 16, 32)
	if err != nil {
		return
	}
	addr := netip.AddrFrom16([16]byte(raw))
	src, ok := known[addr]
	if !ok {
		return
	}
	src.Deprecated = flags&deprecated != 0
	src.Home = flags&homeAddress != 0
	known[addr] = src
}
