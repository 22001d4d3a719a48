package socket

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// dnsLookUp asks the name servers for a name's addresses, trying the domains of
// the search list as resolv.conf(5) has it.
func (r *Resolver) dnsLookUp(ctx context.Context, name string, family Family) (found, error) {
	config := r.dnsConfig()
	var asIs, noData, failed error
	for i, full := range config.candidates(name) {
		f, err := r.dnsAddrs(ctx, config, full, family)
		switch {
		case err == nil:
			return f, nil
		case ctx.Err() != nil:
			return found{}, ctx.Err()
		case errors.Is(err, errDeadAlias):
			return found{}, err
		case i == 0 && full == name+".":
			asIs = err // what is true of the name itself outweighs the rest
		case errors.Is(err, EAI_NODATA):
			noData = err
		case errors.Is(err, errServerFailed):
			failed = err
		case !errors.Is(err, EAI_NONAME):
			return found{}, err // nobody answers; asking for other names would not help
		}
	}
	for _, err := range []error{asIs, noData, failed} {
		if err != nil {
			return found{}, err
		}
	}
	return found{}, EAI_NONAME
}

// errServerFailed is an answer that says no more than that there is none. It
// lets the search go on, as no answer does not.
var errServerFailed = fmt.Errorf("%w (the name server failed)", EAI_AGAIN)

// errDeadAlias is a CNAME that leads to no address. For the C library the name
// then does not exist, but it is not searched for in other domains either.
var errDeadAlias = fmt.Errorf("%w (an alias that leads to no address)", EAI_NONAME)

// dnsAddrs asks for A and AAAA at once, as the family wants.
func (r *Resolver) dnsAddrs(ctx context.Context, config dnsConfig, full string, family Family) (found, error) {
	var types []dnsmessage.Type
	if family != AF_INET6 {
		types = append(types, dnsmessage.TypeA)
	}
	if family != AF_INET {
		types = append(types, dnsmessage.TypeAAAA)
	}
	answers := make([]found, len(types))
	errs := make([]error, len(types))
	var asking sync.WaitGroup
	for i, t := range types {
		asking.Go(func() {
			msg, err := r.exchange(ctx, config, full, t)
			if err == nil {
				answers[i], err = addrsIn(msg, t)
			}
			errs[i] = err
		})
	}
	asking.Wait()
	var all found
	for _, f := range answers {
		if all.canon == "" {
			all.canon, all.aliases = f.canon, f.aliases
		}
		all.addrs = append(all.addrs, f.addrs...)
	}
	if len(all.addrs) > 0 {
		return all, nil
	}
	for _, weighty := range []error{EAI_NONAME, EAI_AGAIN, EAI_FAIL} {
		if i := slices.IndexFunc(errs, func(e error) bool { return errors.Is(e, weighty) }); i >= 0 {
			return found{}, errs[i]
		}
	}
	return found{}, errs[0]
}

// addrsIn follows the answer's chain of CNAMEs from the name asked for, and
// takes the addresses at its end: there the name is the canonical one.
func addrsIn(msg *dnsmessage.Message, t dnsmessage.Type) (found, error) {
	name := msg.Questions[0].Name
	var f found
	for range len(msg.Answers) {
		target, ok := aliasOf(msg.Answers, name)
		if !ok {
			break
		}
		f.aliases = append(f.aliases, strings.TrimSuffix(name.String(), "."))
		name = target
	}
	f.canon = strings.TrimSuffix(name.String(), ".")
	for _, rr := range msg.Answers {
		if !sameName(rr.Header.Name, name) || rr.Header.Type != t {
			continue
		}
		switch body := rr.Body.(type) {
		case *dnsmessage.AResource:
			f.addrs = append(f.addrs, netip.AddrFrom4(body.A))
		case *dnsmessage.AAAAResource:
			f.addrs = append(f.addrs, netip.AddrFrom16(body.AAAA))
		}
	}
	switch {
	case len(f.addrs) > 0:
		return f, nil
	case len(f.aliases) > 0:
		return found{}, errDeadAlias
	}
	return found{}, EAI_NODATA
}

func aliasOf(answers []dnsmessage.Resource, name dnsmessage.Name) (dnsmessage.Name, bool) {
	for _, rr := range answers {
		if body, ok := rr.Body.(*dnsmessage.CNAMEResource); ok && sameName(rr.Header.Name, name) {
			return body.CNAME, true
		}
	}
	return dnsmessage.Name{}, false
}

func sameName(a, b dnsmessage.Name) bool { return strings.EqualFold(a.String(), b.String()) }

// dnsReverse asks for the names of an address (RFC 1035 section 3.5, RFC 3596
// section 2.5).
func (r *Resolver) dnsReverse(ctx context.Context, addr netip.Addr) ([]string, error) {
	msg, err := r.exchange(ctx, r.dnsConfig(), reverseName(addr), dnsmessage.TypePTR)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, rr := range msg.Answers {
		if body, ok := rr.Body.(*dnsmessage.PTRResource); ok {
			out = append(out, strings.TrimSuffix(body.PTR.String(), "."))
		}
	}
	if len(out) == 0 {
		return nil, EAI_NONAME
	}
	return out, nil
}

func reverseName(addr netip.Addr) string {
	addr = addr.Unmap()
	bytes := addr.AsSlice()
	slices.Reverse(bytes)
	var b strings.Builder
	for _, c := range bytes {
		if addr.Is4() {
			b.WriteString(strconv.Itoa(int(c)) + ".")
			continue
		}
		fmt.Fprintf(&b, "%x.%x.", c&0xf, c>>4)
	}
	if addr.Is4() {
		return b.String() + "in-addr.arpa."
	}
	return b.String() + "ip6.arpa."
}
