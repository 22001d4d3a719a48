package smtp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/farend-go/farend/dial"
)

// A Courier brings mail to the hosts that a domain names for it (RFC 5321
// section 5.1). Its fields are set before the first call; its methods may be
// called concurrently. The zero Courier asks the system's resolver and goes to
// port 25.
type Courier struct {
	// Options of each session. Between hosts Offered means what Unverified
	// says: a certificate that nobody could check is no reason to send in clear,
	// nor not at all; a handshake that fails is followed by a session in clear.
	Options  Options
	Resolver Resolver      // nil: net.DefaultResolver
	Port     string        // "": 25
	Self     []string      // our own names as a mail host: others of no better preference are left out
	Hosts    int           // that are tried; 0: 10
	Begin    time.Duration // until a session stands; 0: 1 min
}

// A Resolver looks names up; *net.Resolver is one. A name that does not exist,
// or has no such records, is a *net.DNSError that IsNotFound.
type Resolver interface {
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupHost(ctx context.Context, name string) ([]string, error)
}

var _ Resolver = (*net.Resolver)(nil)

// Errors of a Courier, which are Replies: of this kind hears who has sent the
// message.
var (
	// ErrNullMX is a domain that takes no mail (RFC 7505).
	ErrNullMX error = Reply{556, Status{5, 1, 10}, "The domain says that it takes no mail"}
	// ErrNoDomain is a domain that does not exist.
	ErrNoDomain error = Reply{550, Status{5, 1, 2}, "No such domain"}
	// ErrLoop is a domain whose best host we are ourselves.
	ErrLoop error = Reply{554, Status{5, 4, 6}, "Mail for the domain would come back here"}
	// ErrNoAnswer is a domain none of whose hosts could be talked to.
	ErrNoAnswer error = Reply{451, Status{4, 4, 1}, "No host of the domain answers"}
	// ErrLookup is a look-up that failed, and may go well later.
	ErrLookup error = Reply{451, Status{4, 4, 3}, "The domain cannot be looked up now"}
)

// Send brings a message to all of its recipients, domain by domain. With more
// than one domain its Body must be an io.Seeker. Error and Receipt are as those
// of Client.Send.
func (c *Courier) Send(ctx context.Context, m Message) (Receipt, error) {
	whole := Receipt{Results: make([]Result, len(m.To))}
	var domains []string
	for i, to := range m.To {
		whole.Results[i] = Result{to, errUnsaid}
		if d := strings.ToLower(to.Mailbox.Domain); !slices.Contains(domains, d) {
			domains = append(domains, d)
		}
	}
	rewind := rewinder(m.Body)
	var first error
	for n, domain := range domains {
		part := m
		part.To = nil
		var at []int
		for i, to := range m.To {
			if strings.ToLower(to.Mailbox.Domain) == domain {
				part.To, at = append(part.To, to), append(at, i)
			}
		}
		err := error(nil)
		if n > 0 {
			err = rewind()
		}
		var receipt Receipt
		if err == nil {
			receipt, err = c.Deliver(ctx, domain, part)
			whole.Reply = receipt.Reply
		}
		for k, i := range at {
			whole.Results[i].Err = err
			if k < len(receipt.Results) {
				whole.Results[i].Err = receipt.Results[k].Err
			}
		}
		if first == nil {
			first = err
		}
	}
	if len(domains) == 0 {
		first = ErrNoRecipients
	}
	return whole, first
}

// rewinder goes back to where a body stands now.
func rewinder(body io.Reader) func() error {
	s, ok := body.(io.Seeker)
	if !ok {
		return func() error { return errors.New("smtp: the body cannot be read again") }
	}
	at, err := s.Seek(0, io.SeekCurrent)
	return func() error {
		if err == nil {
			_, err = s.Seek(at, io.SeekStart)
		}
		return err
	}
}

// Deliver brings a message to the hosts of one domain, whatever the domains of
// its recipients are: to the next where one cannot be talked to or says that it
// may go well later, which needs a Body that is an io.Seeker once a host has
// seen some of it. The error is a Reply where the domain or its hosts refuse,
// and has one inside where they were not reached.
func (c *Courier) Deliver(ctx context.Context, domain string, m Message) (Receipt, error) {
	receipt := Receipt{Results: make([]Result, len(m.To))}
	for i, to := range m.To {
		receipt.Results[i] = Result{to, errUnsaid}
	}
	err := c.deliver(ctx, domain, m, &receipt)
	var first error
	for i := range receipt.Results {
		r := &receipt.Results[i]
		if errors.Is(r.Err, errUnsaid) {
			r.Err = err
		}
		if first == nil {
			first = r.Err
		}
	}
	if first == nil && len(m.To) == 0 {
		first = ErrNoRecipients
	}
	return receipt, first
}

func (c *Courier) deliver(ctx context.Context, domain string, m Message, receipt *Receipt) error {
	hosts, err := c.hosts(ctx, domain)
	if err != nil {
		return err
	}
	most := c.Hosts
	if most <= 0 {
		most = 10
	}
	t := &trip{c: c, m: m, receipt: receipt, rewind: rewinder(m.Body), last: ErrNoAnswer}
	for _, host := range hosts[:min(len(hosts), most)] {
		addrs, err := c.addresses(ctx, host)
		if err != nil {
			t.last = fmt.Errorf("%w: %s: %w", ErrNoAnswer, host, err)
			continue
		}
		for _, addr := range addrs[:min(len(addrs), 4)] {
			if done := t.try(ctx, host, addr); done {
				return nil
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return t.last
}

// hosts are the names of the hosts for a domain, the one to try first in front.
func (c *Courier) hosts(ctx context.Context, domain string) ([]string, error) {
	if strings.HasPrefix(domain, "[") {
		return []string{domain}, nil
	}
	name, err := idna.Lookup.ToASCII(domain)
	if err != nil || !(Mailbox{"x", name}).valid() {
		return nil, ErrNoDomain
	}
	all, err := c.resolver().LookupMX(ctx, name)
	if len(all) == 0 {
		if isNotFound(err) || err == nil {
			return []string{name}, nil // RFC 5321 section 5.1: the domain itself
		}
		return nil, fmt.Errorf("%w: %w", ErrLookup, err)
	}
	if len(all) == 1 && strings.TrimSuffix(all[0].Host, ".") == "" {
		return nil, ErrNullMX
	}
	all = slices.Clone(all)
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	slices.SortStableFunc(all, func(a, b *net.MX) int { return int(a.Pref) - int(b.Pref) })
	var hosts []string
	for _, mx := range all {
		host := strings.TrimSuffix(mx.Host, ".")
		if slices.ContainsFunc(c.Self, func(own string) bool { return strings.EqualFold(own, host) }) {
			all = slices.DeleteFunc(all, func(o *net.MX) bool { return o.Pref >= mx.Pref })
			break
		}
	}
	for _, mx := range all {
		if host := strings.TrimSuffix(mx.Host, "."); host != "" {
			hosts = append(hosts, host)
		}
	}
	if len(hosts) == 0 {
		return nil, ErrLoop
	}
	return hosts, nil
}

func (c *Courier) resolver() Resolver {
	if c.Resolver == nil {
		return net.DefaultResolver
	}
	return c.Resolver
}

func isNotFound(err error) bool {
	dns, ok := errors.AsType[*net.DNSError](err)
	return ok && dns.IsNotFound
}

// addresses are those of a host.
func (c *Courier) addresses(ctx context.Context, host string) ([]string, error) {
	if literal, ok := strings.CutPrefix(host, "["); ok {
		literal = strings.TrimSuffix(literal, "]")
		if len(literal) > 5 && strings.EqualFold(literal[:5], "IPv6:") {
			literal = literal[5:]
		}
		a, err := netip.ParseAddr(literal)
		return []string{a.String()}, err
	}
	return c.resolver().LookupHost(ctx, host)
}

// trip is a message on its way to one domain.
type trip struct {
	c       *Courier
	m       Message
	receipt *Receipt
	rewind  func() error
	shown   bool // some host has seen some of the body
	last    error
}

// try brings the message to one address, for all recipients for which it has
// not yet been decided; true: now it has been.
func (t *trip) try(ctx context.Context, host, addr string) bool {
	client, err := t.c.session(ctx, host, addr, t.m.From.RequireTLS)
	if err != nil {
		t.last = fmt.Errorf("%s: %w", host, err)
		if _, ok := errors.AsType[Reply](err); !ok {
			t.last = fmt.Errorf("%w: %w", ErrNoAnswer, t.last)
		}
		return false
	}
	defer client.Close()
	if t.shown {
		if err := t.rewind(); err != nil {
			return true // t.last stays
		}
	}
	t.shown = true
	part := t.m
	part.To = nil
	var at []int
	for i, r := range t.receipt.Results {
		if undecided(r.Err) {
			part.To, at = append(part.To, r.To), append(at, i)
		}
	}
	receipt, err := client.Send(ctx, part)
	t.receipt.Reply = receipt.Reply
	open := false
	for k, i := range at {
		t.receipt.Results[i].Err = receipt.Results[k].Err
		open = open || undecided(receipt.Results[k].Err)
	}
	if !client.Broken() {
		_ = client.Quit(ctx) // what it was asked has been answered
	}
	if err != nil {
		t.last = fmt.Errorf("%s: %w", host, err)
	}
	return !open
}

// undecided tells whether another host may be asked.
func undecided(err error) bool {
	if err == nil {
		return false
	}
	r, ok := errors.AsType[Reply](err)
	return !ok && !errors.Is(err, ErrAddress) || r.Temporary()
}

// session opens one with a host at an address.
func (c *Courier) session(ctx context.Context, host, addr string, requireTLS bool) (*Client, error) {
	limit := c.Begin
	if limit == 0 {
		limit = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	o := c.Options
	if o.Security == Offered {
		o.Security = Unverified
	}
	if requireTLS {
		o.Security = Required
	}
	client, err := c.dial(ctx, host, addr, o)
	if err == nil || o.Security != Unverified || !errors.Is(err, errHandshake) {
		return client, err
	}
	o.Security = InClear
	return c.dial(ctx, host, addr, o)
}

func (c *Courier) dial(ctx context.Context, host, addr string, o Options) (*Client, error) {
	port := c.Port
	if port == "" {
		port = "25"
	}
	nc, err := o.Dialer.Dial(ctx, dial.Endpoint{Scheme: dial.TCP, Host: addr, Port: port}.String())
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(host, "[") {
		host = addr
	}
	return NewClient(ctx, nc, host, o)
}
