package auth

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxField is how long a name or a password may be (RFC 4616 section 2 has
// room for 255 characters at least).
const maxField = 1024

// plainClient is PLAIN (RFC 4616).
type plainClient struct {
	authorization, user, password string
	done                          bool
}

func (*plainClient) Name() string { return PLAIN }

func (c *plainClient) Start() ([]byte, error) {
	if strings.IndexByte(c.authorization+c.user+c.password, 0) >= 0 {
		return nil, fmt.Errorf("%w: a NUL in a name or password", ErrMalformed)
	}
	c.done = true
	return []byte(c.authorization + "\x00" + c.user + "\x00" + c.password), nil
}

func (c *plainClient) Next([]byte) ([]byte, error) { return nil, ErrMalformed }
func (c *plainClient) Done() bool                  { return c.done }

type plainServer struct{ exchange }

func (s *plainServer) Next(ctx context.Context, response []byte) ([]byte, bool, error) {
	if response == nil {
		return []byte{}, false, nil
	}
	f := bytes.Split(response, []byte{0})
	if len(f) != 3 || len(f[1]) == 0 || len(f[2]) == 0 || !fits(f...) {
		return nil, false, ErrMalformed
	}
	err := s.password(ctx, string(f[0]), string(f[1]), string(f[2]))
	return nil, err == nil, err
}

func fits(fields ...[]byte) bool {
	for _, f := range fields {
		if len(f) > maxField {
			return false
		}
	}
	return true
}

// loginClient is LOGIN, which was never more than a draft
// (draft-murchison-sasl-login): the answers to two questions, whose words
// differ.
type loginClient struct {
	user, password string
	asked          int
}

func (*loginClient) Name() string { return LOGIN }

func (c *loginClient) Start() ([]byte, error) { return nil, nil }

func (c *loginClient) Next([]byte) ([]byte, error) {
	c.asked++
	switch c.asked {
	case 1:
		return []byte(c.user), nil
	case 2:
		return []byte(c.password), nil
	}
	return nil, ErrMalformed
}

func (c *loginClient) Done() bool { return c.asked >= 2 }

type loginServer struct {
	exchange
	user  string
	asked bool
	named bool
}

func (s *loginServer) Next(ctx context.Context, response []byte) ([]byte, bool, error) {
	switch {
	case response == nil && !s.asked:
		s.asked = true
		return []byte("Username:"), false, nil
	case len(response) > maxField:
		return nil, false, ErrMalformed
	case !s.named: // also as an initial response, as Outlook has it
		s.user, s.asked, s.named = string(response), true, true
		return []byte("Password:"), false, nil
	}
	err := s.password(ctx, "", s.user, string(response))
	return nil, err == nil, err
}

// cramClient is CRAM-MD5 (RFC 2195).
type cramClient struct {
	user, password string
	done           bool
}

func (*cramClient) Name() string             { return CRAMMD5 }
func (c *cramClient) Start() ([]byte, error) { return nil, nil }

func (c *cramClient) Next(challenge []byte) ([]byte, error) {
	if c.done {
		return nil, ErrMalformed
	}
	c.done = true
	return []byte(c.user + " " + hex.EncodeToString(cramMD5(c.password, string(challenge)))), nil
}

func (c *cramClient) Done() bool { return c.done }

type cramServer struct {
	exchange
	challenge string
}

func (s *cramServer) Next(ctx context.Context, response []byte) ([]byte, bool, error) {
	if s.challenge == "" {
		if len(response) > 0 { // the server speaks first
			return nil, false, ErrMalformed
		}
		if s.challenge = "<" + rand.Text() + "@farend>"; s.a.pick != nil {
			s.challenge = s.a.pick()
		}
		return []byte(s.challenge), false, nil
	}
	i := bytes.LastIndexByte(response, ' ') // a name may have blanks in it
	if i <= 0 || !fits(response) || !utf8.Valid(response) {
		return nil, false, ErrMalformed
	}
	digest, err := hex.DecodeString(string(response[i+1:]))
	if err != nil {
		return nil, false, ErrMalformed
	}
	err = s.digest(ctx, string(response[:i]), digest, func(password string) []byte { return cramMD5(password, s.challenge) })
	return nil, err == nil, err
}
