package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// systemLookUp asks the system's resolver through package net.
func systemLookUp(ctx context.Context, name string, family Family) (found, error) {
	network := "ip"
	switch family {
	case AF_INET:
		network = "ip4"
	case AF_INET6:
		network = "ip6"
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, network, name)
	if err != nil {
		return found{}, systemError(ctx, err)
	}
	f := found{canon: name}
	for _, a := range addrs {
		if family != AF_INET6 {
			a = a.Unmap()
		}
		f.addrs = append(f.addrs, a)
	}
	if canon, err := net.DefaultResolver.LookupCNAME(ctx, name); err == nil {
		f.canon = strings.TrimSuffix(canon, ".")
	}
	return f, nil
}

func systemReverse(ctx context.Context, addr netip.Addr) ([]string, error) {
	names, err := net.DefaultResolver.LookupAddr(ctx, addr.String())
	if err != nil {
		return nil, systemError(ctx, err)
	}
	for i := range names {
		names[i] = strings.TrimSuffix(names[i], ".")
	}
	return names, nil
}

func systemError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		switch {
		case dns.IsNotFound:
			return EAI_NONAME
		case dns.IsTimeout, dns.IsTemporary:
			return fmt.Errorf("%w (%w)", EAI_AGAIN, err)
		}
	}
	return fmt.Errorf("%w: %w", EAI_FAIL, err)
}
