package auth

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/xdg-go/scram"
)

// scramHash is the hash of a mechanism of that name.
func scramHash(name string) scram.HashGeneratorFcn {
	if strings.HasPrefix(name, SCRAMSHA256) {
		return scram.SHA256
	}
	return scram.SHA1
}

func isPlus(name string) bool { return strings.HasSuffix(name, "-PLUS") }

// scramClient is SCRAM (RFC 5802).
type scramClient struct {
	name string
	conv *scram.ClientConversation
	sent bool // the proof
}

// newSCRAM begins an exchange. binding is nil without; advertise says that we
// could bind, but the server does not offer to.
func newSCRAM(name string, c *Credentials, binding *scram.ChannelBinding, advertise bool, nonce func() string) (Client, error) {
	user, password, other := Prepare(c.User), Prepare(c.Password), Prepare(c.Authorization)
	client, err := scramHash(name).NewClientUnprepped(user, password, other)
	if err != nil {
		return nil, err
	}
	if nonce != nil {
		client.WithNonceGenerator(nonce)
	}
	switch {
	case binding != nil:
		return &scramClient{name: name, conv: client.NewConversationWithChannelBinding(*binding)}, nil
	case advertise:
		return &scramClient{name: name, conv: client.NewConversationAdvertisingChannelBinding()}, nil
	}
	return &scramClient{name: name, conv: client.NewConversation()}, nil
}

func (c *scramClient) Name() string { return c.name }

func (c *scramClient) Start() ([]byte, error) {
	first, err := c.conv.Step("")
	return []byte(first), err
}

func (c *scramClient) Next(challenge []byte) ([]byte, error) {
	if !c.sent && tooManyIterations(challenge) {
		return nil, fmt.Errorf("%w: the server asks for too much work", ErrMalformed)
	}
	response, err := c.conv.Step(string(challenge))
	if err == nil {
		c.sent = true
		return []byte(response), nil
	}
	if c.sent && !bytes.HasPrefix(challenge, []byte("e=")) {
		return nil, fmt.Errorf("%w: %w", ErrServer, err)
	}
	if c.sent {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
}

// tooManyIterations keeps a server from having us compute for hours.
func tooManyIterations(serverFirst []byte) bool {
	for field := range bytes.SplitSeq(serverFirst, []byte(",")) {
		if count, ok := bytes.CutPrefix(field, []byte("i=")); ok {
			n, err := strconv.Atoi(string(count))
			return err != nil || n > maxIterations
		}
	}
	return false
}

func (c *scramClient) Done() bool { return c.conv.Valid() }

type scramServer struct {
	exchange
	name  string
	conv  *scram.ServerConversation
	try   try
	known bool
	user  string
	valid bool
}

func (s *scramServer) Next(ctx context.Context, response []byte) ([]byte, bool, error) {
	switch {
	case s.valid: // the client has heard our proof
		if len(response) > 0 {
			return nil, false, ErrMalformed
		}
		return nil, true, s.settle(ctx, s.try, true, s.user, s.conv.AuthzID())
	case s.conv != nil:
		return s.final(ctx, response)
	case response == nil:
		return []byte{}, false, nil
	}
	return s.first(ctx, response)
}

// first looks the user up, and for one who is unknown makes up what would be
// found.
func (s *scramServer) first(ctx context.Context, response []byte) (challenge []byte, done bool, err error) {
	if !fits(response) {
		return nil, false, ErrMalformed
	}
	var fault error
	srv, err := scramHash(s.name).NewServer(func(user string) (scram.StoredCredentials, error) {
		var found scram.StoredCredentials
		found, fault = s.credentials(ctx, user)
		return found, fault
	})
	if err != nil {
		return nil, false, err
	}
	if s.a.nonce != nil {
		srv.WithNonceGenerator(s.a.nonce)
	}
	if isPlus(s.name) != bytes.HasPrefix(response, []byte("p=")) { // RFC 5802 section 6
		return nil, false, ErrMalformed
	}
	s.conv = srv.NewConversation()
	if all := s.ch.bindings(true); len(all) > 0 {
		chosen := all[0]
		for _, b := range all[1:] {
			if bytes.HasPrefix(response, []byte("p="+string(b.Type)+",")) {
				chosen = b
			}
		}
		s.conv = srv.NewConversationWithChannelBinding(chosen)
	}
	if s.try, err = s.begin(ctx); err != nil {
		return nil, false, err
	}
	answer, err := s.conv.Step(string(response))
	switch {
	case fault != nil:
		return nil, false, fault
	case err != nil:
		return nil, false, ErrMalformed
	}
	return []byte(answer), false, nil
}

func (s *scramServer) credentials(ctx context.Context, user string) (scram.StoredCredentials, error) {
	account, known, err := s.lookup(ctx, user)
	if err != nil {
		return scram.StoredCredentials{}, err
	}
	made := s.a.madeUpKeys(strings.TrimSuffix(s.name, "-PLUS"), account.Name)
	kind, found := KindSHA1, account.Secret.sha1
	if strings.HasPrefix(s.name, SCRAMSHA256) {
		kind, found = KindSHA256, account.Secret.sha256
	}
	s.user = account.Name
	if !known || account.Secret.Kinds()&kind == 0 {
		return made, nil
	}
	s.known = true
	return found, nil
}

// final checks the client's proof and gives ours.
func (s *scramServer) final(ctx context.Context, response []byte) ([]byte, bool, error) {
	if !fits(response) {
		return nil, false, ErrMalformed
	}
	answer, err := s.conv.Step(string(response))
	if err != nil && answer == "" {
		return nil, false, ErrMalformed
	}
	if err != nil || !s.known || !s.conv.Valid() {
		return nil, false, s.settle(ctx, s.try, false, "", "")
	}
	s.valid = true
	return []byte(answer), false, nil
}
