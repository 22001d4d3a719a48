package snippets

import (
	"context"
	"fmt"
	"io"

	"github.com/farend-go/farend/proto/telnet"
	"github.com/farend-go/farend/socket"
)

// TelnetClient waits for the prompt, types a line, and prints the answer.
func TelnetClient(ctx context.Context, w io.Writer, addr string) error {
	c, err := telnet.Dial(ctx, "tcp:"+addr, telnet.ClientOptions{})
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.ReadUntil(ctx, "> "); err != nil {
		return err
	}
	if err := c.WriteText("hello\n"); err != nil {
		return err
	}
	answer, err := c.ReadUntil(ctx, "\n")
	fmt.Fprintln(w, socket.Repr(answer))
	return err
}
