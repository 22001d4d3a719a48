package smtp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/smtp"
	"github.com/farend-go/farend/proto/smtp/smtptest"
	"github.com/farend-go/farend/server"
)

// smuggled are ways in which a message has been made to end for one program
// and not for another (SEC Consult 2023: "SMTP smuggling"), and others like
// them. Each is followed by commands that must never be heard.
var smuggled = []string{
	"\n.\n", "\n.\r\n", "\r.\r", "\r.\r\n", "\r\n.\n", "\r\n.\r", "\n.\r", "\r.\n",
	"\r\n\x00.\r\n", "\r\n.\x00\r\n", "\r\n.\r\r\n", "\r\r\n.\r\r\n", "\n\r\n.\n\r\n", "\r\n..\n", "\n\n.\n\n", "\r\n.\r\x00\n", "\x85.\x85",
	"\r\n .\r\n", "\r\n.\t\r\n",
}

func TestSmuggling(t *testing.T) {
	for name, engine := range engines() {
		t.Run(name, func(t *testing.T) {
			srv := smtptest.NewWith(t, smtptest.Options{Engine: engine})
			for _, shape := range smuggled {
				srv.Reset()
				c := dialRaw(t, srv.Addr)
				c.want("EHLO x\r\n", "220", "250")
				c.want("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n", "250", "250", "354")
				c.say("Subject: x\r\n\r\ntext" + shape + "MAIL FROM:<evil@b>\r\nRCPT TO:<victim@d>\r\nDATA\r\nevil\r\n.\r\n")
				answer := c.hear()
				c.want("QUIT\r\n", "221")
				c.ended()
				bare := strings.ReplaceAll(shape, "\r\n", "")
				want, n := "550 5.6.0", 0
				if !strings.ContainsAny(bare, "\r\n") { // it is text and nothing else
					want, n = "250 2.0.0", 1
				}
				if all := srv.Messages(); !strings.HasPrefix(answer, want) || len(all) != n {
					t.Errorf("%q: %q, %d messages", shape, answer, len(all))
				} else if n == 1 && (len(all[0].To) != 1 || !strings.Contains(all[0].Text(), "evil\r\n")) {
					t.Errorf("%q: %q", shape, all[0].Data)
				}
			}
		})
	}
}

// TestRepair lets a writer's program have its line ends made good.
func TestRepair(t *testing.T) {
	repair := func(h *smtp.Handler) { h.Repair = true }
	srv := smtptest.NewWith(t, smtptest.Options{Kind: smtp.Submission, Handler: repair})
	c := dialRaw(t, srv.Addr)
	c.want("EHLO x\r\n", "220", "250")
	c.want("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n", "250", "250", "354")
	c.want("A: b\n\none\n.\ntwo\rthree\n.\r\nfour\r\n.\r\n", "250")
	if got := srv.Messages()[0].Text(); got != "one\r\n.\r\ntwo\r\nthree\r\n.\r\nfour\r\n" {
		t.Errorf("%q", got)
	}
}

// TestCommandLines refuses lines that are none, and goes on.
func TestCommandLines(t *testing.T) {
	srv := smtptest.New(t)
	c := dialRaw(t, srv.Addr)
	c.want("EHLO x\n", "220", "500 5.5.2")
	c.want("EHLO x\ry\r\n", "500 5.5.2")
	c.want("NOOP "+strings.Repeat("x", 3000)+"\r\n", "500 5.5.6")
	c.want("NOOP "+strings.Repeat("x", 300_000)+"\r\n", "500 5.5.6")
	c.want("EHLO\x00\r\n", "500 5.5.2")
	c.want("MAIL FROM:<a@b>\r\n", "503 5.5.1 Say EHLO")
	c.want("EHLO\r\n", "501 5.5.4 Usage: EHLO name")
	c.want("DATA x\r\n", "501 5.5.4")
	c.want("FOO\r\n", "500 5.5.1")
	c.want("NOOP\r\n", "250")
	get := dialRaw(t, srv.Addr)
	get.want("GET / HTTP/1.1\r\nHost: x\r\n\r\nMAIL FROM:<a@b>\r\n", "220", "421 4.7.0 This is smtp")
	get.ended()
}

func TestLimits(t *testing.T) {
	limits := func(h *smtp.Handler) {
		h.Limits = smtp.Limits{Message: 100, Recipients: 2, Errors: 3, Commands: 5}
	}
	srv := smtptest.NewWith(t, smtptest.Options{Handler: limits})
	t.Run("errors", func(t *testing.T) {
		c := dialRaw(t, srv.Addr)
		c.want("FOO\r\nFOO\r\nFOO\r\nNOOP\r\n", "220", "500", "500", "421 4.7.0")
		c.ended()
	})
	t.Run("commands", func(t *testing.T) {
		c := dialRaw(t, srv.Addr)
		c.want("EHLO x\r\n"+strings.Repeat("NOOP\r\n", 5), "220", "250", "250", "250", "250", "250", "421 4.7.0")
		c.ended()
	})
	t.Run("recipients", func(t *testing.T) {
		c := dialRaw(t, srv.Addr)
		c.want("EHLO x\r\nMAIL FROM:<a@b>\r\n", "220", "250", "250")
		for range 2 {
			c.want("RCPT TO:<a@b>\r\n", "250")
		}
		for range 18 {
			c.want("RCPT TO:<a@b>\r\n", "452 4.5.3")
		}
		c.want("RCPT TO:<a@b>\r\n", "421")
		c.ended()
	})
	t.Run("message", func(t *testing.T) {
		c := dialRaw(t, srv.Addr)
		c.want("EHLO x\r\n", "220", "250")
		envelope := "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"
		c.want(envelope+"DATA\r\n", "250", "250", "354")
		c.want(strings.Repeat("x", 101)+"\r\n.\r\n", "552 5.3.4")
		c.want(envelope+"BDAT 60\r\n"+strings.Repeat("x", 60)+"BDAT 60\r\n"+strings.Repeat("x", 60)+"BDAT 6 LAST\r\nRSET\r\nNOOP\r\n", "250", "250", "250", "552 5.3.4", "503", "250")
		c.want(envelope+"DATA\r\n", "250", "250", "354")
		c.want(strings.Repeat("x", 98)+"\r\n.\r\n", "250 2.0.0")
		if n := len(srv.Messages()); n != 1 {
			t.Errorf("%d messages", n)
		}
	})
}

// ledger is a Backend that counts, whose every call is a Detour, and which does
// to bodies what a test says.
type ledger struct {
	begun, bodies, committed, aborted atomic.Int64
	body                              func(ctx context.Context, r io.Reader) error
	ended                             chan struct{} // gets one for each transaction
}

func newLedger(body func(context.Context, io.Reader) error) *ledger {
	return &ledger{body: body, ended: make(chan struct{}, 100)}
}

func (l *ledger) Mail(context.Context, smtp.Sender, smtp.Peer) (smtp.Transaction, error) {
	l.begun.Add(1)
	return entry{l}, nil
}

type entry struct{ *ledger }

func (entry) Rcpt(context.Context, smtp.Recipient) error { return nil }
func (e entry) Body(ctx context.Context, r io.Reader) error {
	e.bodies.Add(1)
	return e.body(ctx, r)
}
func (e entry) Commit(context.Context) error { e.committed.Add(1); e.ended <- struct{}{}; return nil }
func (e entry) Abort()                       { e.aborted.Add(1); e.ended <- struct{}{} }

func (l *ledger) String() string {
	return fmt.Sprintf("begun %d, bodies %d, committed %d, aborted %d", l.begun.Load(), l.bodies.Load(), l.committed.Load(), l.aborted.Load())
}

// serverOf is a server that does not wait long.
func serverOf(h *smtp.Handler) *server.Server {
	return &server.Server{Handler: h, Limits: server.Limits{Idle: patience, Turn: patience}}
}

// all reads everything.
func all(_ context.Context, r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

var errDisk = errors.New("the disk's name is secret")

// TestBodies sends short and long messages by DATA and BDAT to a Backend that
// reads them, or does not.
func TestBodies(t *testing.T) {
	behaviours := map[string]struct {
		body  func(context.Context, io.Reader) error
		reply string
	}{
		"reads":      {all, "250 2.0.0"},
		"ignores":    {func(context.Context, io.Reader) error { return nil }, "250 2.0.0"},
		"refuses":    {func(context.Context, io.Reader) error { return smtp.ErrRejected }, "550 5.7.1"},
		"fails":      {func(context.Context, io.Reader) error { return errDisk }, "451 4.3.0 Local error"},
		"fails late": {func(ctx context.Context, r io.Reader) error { return errors.Join(all(ctx, r), errDisk) }, "451 4.3.0 Local error"},
		"reads some": {func(_ context.Context, r io.Reader) error {
			_, err := io.ReadFull(r, make([]byte, 10))
			return errors.Join(err, smtp.ErrNoSpace)
		}, "452 4.3.1"},
	}
	for engineName, engine := range engines() {
		for name, b := range behaviours {
			t.Run(engineName+"/"+name, func(t *testing.T) {
				l := newLedger(b.body)
				addr := servertest.Serve(t, &server.Server{Handler: &smtp.Handler{Backend: l}, Engine: engine})
				c := dialRaw(t, addr)
				c.want("EHLO x\r\n", "220", "250")
				envelope := "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"
				for _, lines := range []int{0, 3, 10_000} {
					text := strings.Repeat("0123456789012345678901234567890123456789\r\n", lines)
					c.want(envelope+"DATA\r\n", "250", "250", "354")
					c.want(text+".\r\n", b.reply)
					half := text[:len(text)/2]
					rest := text[len(half):]
					c.say(fmt.Sprintf("%sBDAT %d\r\n%sBDAT %d LAST\r\n%sRSET\r\n", envelope, len(half), half, len(rest), rest))
					c.want("", "250", "250")
					if first := c.hear(); !strings.HasPrefix(first, "250 2.0.0") && !strings.HasPrefix(first, b.reply) {
						t.Errorf("first chunk: %q", first)
					} else if last := c.hear(); !strings.HasPrefix(last, b.reply) && !strings.HasPrefix(last, "503") {
						t.Errorf("last chunk: %q", last)
					}
					c.want("", "250")
				}
				c.want("QUIT\r\n", "221")
				c.ended()
				committed := int64(0)
				if b.reply[0] == '2' {
					committed = 6
				}
				if l.begun.Load() != 6 || l.committed.Load() != committed || l.aborted.Load() != 6-committed {
					t.Error(l)
				}
			})
		}
	}
}

// TestHangUp cuts the connection in the middle of messages: each is aborted,
// after its Body has returned.
func TestHangUp(t *testing.T) {
	for name, engine := range engines() {
		t.Run(name, func(t *testing.T) {
			l := newLedger(all)
			addr := servertest.Serve(t, &server.Server{Handler: &smtp.Handler{Backend: l}, Engine: engine})
			envelope := "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"
			long := strings.Repeat(strings.Repeat("x", 1000)+"\r\n", 300)
			for _, said := range []string{
				envelope, envelope + "DATA\r\n", envelope + "DATA\r\nshort", envelope + "DATA\r\n" + long, envelope + "DATA\r\n" + long + "\r\n.\r",
				envelope + "BDAT 5\r\nhello", envelope + "BDAT 9\r\nhello", envelope + fmt.Sprintf("BDAT %d\r\n", len(long)) + long, envelope + "BDAT 99 LAST\r\nx",
			} {
				c := dialRaw(t, addr)
				c.say(said)
				if err := c.nc.(*net.TCPConn).CloseWrite(); err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, c.r); err != nil {
					t.Error(err)
				}
				select {
				case <-l.ended:
				case <-within(t).Done():
					t.Fatalf("after %.60q: %v", said, l)
				}
			}
			if l.committed.Load() != 0 || l.aborted.Load() != l.begun.Load() || l.begun.Load() != 9 {
				t.Error(l)
			}
		})
	}
}

// TestPanic keeps a Backend's panic to its own talk.
func TestPanic(t *testing.T) {
	for name, engine := range engines() {
		t.Run(name, func(t *testing.T) {
			l := newLedger(func(context.Context, io.Reader) error { panic("a bug") })
			addr := servertest.Serve(t, &server.Server{Handler: &smtp.Handler{Backend: l}, Engine: engine})
			for _, lines := range []int{1, 30_000} {
				c := dialRaw(t, addr)
				c.want("EHLO x\r\n", "220", "250")
				c.want("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n", "250", "250", "354")
				c.say(strings.Repeat("0123456789\r\n", lines) + ".\r\n")
				answer, err := io.ReadAll(io.LimitReader(c.r, 5))
				if err == nil && strings.HasPrefix(string(answer), "250") || l.committed.Load() > 0 {
					t.Errorf("%q, %v; %v", answer, err, l)
				}
				<-l.ended
			}
		})
	}
}

// TestDelay turns away who does not wait for the greeting.
func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		talk := func(f func(nc net.Conn)) {
			ours, theirs := transcript.Pipe()
			srv := &server.Server{Handler: &smtp.Handler{Backend: newLedger(all), Hostname: "h", Delay: 3 * time.Second}}
			done := make(chan error)
			go func() { done <- srv.Serve(context.Background(), transcript.Once(theirs)) }()
			f(ours)
			ours.Close()
			if err := <-done; !errors.Is(err, net.ErrClosed) { // nobody else will come
				t.Error(err)
			}
		}
		start := time.Now()
		hear := func(nc net.Conn) string {
			b := make([]byte, 100)
			n, err := nc.Read(b)
			if err != nil {
				t.Error(err)
			}
			return string(b[:n])
		}
		talk(func(nc net.Conn) {
			if got := hear(nc); !strings.HasPrefix(got, "220 h") || time.Since(start) < 3*time.Second {
				t.Errorf("%q after %v", got, time.Since(start))
			}
		})
		talk(func(nc net.Conn) {
			if _, err := io.WriteString(nc, "EHLO x\r\n"); err != nil {
				t.Error(err)
			}
			if got := hear(nc); !strings.HasPrefix(got, "554 5.5.1") {
				t.Errorf("%q", got)
			}
		})
	})
}

// countingConn counts writes.
type countingConn struct {
	net.Conn
	n *atomic.Int64
}

func (c countingConn) Write(p []byte) (int, error) {
	c.n.Add(1)
	return c.Conn.Write(p)
}

// TestOneWrite has the replies to a flight leave in one write.
func TestOneWrite(t *testing.T) {
	var writes atomic.Int64
	srv := smtptest.NewWith(t, smtptest.Options{Server: func(s *server.Server) {
		s.Layers = append(s.Layers, func(nc net.Conn) net.Conn { return countingConn{nc, &writes} })
	}})
	c := dialRaw(t, srv.Addr)
	c.want("EHLO x\r\n", "220", "250")
	before := writes.Load()
	c.want("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nBDAT 3 LAST\r\nabc", "250", "250", "250", "250")
	if n := writes.Load() - before; n != 1 {
		t.Errorf("%d writes", n)
	}
}

// TestEarlyTLS ends a connection whose client spoke in clear behind STARTTLS
// (CVE-2011-0411).
func TestEarlyTLS(t *testing.T) {
	srv := smtptest.New(t)
	c := dialRaw(t, srv.Addr)
	c.want("EHLO x\r\n", "220", "250")
	c.want("STARTTLS\r\nMAIL FROM:<evil@b>\r\n", "220 2.0.0")
	if err := tls.Client(c.nc, &tls.Config{RootCAs: srv.Roots, ServerName: "localhost"}).HandshakeContext(within(t)); err == nil {
		t.Error("the handshake went on")
	}
}
