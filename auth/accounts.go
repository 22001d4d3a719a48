package auth

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"slices"
	"sync"
)

// ErrNoAccount is what Accounts know of somebody unknown. No client ever hears
// it.
var ErrNoAccount = errors.New("auth: no such account")

// Accounts is where a server looks names up. What else it implements decides
// what else is offered: Tokens, Certificates, Guests, Deputies. Its methods may
// be called concurrently. An error of theirs that is neither ErrNoAccount nor
// ErrRefused is a fault of the server's, and reaches the caller as it is.
type Accounts interface {
	// Lookup gives the account of that name, which Prepare has been over. Where
	// accounts have several names, ErrNoAccount comes with the Name that the
	// account would have, so that all names of nobody are alike, too.
	Lookup(ctx context.Context, name string) (Account, error)
	// Kinds says which kinds of secrets there are among the accounts. A
	// mechanism is offered if one of them at least can use it.
	Kinds() Kinds
}

// An Account is what a server knows of a user.
type Account struct {
	Name   string // as it is to be known; "": as it was looked up
	Secret Secret
}

// Tokens are Accounts that know the bearer tokens of OAuth 2.0 (RFC 6750), for
// OAUTHBEARER and XOAUTH2. name is "" where the client did not say any.
type Tokens interface {
	Token(ctx context.Context, name, token string) (Account, error)
}

// Certificates are Accounts that know clients' TLS certificates, for EXTERNAL,
// which is offered to clients whose certificate has been verified
// (tls.VerifyClientCertIfGiven and above).
type Certificates interface {
	Certificate(ctx context.Context, state *tls.ConnectionState) (Account, error)
}

// Named are Accounts whose names can be told, for the userhash of HTTP's Digest
// (RFC 7616 section 3.4.4).
type Named interface {
	Names() []string
}

// Guests are Accounts that let in whoever does not say his name, for
// ANONYMOUS. trace is what he says instead, mostly an address; it is not to be
// relied upon.
type Guests interface {
	Guest(ctx context.Context, trace string) (Account, error)
}

// Deputies are Accounts of which one may act for another. Without it each acts
// for itself alone.
type Deputies interface {
	MayAct(ctx context.Context, account, other string) (bool, error)
}

// Users are Accounts in memory. The zero Users are none. Its fields are not
// changed while in use.
type Users struct {
	Secrets map[string]Secret // by name
	// Anybody lets in every other name too, with whatever password. SCRAM
	// cannot be offered then, for a server has to know the password.
	Anybody bool

	once  sync.Once
	names map[string]Secret // prepared
	kinds Kinds
}

func (u *Users) prepare() {
	u.once.Do(func() {
		u.names = make(map[string]Secret, len(u.Secrets))
		for name, s := range u.Secrets {
			u.names[Prepare(name)] = s
			u.kinds |= s.Kinds()
		}
		if u.Anybody {
			u.kinds = u.kinds&^(KindSHA1|KindSHA256) | Any().Kinds()
		}
	})
}

// Lookup finds a name, or lets it in.
func (u *Users) Lookup(_ context.Context, name string) (Account, error) {
	u.prepare()
	s, known := u.names[name]
	if !known && !u.Anybody {
		return Account{}, ErrNoAccount
	}
	if !known {
		s = Any()
	}
	return Account{Name: name, Secret: s}, nil
}

// Names are those of Secrets, in no order.
func (u *Users) Names() []string { return slices.Collect(maps.Keys(u.Secrets)) }

// Kinds is what the secrets have in them.
func (u *Users) Kinds() Kinds {
	u.prepare()
	return u.kinds
}
