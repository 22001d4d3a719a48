package snippets

import (
	"context"
	"fmt"
	"io"

	"github.com/farend-go/farend/proto/gopher"
)

// GopherClient prints the first menu of a server, then a text of it.
func GopherClient(ctx context.Context, w io.Writer, addr string) error {
	u, err := gopher.ParseURL("gopher://" + addr + "/")
	if err != nil {
		return err
	}
	var c gopher.Client
	for item, err := range c.Menu(ctx, u) {
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s: %s\n", item.Type, item.Name)
		u = u.To(item)
	}
	text, err := c.Get(ctx, u)
	if err != nil {
		return err
	}
	defer text.Close()
	_, err = io.Copy(w, text)
	return err
}
