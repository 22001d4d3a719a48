package socket

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
)

// GetHostname gives this host's name, gethostname(2), without a domain added.
func GetHostname() (string, error) { return os.Hostname() }

// GetFQDN gives the fully qualified name of a host: of the names known for it,
// the first with a dot in it, else the canonical one; the name itself if nothing
// is known. Empty, "0.0.0.0" and "::" stand for this host. It never fails;
// concurrent calls are allowed. The rule is that of Python's socket.getfqdn.
func GetFQDN(ctx context.Context, name string) string { return (*Resolver)(nil).GetFQDN(ctx, name) }

// GetFQDN is the function of that name with this resolver's sources.
func (r *Resolver) GetFQDN(ctx context.Context, name string) string {
	name = strings.TrimSpace(name)
	if name == "" || name == "0.0.0.0" || name == "::" {
		own, err := GetHostname()
		if err != nil {
			return name
		}
		name = own
	}
	entry, err := r.GetHostByAddr(ctx, name)
	if err != nil {
		return name
	}
	for _, n := range append([]string{entry.Name}, entry.Aliases...) {
		if strings.Contains(n, ".") {
			return n
		}
	}
	return entry.Name
}

// GetHostByName gives the first IPv4 address of a host, in any form that Pair
// takes as a string, gethostbyname(3). Errors are EAI, or the context's.
func GetHostByName(ctx context.Context, name string) (netip.Addr, error) {
	return (*Resolver)(nil).GetHostByName(ctx, name)
}

// GetHostByName is the function of that name with this resolver's sources.
func (r *Resolver) GetHostByName(ctx context.Context, name string) (netip.Addr, error) {
	addrs, err := r.hostString(ctx, name, AF_INET, SOCK_STREAM)
	if err != nil {
		return netip.Addr{}, err
	}
	return addrs[0], nil
}

// GetHostByNameEx gives a host's canonical name, its other names, and all its
// IPv4 addresses in the order in which they are kept: Python's
// gethostbyname_ex. The other names are those on
// the lines of the hosts file, or the CNAMEs that led to the canonical one.
// Errors are EAI, or the context's.
func GetHostByNameEx(ctx context.Context, name string) (HostEntry, error) {
	return (*Resolver)(nil).GetHostByNameEx(ctx, name)
}

// GetHostByNameEx is the function of that name with this resolver's sources.
func (r *Resolver) GetHostByNameEx(ctx context.Context, name string) (HostEntry, error) {
	if a, ok := parseAton(name); ok {
		return HostEntry{Name: name, Addrs: []netip.Addr{a}}, nil
	}
	fail := func(err error) (HostEntry, error) { return HostEntry{}, fmt.Errorf("look up %s: %w", name, err) }
	if !isHostName(name) {
		return fail(EAI_NONAME)
	}
	f, err := r.lookUp(ctx, name, AF_INET)
	if err != nil {
		return fail(err)
	}
	return HostEntry{Name: f.canon, Aliases: f.aliases, Addrs: f.addrs}, nil
}

// GetHostByAddr gives the names of the host that has an address, of either
// family, gethostbyaddr(3). A name is taken too, and stands for its first
// address, as in Python. Errors are EAI (EAI_NONAME if the address has no name),
// or the context's.
func GetHostByAddr(ctx context.Context, addr string) (HostEntry, error) {
	return (*Resolver)(nil).GetHostByAddr(ctx, addr)
}

// GetHostByAddr is the function of that name with this resolver's sources.
func (r *Resolver) GetHostByAddr(ctx context.Context, addr string) (HostEntry, error) {
	addrs, err := r.hostString(ctx, addr, AF_UNSPEC, SOCK_STREAM)
	if err != nil {
		return HostEntry{}, err
	}
	names, err := r.reverse(ctx, addrs[0])
	if err != nil {
		return HostEntry{}, fmt.Errorf("look up the name of %v: %w", addrs[0], err)
	}
	return HostEntry{Name: names[0], Aliases: names[1:], Addrs: []netip.Addr{addrs[0].WithZone("")}}, nil
}
