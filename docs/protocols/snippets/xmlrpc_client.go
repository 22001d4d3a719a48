package snippets

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/farend-go/farend/proto/xmlrpc"
)

// XMLRPCClient calls a method that exists, and one that does not.
func XMLRPCClient(ctx context.Context, w io.Writer, addr string) error {
	c := xmlrpc.Client{URL: "http://" + addr + "/RPC2"}
	var sum int
	if err := c.Call(ctx, "add", []any{2, 3}, &sum); err != nil {
		return err
	}
	fmt.Fprintln(w, "2 + 3 =", sum)
	err := c.Call(ctx, "subtract", []any{2, 3}, &sum)
	if fault, ok := errors.AsType[*xmlrpc.Fault](err); ok { // the server's answer, not a broken line
		fmt.Fprintln(w, "fault", fault.Code)
		return nil
	}
	return err
}
