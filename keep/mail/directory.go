package mail

import (
	"slices"
	"strings"
)

// A Directory says who has which addresses. The zero Directory is open: every
// address has a mailbox, and whoever logs in as ann@example.test, with whatever
// password, sees that address's mail, and as ann the mail of ann at any domain.
//
// With Users there are those only: ann owns ann@ any domain, also
// ann+anything@, and a user who is called ann@example.test owns that. A user
// called postmaster has postmaster's mail, else the first one has it (RFC 5321
// section 4.5.1).
type Directory struct{ Users []string }

// Owners are the accounts whose mail a message to local@domain is; domain is ""
// where the address has none. Nobody's is nil.
func (d Directory) Owners(local, domain string) []string {
	if len(d.Users) == 0 {
		local, domain = strings.ToLower(local), strings.ToLower(domain)
		if domain == "" {
			return []string{local}
		}
		return []string{local + "@" + domain, local}
	}
	plain, _, _ := strings.Cut(local, "+")
	for _, name := range []string{local + "@" + domain, local, plain} {
		if i := slices.IndexFunc(d.Users, func(u string) bool { return strings.EqualFold(u, name) }); i >= 0 {
			return []string{d.Users[i]}
		}
	}
	if strings.EqualFold(local, "postmaster") {
		return []string{slices.Min(d.Users)}
	}
	return nil
}

// Account is the account that somebody sees who has logged in as user.
func (d Directory) Account(user string) string {
	if len(d.Users) == 0 {
		return strings.ToLower(user)
	}
	return user
}
