package socket

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// NIFlags say what GetNameInfo gives. The numbers are Linux's on every system.
type NIFlags int

const (
	NI_NUMERICHOST NIFlags = 0x01 // the address instead of the name
	NI_NUMERICSERV NIFlags = 0x02 // the port instead of the service's name
	NI_NOFQDN      NIFlags = 0x04 // only the first part of a name in this host's own domain
	NI_NAMEREQD    NIFlags = 0x08 // no name is an error (EAI_NONAME)
	NI_DGRAM       NIFlags = 0x10 // the service is udp's, not tcp's

	niKnown = NI_NUMERICHOST | NI_NUMERICSERV | NI_NOFQDN | NI_NAMEREQD | NI_DGRAM
)

// GetNameInfo turns an address into the names of its host and service,
// getnameinfo(3), RFC 3493 section 6.2. What has no name is given as a number,
// IPv6 with its zone. Errors are EAI, or the context's. Concurrent calls are
// allowed.
func GetNameInfo(ctx context.Context, addr InetAddr, flags NIFlags) (host, service string, err error) {
	return (*Resolver)(nil).GetNameInfo(ctx, addr, flags)
}

// GetNameInfo is the function of that name with this resolver's sources.
func (r *Resolver) GetNameInfo(ctx context.Context, addr InetAddr, flags NIFlags) (host, service string, err error) {
	switch {
	case flags&^niKnown != 0:
		err = EAI_BADFLAGS
	case !addr.IsValid():
		err = EAI_FAMILY
	default:
		host, err = r.nameOfHost(ctx, addr.Addr(), flags)
	}
	if err != nil {
		return "", "", fmt.Errorf("look up the name of %v: %w", addr.Addr(), err)
	}
	return host, r.nameOfService(int(addr.Port()), flags), nil
}

func (r *Resolver) nameOfHost(ctx context.Context, addr netip.Addr, flags NIFlags) (string, error) {
	required := flags&NI_NAMEREQD != 0
	if flags&NI_NUMERICHOST == 0 {
		names, err := r.reverse(ctx, addr)
		switch {
		case ctx.Err() != nil:
			return "", ctx.Err()
		case err == nil && flags&NI_NOFQDN != 0:
			return r.withoutOwnDomain(ctx, names[0]), nil
		case err == nil:
			return names[0], nil
		case required && errors.Is(err, EAI_AGAIN):
			return "", err
		}
	}
	if required {
		return "", EAI_NONAME
	}
	if addr.Zone() == "" {
		return ntop(addr), nil
	}
	return ntop(addr) + "%" + addr.Zone(), nil
}

// withoutOwnDomain cuts this host's own domain off a name.
func (r *Resolver) withoutOwnDomain(ctx context.Context, name string) string {
	own, err := GetHostname()
	if err != nil {
		return name
	}
	_, domain, ok := strings.Cut(r.GetFQDN(ctx, own), ".")
	if short, cut := strings.CutSuffix(name, "."+domain); ok && domain != "" && cut {
		return short
	}
	return name
}

func (r *Resolver) nameOfService(port int, flags NIFlags) string {
	protocol := "tcp"
	if flags&NI_DGRAM != 0 {
		protocol = "udp"
	}
	if flags&NI_NUMERICSERV == 0 {
		if name, err := r.GetServByPort(port, protocol); err == nil {
			return name
		}
	}
	return strconv.Itoa(port)
}
