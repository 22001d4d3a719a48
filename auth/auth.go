package auth

import (
	"context"
	"errors"
)

// Errors of both sides.
var (
	// ErrRefused is a login that was refused, for whatever reason: the words are
	// the same for an unknown user and a wrong password. A client's exchange
	// returns it (wrapped around the server's reply) to have the next mechanism
	// tried.
	ErrRefused = errors.New("auth: login refused")
	// ErrMechanism is a mechanism that does not exist, or is not possible on
	// this connection or with these credentials.
	ErrMechanism = errors.New("auth: mechanism not available")
	// ErrClear is a plain password that would have to go in clear.
	ErrClear = errors.New("auth: no plain password without TLS")
	// ErrMalformed is a message that the mechanism does not allow.
	ErrMalformed = errors.New("auth: malformed message")
	// ErrServer is a server that could not prove that it knows the password, or
	// said that all is well before it had: it may be an impostor.
	ErrServer = errors.New("auth: the server did not prove who it is")
	// ErrCancelled is a client that gave up ("*"); a server's ask returns it.
	ErrCancelled = errors.New("auth: cancelled")
)

// A Client is the client's side of one exchange. It is used once, by one
// goroutine.
type Client interface {
	// Name is the mechanism's, as it goes over the wire.
	Name() string
	// Start gives the initial response; nil: the server speaks first. Where the
	// protocol has no room for an initial response, it is the answer to the
	// first challenge, which is empty.
	Start() (initial []byte, err error)
	// Next answers a challenge. The response is never nil, though it may be
	// empty. After an error the exchange is to be cancelled.
	Next(challenge []byte) (response []byte, err error)
	// Done tells whether the server's yes may be believed: before, it is
	// ErrServer. A server's no may come at any time.
	Done() bool
}

// A Server is the server's side of one exchange. It is used once, by one
// goroutine.
type Server interface {
	// Next takes a response, and gives the next challenge until done. The first
	// call takes the initial response: nil where there was none, empty where it
	// was empty. ErrRefused and ErrMalformed are the client's fault, and any
	// other error the server's own. It waits for accounts and, after failures,
	// for as long as guessing is to take; ctx ends that.
	Next(ctx context.Context, response []byte) (challenge []byte, done bool, err error)
	// Identity is who has come, once Next was done without an error.
	Identity() Identity
}

// Identity is the outcome of a login.
type Identity struct {
	Authentication string // whose password or certificate it was
	Authorization  string // as whom to act: the same, unless the client asked for another and may be it
}

// Converse runs the server's side to its end. initial is the initial response,
// nil where there was none. ask sends a challenge and gives the response to
// it; its error ends the exchange and is returned.
func Converse(ctx context.Context, s Server, initial []byte, ask func(challenge []byte) ([]byte, error)) (Identity, error) {
	response := initial
	for {
		challenge, done, err := s.Next(ctx, response)
		if err != nil {
			return Identity{}, err
		}
		if done {
			return s.Identity(), nil
		}
		if response, err = ask(challenge); err != nil {
			return Identity{}, err
		}
		if response == nil {
			response = []byte{}
		}
	}
}
