package pop3

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/farend-go/farend/auth"
)

// Mechanisms of auth.Credentials that are POP3's own (RFC 2384 section 4).
const (
	MechanismAPOP = "+APOP"
	MechanismUSER = "+USER"
)

// Login says who we are by the best means that the server offers: a mechanism
// of SASL's, and the next one where it is refused; where there is none, APOP,
// then USER and PASS. cred.Mechanism picks one: a mechanism's name,
// MechanismAPOP or MechanismUSER. No plain password goes over a connection in
// clear but to this machine, or with cred.ClearText: auth.ErrClear.
//
// auth.ErrRefused: the server lets nobody in with these credentials; ErrInUse:
// it would, but another session has the maildrop. The error is the server's
// Reply, too, and the session goes on.
func (c *Client) Login(ctx context.Context, cred auth.Credentials) error {
	caps, err := c.Capabilities(ctx)
	if err != nil {
		return err
	}
	ch := c.channel()
	switch strings.ToUpper(cred.Mechanism) {
	case MechanismAPOP:
		return c.APOP(ctx, cred.User, cred.Password)
	case MechanismUSER:
		return c.user(ctx, cred, ch)
	}
	plain, digest := false, false
	err = cred.Login(ctx, caps["SASL"], ch, func(m auth.Client) error {
		plain = plain || m.Name() == auth.PLAIN || m.Name() == auth.LOGIN
		digest = digest || m.Name() == auth.CRAMMD5
		return c.exchange(ctx, m)
	})
	switch {
	case err == nil:
		c.caps = nil // they may be others now
		return nil
	case errors.Is(err, auth.ErrServer):
		c.broken = true // whoever that is
	}
	if c.broken || cred.Mechanism != "" || cred.User == "" || cred.Password == "" || !others(err) {
		return err
	}
	return c.loginWithout(ctx, cred, ch, err, plain, digest)
}

// others tells whether another way may be tried.
func others(err error) bool {
	return errors.Is(err, auth.ErrRefused) || errors.Is(err, auth.ErrMechanism) || errors.Is(err, auth.ErrClear)
}

// loginWithout tries what there was before SASL, unless it would be refused for
// the same reason. err is what SASL came to.
func (c *Client) loginWithout(ctx context.Context, cred auth.Credentials, ch auth.Channel, err error, plain, digest bool) error {
	user := len(c.caps) == 0 || c.caps.Has("USER")
	tried := errors.Is(err, auth.ErrRefused)
	if c.stamp != "" && !plain && !digest && !(tried && user && cred.PlainAllowed(ch)) {
		if err = c.APOP(ctx, cred.User, cred.Password); err == nil || !others(err) {
			return err
		}
	}
	if !user || plain {
		return err
	}
	if !cred.PlainAllowed(ch) {
		if tried || !errors.Is(err, auth.ErrMechanism) {
			return err
		}
		return auth.ErrClear
	}
	return c.user(ctx, cred, ch)
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

// maxInitial is how long a command may be (RFC 2449 section 4); a longer
// initial response waits for a challenge (RFC 5034 section 4).
const maxInitial = 255 - 2

// exchange runs a mechanism.
func (c *Client) exchange(ctx context.Context, m auth.Client) error {
	initial, err := m.Start()
	if err != nil {
		return err
	}
	cmd := Command{"AUTH", m.Name()}
	if initial != nil {
		full := string(auth.AppendInitial([]byte(m.Name()+" "), initial))
		if len("AUTH ")+len(full) <= maxInitial {
			cmd.Arg, initial = full, nil
		}
	}
	if err := c.c.Secret(func() error { return errors.Join(c.write(cmd), c.flush(ctx)) }); err != nil {
		return err
	}
	for {
		challenge, over, err := c.challenge(ctx)
		if over || err != nil {
			return err
		}
		var response []byte
		if initial != nil && len(challenge) == 0 {
			response, initial = initial, nil
		} else if response, err = m.Next(challenge); err != nil {
			return c.cancel(ctx, err)
		}
		if err := c.c.Secret(func() error { return errors.Join(c.c.W.Line(auth.Append(nil, response)), c.flush(ctx)) }); err != nil {
			return err
		}
	}
}

func (c *Client) flush(ctx context.Context) error {
	if c.c.W.Buffered() == 0 {
		return nil
	}
	return c.within(ctx, c.c.W.Flush)
}

// challenge hears a challenge, or the end of the exchange.
func (c *Client) challenge(ctx context.Context) (challenge []byte, over bool, err error) {
	line, err := c.line(ctx)
	if err != nil {
		return nil, true, err
	}
	text, ok := strings.CutPrefix(string(line), "+ ")
	if string(line) == "+" { // servers that trim their lines
		text, ok = "", true
	}
	if ok {
		c.c.Redact(len("+ ")) // who knows the challenges can guess at the password
		challenge, err = auth.Parse([]byte(text))
		if err != nil {
			return nil, true, c.cancel(ctx, err)
		}
		return challenge, false, nil
	}
	r, err := ParseReply(line)
	if err != nil {
		c.broken = true
		return nil, true, fmt.Errorf("%w: %.100q", err, line)
	}
	if !r.OK {
		return nil, true, r
	}
	return nil, true, nil
}

// cancel gives an exchange up (RFC 5034 section 4), for the reason why.
func (c *Client) cancel(ctx context.Context, why error) error {
	if err := c.c.W.LineString("*"); err != nil {
		return errors.Join(why, err)
	}
	r, err := c.answer(ctx)
	if err == nil {
		c.broken = true
		return fmt.Errorf("%w: it says %q to an exchange that was given up: %w", auth.ErrServer, r.Text, why)
	}
	if !refused(err) {
		return errors.Join(why, err)
	}
	return why
}

// APOP says who we are by a digest of the greeting's time stamp and the
// password (RFC 1939 section 7). auth.ErrMechanism: the server has no APOP.
func (c *Client) APOP(ctx context.Context, user, password string) error {
	if c.stamp == "" {
		return fmt.Errorf("%w: no time stamp in the greeting, so no APOP", auth.ErrMechanism)
	}
	digest := hex.EncodeToString(apopDigest(c.stamp, auth.Prepare(password)))
	if err := c.secret(ctx, Command{"APOP", user + " " + digest}); err != nil {
		return err
	}
	c.caps = nil
	return nil
}

// User says who we are by USER and PASS, whatever the connection; Login looks
// at that.
func (c *Client) User(ctx context.Context, user, password string) error {
	if _, err := c.Cmd(ctx, "USER", user); err != nil {
		return err
	}
	if err := c.secret(ctx, Command{"PASS", password}); err != nil {
		return err
	}
	c.caps = nil
	return nil
}

func (c *Client) user(ctx context.Context, cred auth.Credentials, ch auth.Channel) error {
	if !cred.PlainAllowed(ch) {
		return auth.ErrClear
	}
	return c.User(ctx, cred.User, cred.Password)
}

// secret says what no tap may hear.
func (c *Client) secret(ctx context.Context, cmd Command) error {
	if err := c.c.Secret(func() error { return errors.Join(c.write(cmd), c.flush(ctx)) }); err != nil {
		return err
	}
	_, err := c.answer(ctx)
	return err
}
