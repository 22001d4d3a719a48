package socket

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"
)

// Policy is the table by which addresses are ordered, RFC 6724 section 2.1. The
// longest prefix that an address lies in gives its precedence and its label;
// IPv4 addresses are looked up in their mapped form. Do not change one in use.
type Policy struct {
	Precedence []PolicyRow
	Label      []PolicyRow
	// WholeAddress lets rule 9 (longest matching prefix) compare as the GNU C
	// library does: IPv6 addresses beyond the prefix of the source, and IPv4
	// addresses on the source's own subnet. The RFC stops at the prefix.
	WholeAddress bool
}

// PolicyRow gives one prefix its value.
type PolicyRow struct {
	Prefix netip.Prefix
	Value  int
}

// RFC6724Policy is the default table of RFC 6724 section 2.1.
func RFC6724Policy() Policy {
	return Policy{
		Precedence: []PolicyRow{
			row("::1/128", 50), row("::/0", 40), row("::ffff:0:0/96", 35), row("2002::/16", 30), row("2001::/32", 5),
			row("fc00::/7", 3), row("::/96", 1), row("fec0::/10", 1), row("3ffe::/16", 1),
		},
		Label: []PolicyRow{
			row("::1/128", 0), row("::/0", 1), row("::ffff:0:0/96", 4), row("2002::/16", 2), row("2001::/32", 5),
			row("fc00::/7", 13), row("::/96", 3), row("fec0::/10", 11), row("3ffe::/16", 12),
		},
	}
}

// GNUPolicy is the default of the GNU C library, as gai.conf(5) documents it:
// that of RFC 3484, which RFC 6724 replaced, with labels of its own for local
// and Teredo addresses. It puts unique local IPv6 addresses before IPv4.
func GNUPolicy() Policy {
	return Policy{
		Precedence: []PolicyRow{
			row("::1/128", 50), row("::/0", 40), row("2002::/16", 30), row("::/96", 20), row("::ffff:0:0/96", 10),
		},
		Label: []PolicyRow{
			row("::1/128", 0), row("::/0", 1), row("2002::/16", 2), row("::/96", 3), row("::ffff:0:0/96", 4),
			row("fec0::/10", 5), row("fc00::/7", 6), row("2001::/32", 7),
		},
		WholeAddress: true,
	}
}

func row(prefix string, value int) PolicyRow { return PolicyRow{netip.MustParsePrefix(prefix), value} }

// Source is an address from which this host would talk to a destination.
type Source struct {
	Addr netip.Addr
	// PrefixLen is the length of the source's own prefix, 0 where not known.
	PrefixLen  int
	Deprecated bool // its preferred lifetime has ended (RFC 4862 section 5.5.4)
	Home       bool // a mobile node's home address (RFC 6275)
}

// destination is an address to be ordered, with what the rules need of it.
type destination struct {
	addr    netip.Addr
	usable  bool // it has a source
	source  Source
	scope   int
	label   int
	srcMark int // the source's label
	preced  int
}

func (p Policy) destination(a netip.Addr, source Source, usable bool) destination {
	d := destination{addr: a, usable: usable, source: source, scope: scopeOf(a)}
	d.label, d.preced = lookUpRow(p.Label, a), lookUpRow(p.Precedence, a)
	if usable {
		d.srcMark = lookUpRow(p.Label, source.Addr)
	}
	return d
}

// lookUpRow gives the value of the longest prefix that holds the address.
func lookUpRow(rows []PolicyRow, a netip.Addr) int {
	a = mapped(a.WithZone(""))
	longest, value := -1, 0
	for _, r := range rows {
		if r.Prefix.Bits() <= longest {
			continue
		}
		// Not Prefix.Contains, to which a mapped address is never in an IPv6
		// prefix such as ::/0.
		if commonBits(r.Prefix.Addr(), a) >= r.Prefix.Bits() {
			longest, value = r.Prefix.Bits(), r.Value
		}
	}
	return value
}

// scopeOf is the scope of RFC 6724 section 3.1, and for IPv4 of 3.2.
func scopeOf(a netip.Addr) int {
	const linkLocal, siteLocal, global = 0x2, 0x5, 0xe
	site := netip.MustParsePrefix("fec0::/10")
	switch {
	case a.Is6() && a.IsMulticast():
		return int(a.As16()[1] & 0xf)
	case a.Is4In6():
		return global
	case a.IsLoopback(), a.IsLinkLocalUnicast():
		return linkLocal
	case a.Is6() && site.Contains(a.WithZone("")):
		return siteLocal
	}
	return global
}

// compare is negative if a comes before b: the rules of RFC 6724 section 6, of
// which 7 (native transport) asks for more than a program can know.
func (p Policy) compare(a, b destination) int {
	prefer := func(first, second bool) int {
		switch {
		case first == second:
			return 0
		case first:
			return -1
		}
		return 1
	}
	rules := []int{
		prefer(a.usable, b.usable), // 1: avoid unusable destinations
		prefer(a.sameScope(), b.sameScope()),
		prefer(!a.source.Deprecated, !b.source.Deprecated),
		prefer(a.source.Home, b.source.Home),
		prefer(a.usable && a.srcMark == a.label, b.usable && b.srcMark == b.label),
		cmp.Compare(b.preced, a.preced), // 6: higher precedence
		cmp.Compare(a.scope, b.scope),   // 8: smaller scope
	}
	if a.usable && b.usable && a.addr.Is4() == b.addr.Is4() {
		rules = append(rules, cmp.Compare(p.matching(b), p.matching(a))) // 9: longest matching prefix
	}
	return cmp.Or(rules...) // 10: otherwise as they came
}

func (d destination) sameScope() bool { return d.usable && scopeOf(d.source.Addr) == d.scope }

// matching is the length of the prefix that a destination shares with its source.
func (p Policy) matching(d destination) int {
	n := commonBits(d.addr, d.source.Addr)
	if d.addr.Is4() {
		if !p.WholeAddress || n < d.source.PrefixLen {
			return 0 // beyond its subnet, likeness of IPv4 addresses says nothing
		}
		return n
	}
	if p.WholeAddress {
		return n
	}
	limit := d.source.PrefixLen
	if limit == 0 {
		limit = 64
	}
	return min(n, limit)
}

// commonBits counts the leading bits that two addresses of one family share.
func commonBits(a, b netip.Addr) int {
	x, y := a.As16(), b.As16()
	n := bits.LeadingZeros64(binary.BigEndian.Uint64(x[:8]) ^ binary.BigEndian.Uint64(y[:8]))
	if n == 64 {
		n += bits.LeadingZeros64(binary.BigEndian.Uint64(x[8:]) ^ binary.BigEndian.Uint64(y[8:]))
	}
	if a.Is4() && b.Is4() {
		n -= 96
	}
	return n
}

// sortAddrs orders a host's addresses, the best first.
func (r *Resolver) sortAddrs(addrs []netip.Addr) []netip.Addr {
	if len(addrs) < 2 {
		return addrs
	}
	policy := r.policy()
	source := r.sources()
	all := make([]destination, 0, len(addrs))
	for _, a := range addrs {
		src, ok := source(a)
		all = append(all, policy.destination(a, src, ok))
	}
	slices.SortStableFunc(all, policy.compare)
	out := make([]netip.Addr, 0, len(all))
	for _, d := range all {
		out = append(out, d.addr)
	}
	return out
}
