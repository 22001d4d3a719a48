package socket

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
)

// AIFlags ask GetAddrInfo for more, or for less. The numbers are Linux's on
// every system. AI_IDN is absent: a name in another script is given in its
// xn-- form.
type AIFlags int

const (
	AI_PASSIVE     AIFlags = 0x0001 // no host: every interface, instead of loopback
	AI_CANONNAME   AIFlags = 0x0002 // the first entry tells the canonical name
	AI_NUMERICHOST AIFlags = 0x0004 // the host is an address; look nothing up
	AI_V4MAPPED    AIFlags = 0x0008 // AF_INET6: IPv4 addresses, mapped, if there are no others
	AI_ALL         AIFlags = 0x0010 // with AI_V4MAPPED: those as well as the others
	AI_ADDRCONFIG  AIFlags = 0x0020 // only families of which this host has an address
	AI_NUMERICSERV AIFlags = 0x0400 // the service is a number; look nothing up

	aiKnown = AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_V4MAPPED | AI_ALL | AI_ADDRCONFIG | AI_NUMERICSERV
)

// Hints narrow GetAddrInfo's answer. The zero value asks for every family, type
// and protocol, without flags.
type Hints struct {
	Family Family
	Type   Type
	Proto  Proto
	Flags  AIFlags
}

// AddrInfo is one entry of GetAddrInfo's answer: the arguments of a socket, and
// what to bind or connect it to.
type AddrInfo struct {
	Family    Family
	Type      Type
	Proto     Proto
	CanonName string // only with AI_CANONNAME, only in the first entry
	Addr      InetAddr
}

// convention is a kind of socket that hosts and services go with.
type convention struct {
	typ     Type
	proto   Proto
	service string // the protocol's name in services(5); empty: takes no service
	usual   bool   // listed when nothing is asked for
}

// sockDCCP is Linux's SOCK_DCCP, which other systems lack.
const sockDCCP Type = 6

// conventions in the order in which the C library lists them.
var conventions = [...]convention{
	{SOCK_STREAM, IPPROTO_TCP, "tcp", true},
	{SOCK_DGRAM, IPPROTO_UDP, "udp", true},
	{sockDCCP, IPPROTO_DCCP, "dccp", false},
	{SOCK_DGRAM, IPPROTO_UDPLITE, "udplite", false},
	{SOCK_STREAM, IPPROTO_SCTP, "sctp", false},
	{SOCK_SEQPACKET, IPPROTO_SCTP, "sctp", false},
	{SOCK_RAW, 0, "", true},
}

// fits tells whether a socket with these hints could be of this kind. A raw
// socket takes any protocol.
func (c convention) fits(h Hints) bool {
	raw := c.typ == SOCK_RAW
	return (h.Type == 0 || h.Type == c.typ) && (h.Proto == 0 || raw || h.Proto == c.proto)
}

func hasConvention(typ Type) bool {
	for _, c := range conventions {
		if c.typ == typ {
			return true
		}
	}
	return false
}

// GetAddrInfo turns a host and a service into a list of addresses, the best
// first: getaddrinfo(3), RFC 3493 section 6.1, ordered by RFC 6724. It is the
// zero Resolver's; see Resolver for where it looks.
//
// The host is a name or an address (see HostForm, but neither "<broadcast>" nor
// an integer in another form than text), the service a name or a number. One of
// them may be empty, Python's None: no host is loopback, or with AI_PASSIVE
// every interface; no service is port 0. A service's name gives one entry for
// each protocol that has it; a number gives stream, datagram and raw.
//
// Errors are EAI, ErrPortRange, or the context's. Concurrent calls are allowed.
func GetAddrInfo(ctx context.Context, host, service string, hints Hints) ([]AddrInfo, error) {
	return (*Resolver)(nil).GetAddrInfo(ctx, host, service, hints)
}

// GetAddrInfo is the function of that name with this resolver's sources.
func (r *Resolver) GetAddrInfo(ctx context.Context, host, service string, hints Hints) ([]AddrInfo, error) {
	hints.Type &= typeMask
	if host == "*" { // the C library's other way to say none
		host = ""
	}
	if service == "*" {
		service = ""
	}
	fail := func(err error) ([]AddrInfo, error) {
		return nil, fmt.Errorf("look up %s: %w", lookedUp(host, service), err)
	}
	switch {
	case host == "" && service == "":
		return fail(EAI_NONAME)
	case hints.Flags&^aiKnown != 0, hints.Flags&AI_CANONNAME != 0 && host == "":
		return fail(EAI_BADFLAGS)
	}
	if hints.Flags&AI_ADDRCONFIG != 0 {
		family, err := configuredFamily(hints.Family)
		if err != nil {
			return fail(err)
		}
		hints.Family = family
	}
	if _, number, _ := parsePort(service); !number && service != "" && hints.Flags&AI_NUMERICSERV != 0 {
		return fail(EAI_NONAME)
	}
	if hints.Family != AF_UNSPEC && hints.Family != AF_INET && hints.Family != AF_INET6 {
		return fail(EAI_FAMILY)
	}
	kinds, err := r.kinds(service, hints)
	if err != nil {
		return fail(err)
	}
	found, err := r.addresses(ctx, host, hints)
	if err != nil {
		return fail(err)
	}
	found.addrs = r.sortAddrs(found.addrs)
	return found.entries(kinds, hints), nil
}

func lookedUp(host, service string) string {
	switch {
	case host == "" && service == "":
		return "neither host nor service"
	case service == "":
		return host
	case host == "":
		return "service " + service
	}
	return host + " " + service
}

// kind is a convention with its port filled in.
type kind struct {
	typ   Type
	proto Proto
	port  uint16
}

// kinds lists what the service and the hints leave of the conventions. With a
// type or protocol asked for, the first convention that fits is the only one.
func (r *Resolver) kinds(service string, hints Hints) ([]kind, error) {
	candidates := conventions[:]
	asked := hints.Type != 0 || hints.Proto != 0
	if asked {
		first, err := firstFit(hints)
		if err != nil {
			return nil, err
		}
		if service != "" && first.service == "" {
			return nil, EAI_SERVICE
		}
		candidates = []convention{first}
	}
	port, number, err := parsePort(service)
	if err != nil {
		return nil, err
	}
	var out []kind
	for _, c := range candidates {
		proto := c.proto
		if c.typ == SOCK_RAW {
			proto = hints.Proto
		}
		if service == "" || number {
			if asked || c.usual {
				out = append(out, kind{c.typ, proto, port})
			}
			continue
		}
		if c.service == "" {
			continue
		}
		if n, err := r.GetServByName(service, c.service); err == nil {
			out = append(out, kind{c.typ, proto, uint16(n)})
		}
	}
	if len(out) == 0 {
		return nil, EAI_SERVICE
	}
	return out, nil
}

func firstFit(hints Hints) (convention, error) {
	for _, c := range conventions {
		if c.fits(hints) {
			return c, nil
		}
	}
	if hints.Type != 0 {
		return convention{}, EAI_SOCKTYPE
	}
	return convention{}, EAI_SERVICE
}

// found is what a host's look-up gave, before it is joined with the kinds.
type found struct {
	canon   string
	aliases []string
	addrs   []netip.Addr
}

func (f found) entries(kinds []kind, hints Hints) []AddrInfo {
	out := make([]AddrInfo, 0, len(f.addrs)*len(kinds))
	for _, a := range f.addrs {
		for _, k := range kinds {
			addr := InetAddr{AddrPort: netip.AddrPortFrom(a, k.port)}
			out = append(out, AddrInfo{Family: addr.Family(), Type: k.typ, Proto: k.proto, Addr: addr})
		}
	}
	if hints.Flags&AI_CANONNAME != 0 && len(out) > 0 {
		out[0].CanonName = f.canon
	}
	return out
}

// addresses gives the host's addresses as the hints want them, not yet in order.
func (r *Resolver) addresses(ctx context.Context, host string, hints Hints) (found, error) {
	if host == "" {
		return found{addrs: localAddrs(hints)}, nil
	}
	addr, literal, zoneErr := parseLiteral(host)
	if literal {
		addr, err := literalAs(addr, hints)
		return found{canon: host, addrs: []netip.Addr{addr}}, cmp.Or(err, zoneErr)
	}
	if hints.Flags&AI_NUMERICHOST != 0 || !isHostName(host) {
		return found{}, EAI_NONAME
	}
	return r.lookUpName(ctx, host, hints)
}

// localAddrs is what no host at all stands for.
func localAddrs(hints Hints) []netip.Addr {
	v4, v6 := netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()
	if hints.Flags&AI_PASSIVE != 0 {
		v4, v6 = netip.IPv4Unspecified(), netip.IPv6Unspecified()
	}
	switch hints.Family {
	case AF_INET:
		return []netip.Addr{v4}
	case AF_INET6:
		return []netip.Addr{v6}
	}
	return []netip.Addr{v6, v4}
}

// literalAs gives an address in the family asked for, if it can be had.
func literalAs(a netip.Addr, hints Hints) (netip.Addr, error) {
	switch {
	case hints.Family == AF_UNSPEC, hints.Family == AF_INET && a.Is4(), hints.Family == AF_INET6 && a.Is6():
		return a, nil
	case hints.Family == AF_INET && a.Is4In6():
		return a.Unmap(), nil
	case hints.Family == AF_INET6 && hints.Flags&AI_V4MAPPED != 0:
		return mapped(a), nil
	}
	return netip.Addr{}, EAI_ADDRFAMILY
}

// mapped is the IPv4-mapped IPv6 form of an IPv4 address.
func mapped(a netip.Addr) netip.Addr { return netip.AddrFrom16(a.As16()) }

// lookUpName looks a name up for the family of the hints.
func (r *Resolver) lookUpName(ctx context.Context, host string, hints Hints) (found, error) {
	f, err := r.lookUp(ctx, host, hints.Family)
	if hints.Family != AF_INET6 || hints.Flags&AI_V4MAPPED == 0 {
		return f, err
	}
	if err == nil && hints.Flags&AI_ALL == 0 || ctx.Err() != nil {
		return f, err
	}
	v4, err4 := r.lookUp(ctx, host, AF_INET)
	if err4 != nil {
		return f, err
	}
	for _, a := range v4.addrs {
		f.addrs = append(f.addrs, mapped(a))
	}
	if f.canon == "" {
		f.canon = v4.canon
	}
	return f, nil
}
