package app

import (
	"context"
	"errors"
	"strings"

	"github.com/farend-go/farend/auth"
)

// logins are the accounts of Config.Users, who may also say their names as
// programs of mail do: ann@example.test for ann.
type logins struct{ *auth.Users }

func (l logins) Lookup(ctx context.Context, name string) (auth.Account, error) {
	a, err := l.Users.Lookup(ctx, name)
	local, _, ok := strings.Cut(name, "@")
	if !ok || !errors.Is(err, auth.ErrNoAccount) {
		return a, err
	}
	if a, err = l.Users.Lookup(ctx, local); err == nil && a.Name == "" {
		a.Name = local
	}
	return a, err
}
