package socket

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// Resolver says where GetAddrInfo and its kin look. The zero value, and a nil
// one, is the system's own way: the hosts file first, then, for a name that is
// not in it, the name servers of resolv.conf (on Windows and macOS, where that
// file does not decide, the system's resolver). What the fields name replaces
// that. A numeric host, and a name from the hosts file, never use the network.
//
// A Resolver must not be changed while it is in use; otherwise any number of
// goroutines may share it. It keeps nothing between calls: files are read anew
// each time, so that a change counts at once.
type Resolver struct {
	// Files; empty is the system's. One that is missing counts as: hosts,
	// "localhost" alone; services and protocols, the built-in tables;
	// resolv.conf, a name server on this host; gai.conf, no changes.
	HostsFile, ServicesFile, ProtocolsFile, ResolvConf, GaiConf string

	// Nameservers replaces those of resolv.conf, in the order of asking.
	Nameservers []netip.AddrPort
	// Dial opens a connection to a name server; nil is net.Dialer's. The
	// network is "udp" or, for an answer that did not fit, "tcp".
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Timeout is how long one server has for one answer, and Attempts how
	// often the list of servers is gone through; 0 is what resolv.conf says,
	// and that by default 5s and 2.
	Timeout  time.Duration
	Attempts int

	// Policy orders addresses; nil is the system's (see SystemPolicy).
	Policy *Policy
	// Source tells from which address this host would talk to dst, and false if
	// it cannot; nil asks the kernel, by connecting a UDP socket, which sends
	// nothing.
	Source func(dst netip.Addr) (Source, bool)
}

// file gives the path of a system file, by its name under /etc.
func (r *Resolver) file(name string) string {
	if r != nil {
		set := map[string]string{
			"hosts": r.HostsFile, "services": r.ServicesFile, "protocols": r.ProtocolsFile,
			"resolv.conf": r.ResolvConf, "gai.conf": r.GaiConf,
		}[name]
		if set != "" {
			return set
		}
	}
	return systemFile(name)
}

// ownDNS tells whether names are asked of name servers by this package, rather
// than by the system.
func (r *Resolver) ownDNS() bool {
	return dnsByFile || r != nil && (r.ResolvConf != "" || r.Nameservers != nil || r.Dial != nil)
}

// lookUp gives the addresses of a name: from the hosts file if it is there, with
// any address of the family, else from DNS.
func (r *Resolver) lookUp(ctx context.Context, name string, family Family) (found, error) {
	if err := ctx.Err(); err != nil {
		return found{}, err
	}
	if entry, ok := hostsByName(r.hosts(), name, family); ok {
		return found{canon: entry.Name, aliases: entry.Aliases, addrs: entry.Addrs}, nil
	}
	if !r.ownDNS() {
		return systemLookUp(ctx, name, family)
	}
	return r.dnsLookUp(ctx, name, family)
}

// reverse gives the names of an address, the first the canonical one.
func (r *Resolver) reverse(ctx context.Context, addr netip.Addr) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if names := hostsByAddr(r.hosts(), addr); len(names) > 0 {
		return names, nil
	}
	if !r.ownDNS() {
		return systemReverse(ctx, addr)
	}
	return r.dnsReverse(ctx, addr)
}
