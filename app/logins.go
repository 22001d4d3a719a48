package app

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/farend-go/farend/auth"
)

// logins are the accounts of Config.Users, who may also say their names as
// programs of mail do: ann@example.test for ann.
type logins struct{ *auth.Users }

// newLogins guards every service with logins: without users, anybody may in.
// A refusal takes less than a server in the open would let it: who types a wrong
// password here is mostly the one who develops the client, and a client that
// tries a second mechanism counts twice.
//
// The salts of SCRAM are new at each start, those of users and those that are
// made up for everybody else: a restart does not tell who is whom, as it would
// if only one kind stayed the same.
func newLogins(of map[string]string) *auth.Authenticator {
	users := &auth.Users{Secrets: map[string]auth.Secret{}, Anybody: len(of) == 0}
	for name, password := range of {
		users.Secrets[name] = auth.Clear(password)
	}
	return &auth.Authenticator{Accounts: logins{users}, Delay: 300 * time.Millisecond, MaxDelay: 2 * time.Second}
}

// openly is for FTP and HTTP: their clients say a password in clear, also to a
// server elsewhere, and few could do otherwise.
func (a *App) openly() *auth.Authenticator {
	return &auth.Authenticator{Accounts: a.logins.Accounts, Delay: a.logins.Delay, MaxDelay: a.logins.MaxDelay, ClearText: true}
}

func (l logins) Lookup(ctx context.Context, name string) (auth.Account, error) {
	a, err := l.Users.Lookup(ctx, name)
	local, _, ok := strings.Cut(name, "@")
	if !ok || !errors.Is(err, auth.ErrNoAccount) {
		return a, err
	}
	if a, err = l.Users.Lookup(ctx, local); a.Name == "" {
		a.Name = local
	}
	return a, err
}
