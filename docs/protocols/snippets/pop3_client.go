package snippets

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/mail"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/proto/pop3"
)

// POP3Client prints the subject of each message and deletes it.
func POP3Client(ctx context.Context, w io.Writer, addr string) error {
	c, err := pop3.Dial(ctx, "tcp:"+addr, pop3.Options{})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Login(ctx, auth.Credentials{User: "ann", Password: "secret"}); err != nil {
		return err
	}
	for m, err := range c.New(ctx, &pop3.MemoryJournal{}) {
		if err != nil {
			return err
		}
		letter, err := mail.ReadMessage(bufio.NewReader(m.Body))
		if err != nil {
			return err
		}
		fmt.Fprintln(w, m.Number, letter.Header.Get("Subject"))
		m.Delete()
	}
	return c.Quit(ctx) // only now they are deleted
}
