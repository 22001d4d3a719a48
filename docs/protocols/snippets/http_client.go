package snippets

import (
	"context"
	"fmt"
	"io"

	"github.com/farend-go/farend/open"
)

// HTTPClient fetches a file and prints what was said of it, and the file.
func HTTPClient(ctx context.Context, w io.Writer, addr string) error {
	resp, err := open.URL(ctx, "http://"+addr+"/hello.txt")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	fmt.Fprintln(w, resp.Status, resp.Header.Get("Content-Type"))
	_, err = io.Copy(w, resp.Body)
	return err
}
