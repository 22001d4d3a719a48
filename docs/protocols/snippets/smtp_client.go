package snippets

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/farend-go/farend/proto/smtp"
)

// SMTPClient sends a message to two people, one of whom does not exist.
func SMTPClient(ctx context.Context, w io.Writer, addr string) error {
	c, err := smtp.Dial(ctx, "tcp:"+addr, smtp.Options{})
	if err != nil {
		return err
	}
	defer c.Close()
	to := []string{"ann@mail.example", "nobody@mail.example"}
	m, err := smtp.NewMessage("bob@mail.example", to, strings.NewReader("Subject: lunch\n\nAt noon?\n"))
	if err != nil {
		return err
	}
	receipt, err := c.Send(ctx, m)
	fmt.Fprintln(w, receipt.Accepted(), "of", len(to), "have it:", err)
	return c.Quit(ctx)
}
