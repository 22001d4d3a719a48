package transfer

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/message/maildir"
	"github.com/farend-go/farend/server"
)

// TestMailboxesStayInTheirDirectory has a server name mailboxes so that their
// folders would be the directory above, or the directory itself.
func TestMailboxesStayInTheirDirectory(t *testing.T) {
	lists := func(_ context.Context, c net.Conn) error {
		fmt.Fprint(c, "* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n")
		in := bufio.NewScanner(c)
		for in.Scan() {
			tag, command, _ := strings.Cut(in.Text(), " ")
			switch verb, rest, _ := strings.Cut(command, " "); {
			case verb == "LIST" && strings.HasSuffix(rest, "*"), verb == "LIST" && strings.HasSuffix(rest, `*"`):
				fmt.Fprint(c, "* LIST () \"/\" \"/\"\r\n* LIST () \"/\" \"\"\r\n* LIST () \"/\" \"a/b\"\r\n")
			case verb == "LIST":
				fmt.Fprint(c, "* LIST (\\Noselect) \"/\" \"\"\r\n")
			case verb == "EXAMINE":
				fmt.Fprint(c, "* 0 EXISTS\r\n* OK [UIDVALIDITY 1] valid\r\n")
			}
			fmt.Fprintf(c, "%s OK done\r\n", tag)
		}
		return nil
	}
	u, err := url.Parse("imap://" + servertest.Serve(t, &server.Server{Handler: server.Stream(lists)}) + "/")
	if err != nil {
		t.Fatal(err)
	}
	above := t.TempDir()
	d, err := maildir.Create(above)
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	c, err := New(Options{}, []*url.URL{u})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	dir, good, bad := filepath.Join(above, "in"), 0, 0
	err = c.Mirror(t.Context(), u, dir, Mirror{}, func(r Result) {
		switch {
		case r.File == filepath.Join(dir, ".a.b") && r.Err == nil:
			good++
		case Code(r.Err) == CodeWrite:
			bad++
		default:
			t.Errorf("%s is written to %s: %v", r.URL, r.File, r.Err)
		}
	})
	if err != nil || good != 1 || bad != 2 {
		t.Errorf("%d are written, %d are not, %v", good, bad, err)
	}
}
