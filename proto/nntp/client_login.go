package nntp

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/farend-go/farend/auth"
)

// MechanismUSER, in auth.Credentials, is AUTHINFO USER and PASS.
const MechanismUSER = "+USER"

// Login says who we are by the best means that the server offers: a mechanism
// of SASL's, and the next one where it is refused; where there is none, AUTHINFO
// USER and PASS. cred.Mechanism picks one. No plain password goes over a
// connection in clear but to this machine, or with cred.ClearText:
// auth.ErrClear.
//
// auth.ErrRefused: the server lets nobody in with these credentials. The error
// is the server's Reply, too, and the session goes on.
func (c *Client) Login(ctx context.Context, cred auth.Credentials) error {
	caps, err := c.Capabilities(ctx)
	if err != nil {
		return err
	}
	ch := c.channel()
	if strings.EqualFold(cred.Mechanism, MechanismUSER) {
		return c.user(ctx, cred, ch)
	}
	plain := false
	err = cred.Login(ctx, caps["SASL"], ch, func(m auth.Client) error {
		plain = plain || m.Name() == auth.PLAIN || m.Name() == auth.LOGIN
		return c.exchange(ctx, m)
	})
	switch {
	case err == nil:
		return c.loggedIn(ctx)
	case errors.Is(err, auth.ErrServer):
		c.broken = true // whoever that is
	}
	others := errors.Is(err, auth.ErrRefused) || errors.Is(err, auth.ErrMechanism) || errors.Is(err, auth.ErrClear)
	offered := len(caps) == 0 || caps.Has("AUTHINFO", "USER")
	if c.broken || cred.Mechanism != "" || cred.User == "" || cred.Password == "" || plain || !others || !offered {
		return err
	}
	return c.user(ctx, cred, ch)
}

// loggedIn has what the server can do asked for anew (RFC 4643 section 2.1).
func (c *Client) loggedIn(context.Context) error {
	c.caps = nil
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

// User says who we are by AUTHINFO USER and PASS, whatever the connection; Login
// looks at that. Some servers want no password.
func (c *Client) User(ctx context.Context, user, password string) error {
	if err := c.write("AUTHINFO", "USER "+user); err != nil {
		return err
	}
	r, err := c.hear(ctx)
	if err != nil {
		return err
	}
	if r.Code/100 == 2 {
		return c.loggedIn(ctx)
	}
	if err := c.secret(ctx, "AUTHINFO", "PASS "+password); err != nil {
		return err
	}
	if r, err = c.hear(ctx); err != nil {
		return err
	}
	if r.Code/100 != 2 {
		c.broken = true
		return fmt.Errorf("%w: AUTHINFO PASS was answered with %d", ErrReply, r.Code)
	}
	return c.loggedIn(ctx)
}

func (c *Client) user(ctx context.Context, cred auth.Credentials, ch auth.Channel) error {
	if !cred.PlainAllowed(ch) {
		return auth.ErrClear
	}
	return c.User(ctx, cred.User, cred.Password)
}

// hear is answer where both a 2 and a 3 may come.
func (c *Client) hear(ctx context.Context) (Reply, error) {
	line, err := c.line(ctx)
	if err != nil {
		return Reply{}, err
	}
	r, err := ParseReply(line)
	if err != nil || r.Code < 200 {
		c.broken = true
		return r, fmt.Errorf("%w: %.100q", ErrReply, line)
	}
	if r.Code >= 400 {
		return r, r
	}
	return r, nil
}

// secret says what no tap may hear.
func (c *Client) secret(ctx context.Context, verb, arg string) error {
	return c.c.Secret(func() error { return errors.Join(c.write(verb, arg), c.flush(ctx)) })
}

// maxInitial is how long a command may be; a longer initial response waits for
// a challenge (RFC 4643 section 2.4.2).
const maxInitial = 512 - 2

// exchange runs a mechanism.
func (c *Client) exchange(ctx context.Context, m auth.Client) error {
	initial, err := m.Start()
	if err != nil {
		return err
	}
	arg := "SASL " + m.Name()
	if initial != nil {
		full := string(auth.AppendInitial([]byte(arg+" "), initial))
		if len("AUTHINFO ")+len(full) <= maxInitial {
			arg, initial = full, nil
		}
	}
	if err := c.secret(ctx, "AUTHINFO", arg); err != nil {
		return err
	}
	for {
		r, err := c.hear(ctx)
		switch {
		case err != nil && r.Code == 503:
			return fmt.Errorf("%w: %w", auth.ErrMechanism, err)
		case err != nil, r.Code == 281:
			return err
		case r.Code != 383 && r.Code != 283:
			c.broken = true
			return fmt.Errorf("%w: AUTHINFO SASL was answered with %d", ErrReply, r.Code)
		}
		c.c.Redact(len("383 "))
		var challenge, response []byte
		if word := r.word(0); word != "=" {
			challenge, err = auth.Parse([]byte(word))
		}
		switch {
		case err != nil:
			return c.cancel(ctx, err)
		case initial != nil && len(challenge) == 0 && r.Code == 383:
			response, initial = initial, nil
		default:
			if response, err = m.Next(challenge); err != nil && r.Code == 383 {
				return c.cancel(ctx, err)
			}
		}
		if r.Code == 283 {
			return err
		}
		line := []byte("=")
		if len(response) > 0 {
			line = auth.Append(nil, response)
		}
		if err := c.c.Secret(func() error { return errors.Join(c.c.W.Line(line), c.flush(ctx)) }); err != nil {
			return err
		}
	}
}

// cancel gives an exchange up, for the reason why.
func (c *Client) cancel(ctx context.Context, why error) error {
	if err := c.c.W.LineString("*"); err != nil {
		return errors.Join(why, err)
	}
	r, err := c.hear(ctx)
	if err == nil {
		c.broken = true
		return fmt.Errorf("%w: it says %q to an exchange that was given up: %w", auth.ErrServer, r.Text, why)
	}
	if !refused(err) {
		return errors.Join(why, err)
	}
	return why
}
