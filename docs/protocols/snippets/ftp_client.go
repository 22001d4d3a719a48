package snippets

import (
	"context"
	"io"

	"github.com/farend-go/farend/proto/ftp"
)

// FTPClient logs in and writes a file to w.
func FTPClient(ctx context.Context, w io.Writer, addr string) error {
	c, err := ftp.Dial(ctx, "tcp:"+addr, ftp.Options{})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Login(ctx, "anonymous", "guest", ""); err != nil {
		return err
	}
	body, err := c.Retrieve(ctx, "hello.txt", ftp.RetrieveOptions{})
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, body); err != nil { // nil only if the server says that all of it was sent
		return err
	}
	return c.Quit(ctx)
}
