package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/farend-go/farend/load"
)

// items asks for one item of a Gopher server again and again, each time on a
// connection of its own, which ends with the item (RFC 1436 section 2).
type items struct{ request string }

// benchItems is gopher and gophers.
func benchItems(p *load.Plan, m *benchMessage) error {
	if m.send != "" || m.size != 0 || m.expect != "" {
		return fmt.Errorf("--as %s asks for the URL's item: --send, --size and --expect have no meaning", m.as)
	}
	selector := strings.TrimPrefix(m.url.Path, "/")
	if selector != "" { // behind the item's type, RFC 4266 section 2.1
		selector = selector[1:]
	}
	if strings.ContainsAny(selector, "\r\n\t\x00") {
		return errors.New("no selector of Gopher holds a tab, a line end or NUL")
	}
	p.Conversation, p.Reconnect = items{selector + "\r\n"}, true
	return nil
}

func (i items) Open(_ context.Context, c net.Conn) (load.Exchanger, error) { return item{i, c}, nil }

type item struct {
	items
	c net.Conn
}

// Exchange wants an item of some bytes, and not a menu of one line that tells an
// error (type 3).
func (i item) Exchange(context.Context) error {
	if _, err := io.WriteString(i.c, i.request); err != nil {
		return err
	}
	first := make([]byte, 512)
	n, err := io.ReadFull(i.c, first)
	if n == 0 {
		return err
	}
	line, rest, _ := strings.Cut(string(first[:n]), "\r\n")
	if line[:min(1, len(line))] == "3" && strings.Count(line, "\t") == 3 && strings.Trim(rest, ".\r\n") == "" {
		return fmt.Errorf("%w: %.100q", load.ErrWrong, line)
	}
	_, err = io.Copy(io.Discard, i.c)
	return err
}
