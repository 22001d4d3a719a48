package auth

import (
	"bytes"
	"context"
	"unicode/utf8"
)

// externalClient is EXTERNAL (RFC 4422 appendix A): the certificate says who we
// are.
type externalClient struct {
	authorization string
	done          bool
}

func (*externalClient) Name() string { return EXTERNAL }

func (c *externalClient) Start() ([]byte, error) {
	c.done = true
	return []byte(c.authorization), nil
}

func (c *externalClient) Next([]byte) ([]byte, error) { return nil, ErrMalformed }
func (c *externalClient) Done() bool                  { return c.done }

type externalServer struct{ exchange }

func (s *externalServer) Next(ctx context.Context, response []byte) ([]byte, bool, error) {
	if response == nil {
		return []byte{}, false, nil
	}
	if !fits(response) || !utf8.Valid(response) || bytes.IndexByte(response, 0) >= 0 {
		return nil, false, ErrMalformed
	}
	err := s.found(ctx, string(response), func() (Account, error) {
		return s.a.Accounts.(Certificates).Certificate(ctx, s.ch.TLS)
	})
	return nil, err == nil, err
}

// found is a login by something else than a password.
func (e *exchange) found(ctx context.Context, authorization string, find func() (Account, error)) error {
	t, err := e.begin(ctx)
	if err != nil {
		return err
	}
	account, err := find()
	if err != nil && !isUnknown(err) {
		return err
	}
	return e.settle(ctx, t, err == nil && account.Name != "", account.Name, authorization)
}

// anonymousClient is ANONYMOUS (RFC 4505).
type anonymousClient struct {
	trace string
	done  bool
}

func (*anonymousClient) Name() string { return ANONYMOUS }

func (c *anonymousClient) Start() ([]byte, error) {
	c.done = true
	return []byte(c.trace), nil
}

func (c *anonymousClient) Next([]byte) ([]byte, error) { return nil, ErrMalformed }
func (c *anonymousClient) Done() bool                  { return c.done }

// maxTrace is how many characters a trace may have (RFC 4505 section 2).
const maxTrace = 255

type anonymousServer struct{ exchange }

func (s *anonymousServer) Next(ctx context.Context, response []byte) ([]byte, bool, error) {
	if response == nil {
		return []byte{}, false, nil
	}
	if !utf8.Valid(response) || utf8.RuneCount(response) > maxTrace || bytes.IndexByte(response, 0) >= 0 {
		return nil, false, ErrMalformed
	}
	err := s.found(ctx, "", func() (Account, error) {
		return s.a.Accounts.(Guests).Guest(ctx, string(response))
	})
	return nil, err == nil, err
}
