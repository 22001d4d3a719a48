package smtp_test

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/farend-go/farend/proto/smtp"
	"github.com/farend-go/farend/proto/smtp/smtptest"
)

// zone is a Resolver of its own.
type zone struct {
	mx    map[string][]*net.MX
	hosts map[string][]string

	mu    sync.Mutex
	asked []string // for addresses, in order
}

func (z *zone) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	if strings.HasPrefix(name, "broken.") {
		return nil, &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
	}
	if all, ok := z.mx[name]; ok {
		return all, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (z *zone) LookupHost(_ context.Context, name string) ([]string, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.asked = append(z.asked, name)
	if all, ok := z.hosts[name]; ok {
		return all, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// hostsAt starts a server at each of several loopback addresses, all on one
// port, as hosts of a domain have it.
func hostsAt(t *testing.T, addrs []string, o func(addr string) smtptest.Options) (port string, servers map[string]*smtptest.Server) {
	t.Helper()
	servers = map[string]*smtptest.Server{}
	for i, addr := range addrs {
		if i > 0 { // the others go where the first went, if they can
			l, err := net.Listen("tcp", net.JoinHostPort(addr, port))
			if err != nil {
				t.Skipf("no second loopback address: %v", err)
			}
			l.Close()
		} else {
			port = "0"
		}
		options := o(addr)
		options.Address = net.JoinHostPort(addr, port)
		servers[addr] = smtptest.NewWith(t, options)
		_, port, _ = net.SplitHostPort(servers[addr].Addr)
	}
	return port, servers
}

func TestCourier(t *testing.T) {
	port, servers := hostsAt(t, []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"}, func(addr string) smtptest.Options {
		o := smtptest.Options{Rcpt: func(to smtp.Mailbox) error {
			switch {
			case addr == "127.0.0.2" && to.Local == "busy":
				return smtp.ErrTryLater
			case to.Local == "unknown":
				return smtp.ErrNoMailbox
			}
			return nil
		}}
		if addr == "127.0.0.3" {
			o.Handler = func(h *smtp.Handler) { h.Answer = func(string) (string, bool) { return "421 4.3.2 not now", true } }
		}
		return o
	})
	z := &zone{
		mx: map[string][]*net.MX{
			"two.example":   {{Host: "b.", Pref: 20}, {Host: "a.", Pref: 10}, {Host: "busy.", Pref: 5}, {Host: "down.", Pref: 1}, {Host: "gone.", Pref: 0}},
			"later.example": {{Host: "busy.", Pref: 5}},
			"null.example":  {{Host: "."}},
			"self.example":  {{Host: "me.", Pref: 5}, {Host: "a.", Pref: 10}},
			"spare.example": {{Host: "me.", Pref: 15}, {Host: "a.", Pref: 10}},
		},
		hosts: map[string][]string{"a": {"127.0.0.2"}, "b": {"127.0.0.1"}, "busy": {"127.0.0.3"}, "down": {"127.0.0.9"}, "bare.example": {"127.0.0.9", "127.0.0.1"}, "xn--bcher-kva.example": {"127.0.0.1"}},
	}
	c := &smtp.Courier{Resolver: z, Port: port, Self: []string{"ME"}}
	deliver := func(domain string, body io.Reader, locals ...string) (smtp.Receipt, error) {
		z.asked = nil
		for _, s := range servers {
			s.Reset()
		}
		var to []string
		for _, l := range locals {
			to = append(to, l+"@"+domain)
		}
		return c.Deliver(within(t), domain, message(t, body, to...))
	}
	text := func() io.Reader { return strings.NewReader("Subject: x\r\n\r\n") }

	r, err := deliver("two.example", text(), "ann")
	if err != nil || r.Accepted() != 1 || !slices.Equal(z.asked, []string{"gone", "down", "busy", "a"}) {
		t.Errorf("by preference: %+v, %v, asked %q", r, err, z.asked)
	}
	if got := servers["127.0.0.2"].Messages(); len(got) != 1 || got[0].Peer.TLS == nil {
		t.Errorf("%d messages", len(got))
	}
	r, err = deliver("two.example", text(), "ann", "busy", "unknown")
	if !isReply(err, 550) || r.Accepted() != 2 || len(servers["127.0.0.2"].Messages()) != 1 || len(servers["127.0.0.1"].Messages()) != 1 {
		t.Errorf("the rest to the next host: %+v, %v", r, err)
	} else if to := servers["127.0.0.1"].Messages()[0].To; len(to) != 1 || to[0].Mailbox.Local != "busy" {
		t.Errorf("again for %v", to)
	}
	if r, err = deliver("two.example", struct{ io.Reader }{text()}, "busy"); !isReply(err, 451) || r.Accepted() != 0 {
		t.Errorf("a body that cannot be read again: %+v, %v", r, err)
	}
	if _, err = deliver("later.example", text(), "ann"); !isReply(err, 421) {
		t.Error("421:", err)
	}
	for domain, want := range map[string]error{"null.example": smtp.ErrNullMX, "broken.example": smtp.ErrLookup, "self.example": smtp.ErrLoop, "none.example": smtp.ErrNoAnswer, "a..b": smtp.ErrNoDomain} {
		if _, err := c.Deliver(within(t), domain, message(t, text(), "ann@x")); !errors.Is(err, want) {
			t.Errorf("%s: %v", domain, err)
		}
	}
	for _, domain := range []string{"bare.example", "b\xc3\xbccher.example", "[127.0.0.1]", "spare.example"} {
		m := message(t, text(), "ann@x")
		if r, err := c.Deliver(within(t), domain, m); err != nil || r.Accepted() != 1 {
			t.Errorf("%s: %+v, %v", domain, r, err)
		}
	}
}

// TestCourierSend brings a message to several domains.
func TestCourierSend(t *testing.T) {
	srv := smtptest.New(t)
	_, port, _ := net.SplitHostPort(srv.Addr)
	z := &zone{hosts: map[string][]string{"one.example": {"127.0.0.1"}, "two.example": {"127.0.0.1"}}}
	c := &smtp.Courier{Resolver: z, Port: port}
	m := message(t, strings.NewReader("Subject: x\r\n\r\n"), "a@one.example", "b@none.example", "c@TWO.example", "d@one.example")
	r, err := c.Send(within(t), m)
	if !errors.Is(err, smtp.ErrNoAnswer) || r.Accepted() != 3 || r.Results[1].Err == nil || len(srv.Messages()) != 2 {
		t.Errorf("%+v, %v, %d messages", r, err, len(srv.Messages()))
	}
	if _, err := c.Send(within(t), message(t, nil)); !errors.Is(err, smtp.ErrNoRecipients) {
		t.Error(err)
	}
}

func TestPool(t *testing.T) {
	srv := smtptest.New(t)
	var mu sync.Mutex
	opened := 0
	var last *smtp.Client
	p := &smtp.Pool{Max: 3, Open: func(ctx context.Context) (*smtp.Client, error) {
		c, err := smtp.Dial(ctx, srv.Endpoint("tcp"), smtp.Options{Security: smtp.InClear})
		mu.Lock()
		defer mu.Unlock()
		opened++
		last = c
		return c, err
	}}
	ctx := within(t)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			for range 10 {
				if _, err := p.Send(ctx, message(t, strings.NewReader("x"), "a@b")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(srv.Messages()); n != 100 || opened > 3 {
		t.Errorf("%d messages in %d sessions", n, opened)
	}
	one := &smtp.Pool{Max: 1, Open: p.Open}
	for range 3 {
		if _, err := one.Send(ctx, message(t, strings.NewReader("x"), "a@b")); err != nil {
			t.Error(err)
		}
		last.Close() // as if the server had hung up
	}
	if err := p.Close(ctx); err != nil {
		t.Error(err)
	}
	if _, err := p.Send(ctx, message(t, strings.NewReader("x"), "a@b")); !errors.Is(err, smtp.ErrPoolClosed) {
		t.Error(err)
	}
}
