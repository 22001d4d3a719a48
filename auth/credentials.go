package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/xdg-go/scram"
)

// Credentials are what a client can say of itself. The zero Credentials can say
// nothing. They are not changed, and may be used concurrently.
type Credentials struct {
	User     string
	Password string
	// Authorization is as whom to act; "": as User.
	Authorization string

	// Token gives a bearer token of OAuth 2.0 for OAUTHBEARER and XOAUTH2;
	// fresh asks for a new one, the last having been refused. nil: none.
	Token func(ctx context.Context, fresh bool) (string, error)
	// External has the TLS certificate say who we are.
	External bool
	// Anonymous says nothing but Trace, an address of ours or "".
	Anonymous bool
	Trace     string

	// Mechanism is the only one to be tried; "": any, strongest first.
	Mechanism string
	// ClearText lets a plain password or a token out without TLS.
	ClearText bool
}

// Choose is what to try of the mechanisms that a server offers, strongest
// first.
func (c Credentials) Choose(offered []string, ch Channel) []string {
	may := map[string]bool{}
	for _, name := range offered {
		may[strings.ToUpper(name)] = true
	}
	return slices.DeleteFunc(strength(), func(name string) bool {
		wanted := c.Mechanism == "" || strings.EqualFold(c.Mechanism, name)
		return !may[name] || !wanted || c.able(name, ch) != nil
	})
}

// able tells why a mechanism is not possible.
func (c Credentials) able(name string, ch Channel) error {
	have := c.User != "" && c.Password != ""
	clear := false
	switch name {
	case PLAIN, LOGIN:
		clear = true
	case CRAMMD5, SCRAMSHA1, SCRAMSHA256:
	case SCRAMSHA1PLUS, SCRAMSHA256PLUS:
		have = have && len(ch.bindings(false)) > 0
	case EXTERNAL:
		have = c.External && ch.TLS != nil
	case ANONYMOUS:
		have = c.Anonymous
	case OAUTHBEARER, XOAUTH2:
		have, clear = c.Token != nil, true
	default:
		have = false
	}
	if (name == LOGIN || name == CRAMMD5) && c.Authorization != "" && c.Authorization != c.User {
		have = false // they cannot say it
	}
	if !have {
		return fmt.Errorf("%w: %s", ErrMechanism, name)
	}
	if clear && !c.PlainAllowed(ch) {
		return fmt.Errorf("%w: %s", ErrClear, name)
	}
	return nil
}

// PlainAllowed tells whether a plain password may be said: for USER and PASS.
func (c Credentials) PlainAllowed(ch Channel) bool { return c.ClearText || ch.Private() }

// Client begins an exchange by one mechanism. offered is what the server
// offers. ErrMechanism, ErrClear: it is not possible; the error of Token.
func (c Credentials) Client(ctx context.Context, name string, offered []string, ch Channel) (Client, error) {
	return c.client(ctx, name, offered, ch, false)
}

func (c Credentials) client(ctx context.Context, name string, offered []string, ch Channel, fresh bool) (Client, error) {
	name = strings.ToUpper(name)
	if err := c.able(name, ch); err != nil {
		return nil, err
	}
	switch name {
	case PLAIN:
		return &plainClient{authorization: c.Authorization, user: c.User, password: c.Password}, nil
	case LOGIN:
		return &loginClient{user: c.User, password: c.Password}, nil
	case CRAMMD5:
		return &cramClient{user: c.User, password: c.Password}, nil
	case EXTERNAL:
		return &externalClient{authorization: c.Authorization}, nil
	case ANONYMOUS:
		return &anonymousClient{trace: c.Trace}, nil
	case OAUTHBEARER, XOAUTH2:
		token, err := c.Token(ctx, fresh)
		if err != nil {
			return nil, err
		}
		return &bearerClient{google: name == XOAUTH2, user: c.User, token: token, host: ch.Host, port: ch.Port}, nil
	}
	var binding *scram.ChannelBinding
	able := ch.bindings(false)
	if isPlus(name) {
		binding = &able[0]
	}
	plus := slices.ContainsFunc(offered, func(o string) bool {
		return strings.HasPrefix(strings.ToUpper(o), "SCRAM-") && isPlus(strings.ToUpper(o))
	})
	return newSCRAM(name, &c, binding, len(able) > 0 && !plus, nil)
}

// Login tries what Choose gives, the strongest first, until exchange returns
// something else than ErrRefused; of several that a server checks in the same
// way only the first, for each failure makes the next take longer: a SCRAM, and
// then a plain password where one is allowed, else CRAM-MD5. A refused token is
// asked for anew, once. Where all are refused the last refusal is returned. An
// exchange that ended well though the Client is not Done is ErrServer.
// ErrMechanism: the server offers nothing that could be tried; ErrClear:
// nothing without TLS.
func (c Credentials) Login(ctx context.Context, offered []string, ch Channel, exchange func(Client) error) error {
	try := spare(c.Choose(offered, ch))
	if len(try) == 0 {
		return c.none(offered, ch)
	}
	var err error
	renewed := false
	for _, name := range try {
		err = c.attempt(ctx, name, offered, ch, false, exchange)
		if token := name == OAUTHBEARER || name == XOAUTH2; token && !renewed && errors.Is(err, ErrRefused) {
			renewed = true
			err = c.attempt(ctx, name, offered, ch, true, exchange)
		}
		if !errors.Is(err, ErrRefused) || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// spare takes out what would be refused as the others were.
func spare(all []string) []string {
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return slices.Contains(all, name) })
	}
	scrams := []string{SCRAMSHA256PLUS, SCRAMSHA1PLUS, SCRAMSHA256, SCRAMSHA1}
	seen := false
	return slices.DeleteFunc(slices.Clone(all), func(name string) bool {
		switch name {
		case SCRAMSHA256PLUS, SCRAMSHA1PLUS, SCRAMSHA256, SCRAMSHA1:
			again := seen
			seen = true
			return again
		case CRAMMD5:
			return has(scrams...) && has(PLAIN, LOGIN)
		case LOGIN:
			return has(PLAIN)
		}
		return false
	})
}

func (c Credentials) attempt(ctx context.Context, name string, offered []string, ch Channel, fresh bool, exchange func(Client) error) error {
	client, err := c.client(ctx, name, offered, ch, fresh)
	if err != nil {
		return err
	}
	if err := exchange(client); err != nil {
		return err
	}
	if !client.Done() {
		return ErrServer
	}
	return nil
}

// none says why nothing can be tried.
func (c Credentials) none(offered []string, ch Channel) error {
	for _, name := range offered {
		if err := c.able(strings.ToUpper(name), ch); errors.Is(err, ErrClear) {
			return err
		}
	}
	return fmt.Errorf("%w: the server offers %q", ErrMechanism, offered)
}
