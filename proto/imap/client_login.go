package imap

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/farend-go/farend/auth"
)

// MechanismLOGIN is the command LOGIN as an auth.Credentials.Mechanism.
const MechanismLOGIN = "+LOGIN"

// Login says who we are by the best means that the server offers: a mechanism
// of SASL's, and the next one where it is refused; where there is none, the
// command LOGIN. cred.Mechanism picks one: a mechanism's name, or
// MechanismLOGIN. No plain password goes over a connection in clear but to this
// machine, or with cred.ClearText: auth.ErrClear. Then names are put into UTF-8,
// where the server can and Options.Plain does not forbid it.
//
// auth.ErrRefused: the server lets nobody in with these credentials. The error
// is the server's Status, too, and the session goes on.
func (c *Client) Login(ctx context.Context, cred auth.Credentials) error {
	if c.greeting.Kind == PREAUTH {
		return c.settle(ctx)
	}
	caps, err := c.Capabilities(ctx)
	if err != nil {
		return err
	}
	ch := c.channel()
	if strings.EqualFold(cred.Mechanism, MechanismLOGIN) {
		err = c.login(ctx, cred, ch)
	} else {
		plain := false
		err = cred.Login(ctx, caps.Mechanisms(), ch, func(m auth.Client) error {
			plain = plain || m.Name() == auth.PLAIN || m.Name() == auth.LOGIN
			return c.authenticate(ctx, m)
		})
		if errors.Is(err, auth.ErrServer) {
			c.broken = true // whoever that is
		}
		if err != nil && !c.broken && cred.Mechanism == "" && cred.User != "" && !plain && others(err) && !caps.Has("LOGINDISABLED") {
			err = c.login(ctx, cred, ch)
		}
	}
	if err != nil {
		return err
	}
	return c.settle(ctx)
}

// others tells whether another way may be tried.
func others(err error) bool {
	return errors.Is(err, auth.ErrRefused) || errors.Is(err, auth.ErrMechanism)
}

// settle is what to do after a login.
func (c *Client) settle(ctx context.Context) error {
	caps, err := c.Capabilities(ctx)
	if err != nil || c.o.Plain {
		return err
	}
	for _, name := range []string{"IMAP4rev2", "UTF8=ACCEPT"} {
		if !caps.Has("ENABLE") && !caps.Has("IMAP4REV2") || !caps.Has(name) || c.utf8() {
			continue
		}
		if _, err := c.Enable(name).Wait(ctx); err != nil && !refused(err) {
			return err
		}
	}
	return nil
}

// channel is what logins must know of the connection.
func (c *Client) channel() auth.Channel {
	ch := auth.Channel{Peer: c.c.RemoteAddr(), Host: c.e.Host}
	ch.Port, _ = strconv.Atoi(c.e.Port) // 0, the name of a service: it is not said
	if state, ok := c.c.TLS(); ok {
		ch.TLS = &state
	}
	return ch
}

func (c *Client) login(ctx context.Context, cred auth.Credentials, ch auth.Channel) error {
	if !cred.PlainAllowed(ch) {
		return auth.ErrClear
	}
	st := c.style()
	x := c.alone("LOGIN", st.AString(append(st.AString(nil, cred.User), ' '), cred.Password)).x
	x.secret = true
	return c.welcome(ctx, x)
}

// welcome waits for the end of a login.
func (c *Client) welcome(ctx context.Context, x *command) error {
	x.end = func(s Status) error {
		if s.Kind == OK && s.Code.Name != "CAPABILITY" {
			c.caps = nil // they may be others now
		}
		return nil
	}
	return loginError(c.wait(ctx, x))
}

// loginError tells a refusal of the credentials from others.
func loginError(err error) error {
	s, ok := errors.AsType[Status](err)
	if !ok || s.Kind != NO && s.Kind != BAD {
		return err
	}
	switch s.Code.Name {
	case CodeUnavailable, CodeInUse, CodeLimit, CodeContactAdmin, CodeServerBug:
		return err
	}
	return fmt.Errorf("%w: %w", auth.ErrRefused, s)
}

// authenticate runs a mechanism (RFC 9051 section 6.2.2).
func (c *Client) authenticate(ctx context.Context, m auth.Client) error {
	initial, err := m.Start()
	if err != nil {
		return err
	}
	args := []byte(m.Name())
	if initial != nil && (c.caps.Has("SASL-IR") || c.caps.Has("IMAP4REV2")) {
		args, initial = auth.AppendInitial(append(args, ' '), initial), nil
	}
	x := c.alone("AUTHENTICATE", args).x
	x.secret = true
	exchange := &exchange{m: m, initial: initial}
	x.end = func(s Status) error {
		if s.Kind == OK && s.Code.Name != "CAPABILITY" {
			c.caps = nil
		}
		return nil
	}
	for !x.done {
		if err := c.within(ctx, c.say); err != nil {
			return fmt.Errorf("imap: %w", err)
		}
		r, msg, err := c.hear(ctx)
		if err == nil && msg != nil {
			_, err = c.deliver(msg)
		} else if err == nil {
			err = c.authStep(ctx, r, x, exchange)
		}
		if err != nil {
			return err
		}
	}
	if exchange.err != nil {
		if x.status.Kind == OK {
			c.broken = true
			return fmt.Errorf("%w: it says OK to an exchange that was given up: %w", auth.ErrServer, exchange.err)
		}
		return exchange.err
	}
	return loginError(x.err)
}

// exchange is a mechanism while it runs.
type exchange struct {
	m       auth.Client
	initial []byte
	err     error // why it was given up
}

// authStep takes a response of an exchange in.
func (c *Client) authStep(ctx context.Context, r Response, x *command, e *exchange) error {
	switch r.Tag {
	case "*":
		return c.untagged(r)
	case "+":
		c.c.Redact(len("+ ")) // who knows the challenges can guess at the password
	default:
		return c.finish(r)
	}
	if e.err != nil {
		c.broken = true
		return fmt.Errorf("%w: a challenge to an exchange that was given up", ErrStep)
	}
	var answer []byte
	challenge, err := auth.Parse(r.Rest)
	switch {
	case err != nil:
	case e.initial != nil && len(challenge) == 0:
		answer, e.initial = e.initial, nil
	default:
		answer, err = e.m.Next(challenge)
	}
	line := auth.Append(nil, answer)
	if err != nil {
		e.err, line = err, []byte("*")
	}
	return c.within(ctx, func() error {
		return c.c.Secret(func() error { return errors.Join(c.c.W.Line(line), c.c.W.Flush()) })
	})
}
