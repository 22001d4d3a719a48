package smtp

import (
	"bytes"
	"context"

	"github.com/farend-go/farend/auth"
)

// SendMail sends a message to a server at host:port, as net/smtp's function of
// this name does: with STARTTLS where the server offers it, and a login where
// login is not nil. LF alone in msg is made CRLF. Errors are those of Dial and
// Client.Send; where the server has refused some recipients only, the others
// have the message.
func SendMail(ctx context.Context, addr string, login *auth.Credentials, from string, to []string, msg []byte) error {
	m, err := NewMessage(from, to, bytes.NewReader(msg))
	if err != nil {
		return err
	}
	c, err := Dial(ctx, "tcp:"+addr, Options{Login: login})
	if err != nil {
		return err
	}
	if _, err := c.Send(ctx, m); err != nil {
		c.Close()
		return err
	}
	_ = c.Quit(ctx) // the message is taken, whatever comes of this
	return nil
}
