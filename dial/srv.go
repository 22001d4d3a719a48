package dial

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/socket"
)

// ErrNoService is a domain that says it does not offer a service: its only SRV
// record has the root as its target (RFC 2782).
var ErrNoService = errors.New("the domain says that it does not offer this service")

// SRV gives the endpoints of a service (RFC 2782), the one to try first in
// front: by priority, and within one at random by weight. service and proto
// are without underscores ("imaps", "tcp"), the domain without a scheme. The
// scheme is that of the endpoints made. A nil resolver is the system's.
//
// The error, a *net.DNSError whose IsNotFound tells that there are no such
// records (RFC 2782 then has the caller try the domain itself), or
// ErrNoService.
func SRV(ctx context.Context, resolver *net.Resolver, scheme Scheme, service, proto, domain string) ([]Endpoint, error) {
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	_, records, err := resolver.LookupSRV(ctx, service, proto, domain)
	if err != nil && len(records) == 0 { // with records, some others were malformed
		return nil, err
	}
	var out []Endpoint
	for _, r := range records {
		host := strings.TrimSuffix(r.Target, ".")
		if host == "" {
			continue
		}
		out = append(out, Endpoint{Scheme: scheme, Host: host, Port: strconv.Itoa(int(r.Port))})
	}
	if len(out) == 0 {
		return nil, ErrNoService
	}
	return out, nil
}

// DialSRV opens a stream to the first endpoint of a service that can be
// reached, in the order of SRV; without SRV records, to the domain itself on
// the service's usual port. With TLS the certificate must be good for the
// domain that was asked for, since the records are not protected (RFC 6125
// section 6.2.1), unless d.TLS names another. The error is an *Error.
func (d *Dialer) DialSRV(ctx context.Context, resolver *net.Resolver, scheme Scheme, service, domain string) (*conv.Conn, error) {
	what := string(scheme) + ":_" + service + "._tcp." + domain
	if scheme.Packet() || scheme.Path() {
		return nil, &Error{what, errors.New("SRV records lead to streams of a host and a port")}
	}
	all, err := SRV(ctx, resolver, scheme, service, "tcp", domain)
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		var port int
		port, err = socket.GetServByName(service, "tcp")
		all = []Endpoint{{Scheme: scheme, Host: domain, Port: strconv.Itoa(port)}}
	}
	if err != nil {
		return nil, &Error{what, err}
	}
	own := *d
	own.TLS = d.Config(Endpoint{Scheme: scheme, Host: domain})
	var errs []error
	for _, e := range all {
		c, err := own.Dial(ctx, e.String())
		if err == nil {
			return c, nil
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, &Error{what, errors.Join(errs...)}
}
