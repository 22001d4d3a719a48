package snippets

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/farend-go/farend/proto/nntp"
)

// NNTPClient posts an article and prints what is in the group then.
func NNTPClient(ctx context.Context, w io.Writer, addr string) error {
	c, err := nntp.Dial(ctx, "tcp:"+addr, nntp.Options{})
	if err != nil {
		return err
	}
	defer c.Close()
	article := "From: ann@news.example\nNewsgroups: local.test\nSubject: hello\n\nIs anybody here?\n"
	if _, err := c.Post(ctx, strings.NewReader(article)); err != nil {
		return err
	}
	group, err := c.Group(ctx, "local.test")
	if err != nil {
		return err
	}
	for row, err := range c.Over(ctx, nntp.Range{First: group.Low, Last: group.High}) {
		if err != nil {
			return err
		}
		fmt.Fprintln(w, row.Number, row.Subject(), "by", row.From())
	}
	return c.Quit(ctx)
}
