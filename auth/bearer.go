package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// bearerClient is OAUTHBEARER (RFC 7628) or Google's XOAUTH2.
type bearerClient struct {
	google bool
	user   string
	token  string
	host   string
	port   int
	done   bool
	failed bool
}

func (c *bearerClient) Name() string {
	if c.google {
		return XOAUTH2
	}
	return OAUTHBEARER
}

const soh = "\x01"

func (c *bearerClient) Start() ([]byte, error) {
	if strings.ContainsAny(c.user+c.token+c.host, soh+"\x00\r\n") {
		return nil, fmt.Errorf("%w: a control character in a name or token", ErrMalformed)
	}
	c.done = true
	if c.google {
		return []byte("user=" + c.user + soh + "auth=Bearer " + c.token + soh + soh), nil
	}
	b := "n,"
	if c.user != "" {
		b += "a=" + saslName(c.user)
	}
	b += "," + soh
	if c.host != "" {
		b += "host=" + c.host + soh
	}
	if c.port != 0 {
		b += "port=" + strconv.Itoa(c.port) + soh
	}
	return []byte(b + "auth=Bearer " + c.token + soh + soh), nil
}

// Next hears why the server refuses, which it then does (RFC 7628 section
// 3.2.3).
func (c *bearerClient) Next([]byte) ([]byte, error) {
	if !c.done || c.failed {
		return nil, ErrMalformed
	}
	c.failed = true
	if c.google {
		return []byte{}, nil
	}
	return []byte(soh), nil
}

func (c *bearerClient) Done() bool { return c.done && !c.failed }

func saslName(s string) string {
	return strings.NewReplacer("=", "=3D", ",", "=2C").Replace(s)
}

func parseSASLName(s string) (string, bool) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "=")
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		switch {
		case strings.HasPrefix(after, "2C"):
			b.WriteByte(',')
		case strings.HasPrefix(after, "3D"):
			b.WriteByte('=')
		default:
			return "", false
		}
		s = after[2:]
	}
}

type bearerServer struct {
	exchange
	google bool
	failed bool
}

func (s *bearerServer) Next(ctx context.Context, response []byte) ([]byte, bool, error) {
	switch {
	case s.failed: // the client has heard why
		return nil, false, ErrRefused
	case response == nil:
		return []byte{}, false, nil
	}
	name, token, ok := parseBearer(string(response), s.google)
	if !ok {
		return nil, false, ErrMalformed
	}
	err := s.found(ctx, name, func() (Account, error) {
		return s.a.Accounts.(Tokens).Token(ctx, Prepare(name), token)
	})
	if errors.Is(err, ErrRefused) {
		s.failed = true
		why, err := json.Marshal(map[string]string{"status": "invalid_token", "schemes": "bearer"})
		return why, false, err
	}
	return nil, err == nil, err
}

// parseBearer takes a client's message apart: key=value, a SOH behind each, and
// one more at the end. Before that OAUTHBEARER has GS2's header.
func parseBearer(s string, google bool) (name, token string, ok bool) {
	if !google {
		header, rest, found := strings.Cut(s, soh)
		flag, who, two := strings.Cut(header, ",")
		who, comma := strings.CutSuffix(who, ",")
		if !found || !two || !comma || flag != "n" && flag != "y" {
			return "", "", false
		}
		if who != "" {
			coded, isName := strings.CutPrefix(who, "a=")
			if name, ok = parseSASLName(coded); !ok || !isName {
				return "", "", false
			}
		}
		s = rest
	}
	s, ok = strings.CutSuffix(s, soh)
	if !ok {
		return "", "", false
	}
	for s != "" {
		pair, rest, end := strings.Cut(s, soh)
		key, value, equals := strings.Cut(pair, "=")
		if !end || !equals {
			return "", "", false
		}
		switch {
		case key == "auth":
			scheme, rest, _ := strings.Cut(value, " ")
			if token = strings.Trim(rest, " "); !strings.EqualFold(scheme, "Bearer") {
				return "", "", false
			}
		case key == "user" && google:
			name = value
		}
		s = rest
	}
	return name, token, token != "" && strings.IndexByte(name, 0) < 0
}
