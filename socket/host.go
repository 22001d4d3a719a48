package socket

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// ErrPortRange is a port number that no internet protocol has. Nothing has been
// asked of the system when it is returned.
var ErrPortRange = errors.New("port must be 0-65535")

// ErrHostRange is an integer host that is no IPv4 address.
var ErrHostRange = errors.New("host as an integer must be 0-4294967295")

// broadcastName is how Python's tutorials write INADDR_BROADCAST.
const broadcastName = "<broadcast>"

type pair struct {
	resolver *Resolver
	host     any // a HostForm
	port     any // a PortForm
}

// String is host and port as given, for messages.
func (p pair) String() string {
	host := fmt.Sprint(p.host)
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + fmt.Sprint(p.port)
}

// Resolve gives an InetAddr for each address of the host. The port comes first:
// a bad one is an error before anybody is asked about the host.
func (p pair) Resolve(ctx context.Context, family Family, typ Type) ([]Addr, error) {
	typ &= typeMask
	if family != AF_UNSPEC && family != AF_INET && family != AF_INET6 {
		return nil, fmt.Errorf("look up %v: %w", p, EAI_FAMILY)
	}
	port, err := p.resolver.port(p.port, typ)
	if err != nil {
		return nil, err
	}
	hosts, err := p.resolver.host(ctx, p.host, family, typ)
	if err != nil {
		return nil, err
	}
	out := make([]Addr, 0, len(hosts))
	seen := make(map[netip.Addr]bool, len(hosts))
	for _, h := range hosts {
		if !seen[h] {
			seen[h] = true
			out = append(out, InetAddr{AddrPort: netip.AddrPortFrom(h, port)})
		}
	}
	return out, nil
}

// typeMask leaves out the flags that Linux lets a caller add to a type,
// SOCK_NONBLOCK and SOCK_CLOEXEC.
const typeMask = 0xf

// port turns a PortForm into a number. A service's name is looked up for the
// type's usual protocol, or for any if typ is 0.
func (r *Resolver) port(form any, typ Type) (uint16, error) {
	switch v := form.(type) {
	case int:
		return portNumber(v)
	case string:
		if v == "" {
			return 0, nil
		}
		if n, ok, err := parsePort(v); ok {
			return n, err
		}
		return r.servicePort(v, typ)
	}
	return 0, fmt.Errorf("a port cannot be a %T", form)
}

func portNumber(n int) (uint16, error) {
	if n < 0 || n > 65535 {
		return 0, fmt.Errorf("port %d: %w", n, ErrPortRange)
	}
	return uint16(n), nil
}

// parsePort reads a port in decimal digits. ok tells that s is a number, if
// with a sign; one that is out of range is then the error.
func parsePort(s string) (port uint16, ok bool, err error) {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false, nil
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || digits != s {
		return 0, true, fmt.Errorf("port %s: %w", s, ErrPortRange)
	}
	return uint16(n), true, nil
}

// servicePort looks a service up for the protocol of a type.
func (r *Resolver) servicePort(name string, typ Type) (uint16, error) {
	for _, c := range conventions {
		if c.service == "" || (typ != 0 && c.typ != typ) {
			continue
		}
		if port, err := r.GetServByName(name, c.service); err == nil {
			return uint16(port), nil
		}
	}
	return 0, fmt.Errorf("service %q: %w", name, EAI_SERVICE)
}

// host turns a HostForm into addresses of the family.
func (r *Resolver) host(ctx context.Context, form any, family Family, typ Type) ([]netip.Addr, error) {
	switch v := form.(type) {
	case string:
		return r.hostString(ctx, v, family, typ)
	case uint32:
		return ofFamily(ip4FromUint32(v), family)
	case int:
		if v < 0 || int64(v) > 0xffffffff {
			return nil, fmt.Errorf("host %d: %w", v, ErrHostRange)
		}
		return ofFamily(ip4FromUint32(uint32(v)), family)
	case netip.Addr:
		if !v.IsValid() {
			return nil, fmt.Errorf("look up the zero netip.Addr: %w", EAI_NONAME)
		}
		return ofFamily(v, family)
	}
	return nil, fmt.Errorf("a host cannot be a %T", form)
}

func (r *Resolver) hostString(ctx context.Context, host string, family Family, typ Type) ([]netip.Addr, error) {
	switch host {
	case "":
		var out []netip.Addr
		if family != AF_INET6 {
			out = append(out, netip.IPv4Unspecified())
		}
		if family != AF_INET {
			out = append(out, netip.IPv6Unspecified())
		}
		return out, nil
	case broadcastName:
		return ofFamily(netip.AddrFrom4([4]byte{255, 255, 255, 255}), family)
	}
	if !hasConvention(typ) {
		typ = 0
	}
	infos, err := r.GetAddrInfo(ctx, host, "", Hints{Family: family, Type: typ})
	if err != nil {
		return nil, err
	}
	out := make([]netip.Addr, 0, len(infos))
	for _, i := range infos {
		out = append(out, i.Addr.Addr())
	}
	return out, nil
}

// ofFamily gives the address if a socket of the family can have it: a mapped
// one serves both.
func ofFamily(a netip.Addr, family Family) ([]netip.Addr, error) {
	switch {
	case family == AF_UNSPEC, family == AF_INET && a.Is4(), family == AF_INET6 && a.Is6():
		return []netip.Addr{a}, nil
	case family == AF_INET && a.Is4In6():
		return []netip.Addr{a.Unmap()}, nil
	}
	return nil, fmt.Errorf("look up %v as %v: %w", a, family, EAI_ADDRFAMILY)
}

// parseLiteral reads a host that needs no look-up: IPv4 in any form of
// inet_aton, IPv6 with or without a zone. ok is false for a name. A zone that
// cannot be is an error beside the address without it: only a link-local
// address takes an interface's name (RFC 4007 section 11).
func parseLiteral(host string) (addr netip.Addr, ok bool, err error) {
	if a, good := parseAton(host); good {
		return a, true, nil
	}
	text, zone, scoped := strings.Cut(host, "%")
	a, parseErr := netip.ParseAddr(text)
	if parseErr != nil || !a.Is6() {
		return netip.Addr{}, false, nil
	}
	if !scoped {
		return a, true, nil
	}
	_, notNumber := strconv.ParseUint(zone, 10, 32)
	local := a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast()
	id, known := scopeID(zone)
	if zone == "" || !known || notNumber != nil && !local {
		return a, true, EAI_NONAME
	}
	if !local { // only a link-local address has an interface's name
		return a.WithZone(strconv.FormatUint(uint64(id), 10)), true, nil
	}
	return a.WithZone(zoneOf(id)), true, nil
}
