package socket

import (
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// HostEntry is what is known of a host, C's struct hostent.
type HostEntry struct {
	Name    string   // the canonical name
	Aliases []string // its other names
	Addrs   []netip.Addr
}

// hostsLine is one line of hosts(5): an address and its names, the first of
// which is the canonical one.
type hostsLine struct {
	addr  netip.Addr
	names []string
}

// hosts reads the hosts file. Where there is none, localhost is known all the
// same (RFC 6761 section 6.3).
func (r *Resolver) hosts() []hostsLine {
	f, err := os.Open(r.file("hosts"))
	if err != nil {
		return []hostsLine{
			{netip.AddrFrom4([4]byte{127, 0, 0, 1}), []string{"localhost"}},
			{netip.IPv6Loopback(), []string{"localhost"}},
		}
	}
	defer f.Close()
	return parseHosts(f)
}

// parseHosts reads hosts(5). Addresses have their one standard form, without
// zones; a line that has not, or has no name, is passed over.
func parseHosts(in io.Reader) []hostsLine {
	var out []hostsLine
	for fields := range tableLines(in) {
		addr, err := netip.ParseAddr(fields[0])
		if err != nil || addr.Zone() != "" || len(fields) < 2 {
			continue
		}
		out = append(out, hostsLine{addr, fields[1:]})
	}
	return out
}

func (l hostsLine) has(name string) bool {
	return slices.ContainsFunc(l.names, func(n string) bool { return strings.EqualFold(n, name) })
}

// addrAs gives the line's address as one of the family. The C library lets an
// IPv4 look-up find mapped addresses and ::1 too, as IPv4's.
func (l hostsLine) addrAs(family Family) (netip.Addr, bool) {
	switch {
	case family == AF_UNSPEC, family == AF_INET && l.addr.Is4(), family == AF_INET6 && l.addr.Is6():
		return l.addr, true
	case family == AF_INET && l.addr.Is4In6():
		return l.addr.Unmap(), true
	case family == AF_INET && l.addr.IsLoopback():
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), true
	}
	return netip.Addr{}, false
}

// hostsByName joins all lines that have the name and an address of the family
// ("multi on" in host.conf(5)), in the order of the file.
func hostsByName(lines []hostsLine, name string, family Family) (HostEntry, bool) {
	var e HostEntry
	for _, l := range lines {
		if !l.has(name) {
			continue
		}
		addr, ok := l.addrAs(family)
		if !ok {
			continue
		}
		e.Addrs = append(e.Addrs, addr)
		if len(e.Addrs) == 1 {
			e.Name = l.names[0]
			e.Aliases = append(e.Aliases, l.names[1:]...)
			continue
		}
		e.Aliases = append(e.Aliases, l.names[1:]...)
		if l.names[0] != e.Name {
			e.Aliases = append(e.Aliases, l.names[0])
		}
	}
	return e, len(e.Addrs) > 0
}

// hostsByAddr gives the names on the first line that has the address.
func hostsByAddr(lines []hostsLine, addr netip.Addr) []string {
	addr = addr.WithZone("")
	family := AF_INET6
	if addr.Is4() {
		family = AF_INET
	}
	for _, l := range lines {
		if a, ok := l.addrAs(family); ok && a == addr {
			return l.names
		}
	}
	return nil
}
