package snippets

import (
	"context"
	"fmt"
	"io"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/proto/imap"
)

// IMAPClient prints the subject of each message in the INBOX.
func IMAPClient(ctx context.Context, w io.Writer, addr string) error {
	c, err := imap.Dial(ctx, "tcp:"+addr, imap.Options{})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Login(ctx, auth.Credentials{User: "ann", Password: "secret"}); err != nil {
		return err
	}
	c.Select(imap.Select{Name: "INBOX"}) // leaves together with the FETCH behind it
	all := imap.Where{UID: true, Set: imap.Set{{First: 1}}}
	letters, err := c.FetchAll(imap.Fetch{Where: all, Items: []imap.FetchItem{{Name: imap.ItemEnvelope}}}).Wait(ctx)
	if err != nil {
		return err
	}
	for _, m := range letters {
		fmt.Fprintln(w, m.UID, m.Envelope.Subject)
	}
	return c.Logout(ctx)
}
