package smtp_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/proto/smtp/smtptest"
	"github.com/farend-go/farend/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long something may take that must happen.
const patience = 30 * time.Second

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// engines are both.
func engines() map[string]server.Engine {
	return map[string]server.Engine{"goroutines": server.Goroutines(), "events": server.Events()}
}

// raw is a connection by hand.
type raw struct {
	t  *testing.T
	nc net.Conn
	r  *bufio.Reader
}

func dialRaw(t *testing.T, addr string) *raw {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	if err := nc.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &raw{t, nc, bufio.NewReader(nc)}
}

func (c *raw) say(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.nc, text); err != nil {
		c.t.Fatal(err)
	}
}

// hear reads a reply and gives its lines, joined by LF.
func (c *raw) hear() string {
	c.t.Helper()
	var lines []string
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			c.t.Fatalf("after %q: %v", lines, err)
		}
		line = strings.TrimSuffix(line, "\r\n")
		lines = append(lines, line)
		if len(line) < 4 || line[3] != '-' {
			return strings.Join(lines, "\n")
		}
	}
}

// want says text and hears replies, each of which begins as it should.
func (c *raw) want(text string, replies ...string) {
	c.t.Helper()
	c.say(text)
	for _, want := range replies {
		if got := c.hear(); !strings.HasPrefix(got, want) {
			c.t.Errorf("%q: %q; want %q", text, got, want)
		}
	}
}

// ended wants the end of the stream.
func (c *raw) ended() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.r); err != nil || len(rest) > 0 {
		c.t.Errorf("more: %q, %v", rest, err)
	}
}

func TestReceives(t *testing.T) {
	for name, engine := range engines() {
		t.Run(name, func(t *testing.T) {
			srv := smtptest.NewWith(t, smtptest.Options{Engine: engine})
			c := dialRaw(t, srv.Addr)
			c.want("", "220 smtptest ESMTP")
			c.want("EHLO me\r\n", "250-smtptest greets me")
			c.want("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n", "250 2.1.0", "250 2.1.5", "354")
			c.want("Subject: x\r\n\r\n..dot\r\n.\r\n", "250 2.0.0")
			c.want("MAIL FROM:<>\r\nRCPT TO:<c@d>\r\nBDAT 5\r\nhelloBDAT 7 LAST\r\n world!QUIT\r\n", "250 2.1.0", "250 2.1.5", "250 2.0.0 5 bytes", "250 2.0.0", "221 2.0.0")
			c.ended()
			all, err := srv.Wait(within(t), 2)
			if err != nil {
				t.Fatal(err)
			}
			if all[0].Text() != ".dot\r\n" || !all[1].From.Mailbox.IsNull() || !strings.HasSuffix(string(all[1].Data), "hello world!") {
				t.Errorf("%q\n%q", all[0].Data, all[1].Data)
			}
		})
	}
}
