package socket

import (
	"net"
	"net/netip"
)

// discardPort is where the probes for a source address are connected to. They
// send nothing; only the route counts.
const discardPort = 9

// sources gives the function that finds a destination's source.
func (r *Resolver) sources() func(netip.Addr) (Source, bool) {
	if r != nil && r.Source != nil {
		return r.Source
	}
	known := interfaceAddrs()
	return func(dst netip.Addr) (Source, bool) {
		conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(dst, discardPort)))
		if err != nil {
			return Source{}, false
		}
		defer conn.Close()
		addr := conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().WithZone("").Unmap()
		src := known[addr]
		src.Addr = addr
		if dst.Is4In6() { // Go connects to these as IPv4
			src.Addr = mapped(addr)
		}
		return src, true
	}
}

// interfaceAddrs lists this host's addresses with what the rules need of them.
func interfaceAddrs() map[netip.Addr]Source {
	out := map[netip.Addr]Source{}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return out // prefixes are then not known, the sources themselves still are
	}
	for _, a := range all {
		prefix, err := netip.ParsePrefix(a.String())
		if err == nil {
			out[prefix.Addr()] = Source{Addr: prefix.Addr(), PrefixLen: prefix.Bits()}
		}
	}
	markSources(out)
	return out
}

// configuredFamily narrows a family as AI_ADDRCONFIG asks: to what this host has
// an address of, not counting 127.0.0.1 and ::1.
func configuredFamily(family Family) (Family, error) {
	var has4, has6 bool
	for a := range interfaceAddrs() {
		has4 = has4 || a.Is4() && a != netip.AddrFrom4([4]byte{127, 0, 0, 1})
		has6 = has6 || a.Is6() && a != netip.IPv6Loopback()
	}
	switch {
	case family == AF_INET && !has4, family == AF_INET6 && !has6:
		return family, EAI_NONAME
	case family == AF_UNSPEC && has4 != has6:
		if has4 {
			return AF_INET, nil
		}
		return AF_INET6, nil
	}
	return family, nil
}
