package smtp

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv"
)

// handshakeLimit bounds a handshake on a running session.
const handshakeLimit = 10 * time.Second

// startTLS begins TLS, and the session anew (RFC 3207 section 4.2). Commands
// that came behind it in clear end the connection.
func (s *session) startTLS(ctx context.Context, _ string) error {
	if s.secured() {
		return s.fault(Reply{503, Status{5, 5, 1}, "There is TLS already"})
	}
	s.abort()
	s.reply(220, Status{2, 0, 0}, "Begin")
	ctx, cancel := context.WithTimeout(ctx, handshakeLimit)
	defer cancel()
	if err := s.talk.Upgrade(ctx, conv.ServerTLS(ctx, s.h.TLS)); err != nil {
		return err
	}
	s.hello, s.esmtp, s.user = "", false, ""
	s.setLineLimit()
	return nil
}

// channel is what SASL must know of the connection.
func (s *session) channel() auth.Channel {
	s.who()
	ch := auth.Channel{Peer: s.talk.RemoteAddr()}
	if s.secured() {
		ch.TLS = s.tls
	}
	if s.h.TLS != nil {
		ch.Certificate = auth.ServerCertificate(s.h.TLS)
	}
	return ch
}

// mechanisms is what AUTH may be said with now.
func (s *session) mechanisms() []string {
	if s.h.Auth == nil || s.user != "" {
		return nil
	}
	return s.h.Auth.Mechanisms(s.channel())
}

// auth logs in (RFC 4954 section 4).
func (s *session) auth(ctx context.Context, arg string) error {
	if s.user != "" || s.tx != nil || !s.esmtp {
		return s.fault(replySequence)
	}
	name, first, has := strings.Cut(arg, " ")
	exchange, err := s.h.Auth.Server(name, s.channel())
	if err != nil {
		return s.refuseLogin(err)
	}
	var initial []byte
	if has {
		if initial, err = auth.ParseInitial([]byte(first)); err != nil {
			return s.refuseLogin(auth.ErrMalformed)
		}
	}
	err = s.talk.Secret(func() error { return s.converse(ctx, exchange, initial) })
	if err != nil {
		return s.refuseLogin(err)
	}
	id := exchange.Identity()
	if s.user = id.Authorization; s.user == "" {
		s.user = id.Authentication
	}
	s.setLineLimit()
	s.reply(235, Status{2, 7, 0}, "Welcome")
	return nil
}

// talkError is what the connection did while a login ran.
type talkError struct{ error }

// converse runs the exchange; the Authenticator may take its time over it.
func (s *session) converse(ctx context.Context, exchange auth.Server, response []byte) error {
	for {
		var challenge []byte
		var done bool
		var refused error
		err := s.talk.Detour(func() error {
			challenge, done, refused = exchange.Next(ctx, response)
			return nil
		})
		if err != nil {
			return talkError{err}
		}
		if refused != nil || done {
			return refused
		}
		s.out = append(auth.Append(append(s.out[:0], "334 "...), challenge), '\r', '\n')
		if _, err := s.talk.W.Write(s.out); err != nil {
			return talkError{err}
		}
		line, err := s.talk.R.Line()
		if err != nil {
			return talkError{err}
		}
		if response, err = auth.Parse(line); err != nil {
			return err
		}
	}
}

// refuseLogin answers a login that came to nothing.
func (s *session) refuseLogin(err error) error {
	if broken, ok := err.(talkError); ok { //nolint:errorlint // it comes bare from converse
		return s.badLine(broken.error)
	}
	r := Reply{454, Status{4, 7, 0}, "Cannot check logins now"}
	switch {
	case errors.Is(err, auth.ErrMechanism):
		return s.fault(Reply{504, Status{5, 5, 4}, "Mechanism not offered"})
	case errors.Is(err, auth.ErrClear):
		return s.fault(Reply{538, Status{5, 7, 11}, "Not without TLS"})
	case errors.Is(err, auth.ErrCancelled):
		return s.fault(Reply{501, Status{5, 7, 0}, "Given up"})
	case errors.Is(err, auth.ErrMalformed):
		return s.fault(Reply{501, Status{5, 5, 2}, "Malformed response"})
	case errors.Is(err, auth.ErrRefused):
		r = Reply{535, Status{5, 7, 8}, "Login refused"}
	default:
		s.h.log().Error("login", "talk", s.talk.ID(), "err", err)
	}
	s.say(r)
	if s.logins++; s.logins >= s.h.limits.Logins {
		s.reply(421, Status{4, 7, 0}, "Too many logins")
		return io.EOF
	}
	return nil
}

// claim is what a trusted proxy says of its client.
type claim struct {
	name, hello, user string
	addr, local       netip.AddrPort
	esmtp             bool
	said              map[string]bool
}

// apply puts it in the place of what the connection tells.
func (c *claim) apply(p *Peer) {
	if c == nil {
		return
	}
	p.XClient, p.Name = true, c.name
	if c.said["ADDR"] || c.said["PORT"] {
		p.Addr = c.addr
	}
	if c.said["DESTADDR"] || c.said["DESTPORT"] {
		p.Local = c.local
	}
	if c.said["HELO"] && c.hello != "" {
		p.Hello = c.hello
	}
	if c.said["PROTO"] {
		p.ESMTP = c.esmtp
	}
	if c.said["LOGIN"] {
		p.User = c.user
	}
}

// trusted tells whether the peer may say XCLIENT.
func (s *session) trusted() bool {
	if len(s.h.TrustXClient) == 0 {
		return false
	}
	s.who()
	for _, prefix := range s.h.TrustXClient {
		if prefix.Contains(s.peer.Addr()) {
			return true
		}
	}
	return false
}

// xclient takes a trusted proxy's word for its client, and begins anew.
func (s *session) xclient(_ context.Context, arg string) error {
	if s.tx != nil {
		return s.fault(replyNested)
	}
	c := s.claimed
	if c == nil {
		c = &claim{said: map[string]bool{}, addr: s.peer, local: s.local}
	}
	for word := range strings.FieldsSeq(arg) {
		key, value, _ := strings.Cut(word, "=")
		value, ok := parseXtext(value)
		if !ok || !c.set(strings.ToUpper(key), value) {
			return s.fault(Reply{501, Status{5, 5, 4}, "Bad attribute"})
		}
	}
	s.claimed = c
	s.hello, s.esmtp = "", false
	s.user = c.user
	s.greet()
	return nil
}

// set takes an attribute in.
func (c *claim) set(key, value string) bool {
	unknown := strings.EqualFold(value, "[UNAVAILABLE]") || strings.EqualFold(value, "[TEMPUNAVAIL]")
	if unknown {
		value = ""
	}
	c.said[key] = true
	switch key {
	case "NAME":
		c.name = value
	case "HELO":
		c.hello = helloName(value)
	case "LOGIN":
		c.user = value
	case "PROTO":
		c.esmtp = strings.EqualFold(value, "ESMTP")
	case "ADDR":
		return setAddr(&c.addr, value, unknown)
	case "DESTADDR":
		return setAddr(&c.local, value, unknown)
	case "PORT":
		return setPort(&c.addr, value, unknown)
	case "DESTPORT":
		return setPort(&c.local, value, unknown)
	default:
		return false
	}
	return true
}

func setAddr(to *netip.AddrPort, value string, unknown bool) bool {
	if unknown {
		*to = netip.AddrPort{}
		return true
	}
	if len(value) > 5 && strings.EqualFold(value[:5], "IPV6:") {
		value = value[5:]
	}
	a, err := netip.ParseAddr(value)
	*to = netip.AddrPortFrom(a.Unmap(), to.Port())
	return err == nil
}

func setPort(to *netip.AddrPort, value string, unknown bool) bool {
	if unknown {
		value = "0"
	}
	n, err := strconv.ParseUint(value, 10, 16)
	*to = netip.AddrPortFrom(to.Addr(), uint16(n))
	return err == nil
}
