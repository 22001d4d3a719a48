package smtp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/smtp"
	"github.com/farend-go/farend/proto/smtp/smtptest"
	"github.com/farend-go/farend/wire"
)

func message(t *testing.T, body io.Reader, to ...string) smtp.Message {
	t.Helper()
	m, err := smtp.NewMessage("sender@example.test", to, body)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// isReply tells whether err has a reply of this code in it.
func isReply(err error, code int) bool {
	r, ok := errors.AsType[smtp.Reply](err)
	return ok && r.Code == code
}

// lacking are what servers may lack.
var lacking = map[string][]string{
	"everything":    nil,
	"no chunking":   {"CHUNKING"},
	"no pipelining": {"PIPELINING"},
	"neither":       {"CHUNKING", "PIPELINING"},
	"nothing":       {"CHUNKING", "PIPELINING", "8BITMIME", "SIZE", "SMTPUTF8", "DSN", "LIMITS", "BINARYMIME", "ENHANCEDSTATUSCODES"},
}

// TestSend sends all kinds of messages, by every way, on both engines, and
// finds what it sent.
func TestSend(t *testing.T) {
	bodies := map[string]string{"\r\n": "\r\n", "short": "A: b\r\n\r\n.\r\n..x\r\n", "LF": "A: b\n\n.\nx", "": ""}
	for _, n := range []int{4 << 10, 64<<10 - 1, 64 << 10, 64<<10 + 1, 200 << 10} {
		lines := n/1024 - 1
		bodies[fmt.Sprint(n)] = strings.Repeat(strings.Repeat("x", 1022)+"\r\n", lines) + strings.Repeat("y", n-1024*lines-2) + "\r\n"
	}
	for engineName, engine := range engines() {
		for _, kind := range []smtp.Kind{smtp.SMTP, smtp.LMTP} {
			for name, lacks := range lacking {
				if kind == smtp.LMTP && engineName == "events" && name != "everything" {
					continue // it has been done by the other
				}
				t.Run(fmt.Sprint(engineName, "/", kind, "/", name), func(t *testing.T) {
					srv := smtptest.NewWith(t, smtptest.Options{Kind: kind, Engine: engine})
					c := srv.Client(within(t), t, "tcp", smtp.Options{LMTP: kind == smtp.LMTP, Security: smtp.InClear})
					c.Lack(lacks...)
					for name, body := range bodies {
						srv.Reset()
						receipt, err := c.Send(within(t), message(t, strings.NewReader(body), "a@example.test", "b@example.test"))
						if err != nil || receipt.Accepted() != 2 {
							t.Fatalf("%s: %+v, %v", name, receipt, err)
						}
						got := string(srv.Messages()[0].Data)
						_, got, _ = strings.Cut(got, "; ") // behind Received's date
						_, got, _ = strings.Cut(got, "\r\n")
						want := strings.ReplaceAll(strings.ReplaceAll(body, "\r\n", "\n"), "\n", "\r\n")
						if want != "" && !strings.HasSuffix(want, "\n") {
							want += "\r\n"
						}
						if got != want {
							t.Errorf("%s: %d bytes of %d: %.80q", name, len(got), len(want), got)
						}
					}
					if err := c.Quit(within(t)); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}

// TestRefusals has servers refuse what they can, and the session go on.
func TestRefusals(t *testing.T) {
	long := strings.Repeat(strings.Repeat("x", 1000)+"\r\n", 300)
	for _, kind := range []smtp.Kind{smtp.SMTP, smtp.LMTP} {
		for name, lacks := range lacking {
			t.Run(fmt.Sprint(kind, "/", name), func(t *testing.T) {
				srv := smtptest.NewWith(t, smtptest.Options{
					Kind: kind,
					Rcpt: func(to smtp.Mailbox) error {
						if to.Local == "unknown" {
							return smtp.ErrNoMailbox
						}
						return nil
					},
					Commit: func(m smtptest.Message) error {
						if m.IsFor("full@example.test") {
							return smtp.ErrFull
						}
						return nil
					},
					Faults: []faults.Rule{{Verb: "MAIL FROM:<banned@example.test>", Reply: "550 5.7.1 you not"}},
				})
				c := srv.Client(within(t), t, "tcp", smtp.Options{LMTP: kind == smtp.LMTP, Security: smtp.InClear})
				c.Lack(lacks...)
				for _, body := range []string{"x\r\n", long} {
					if body == long && kind == smtp.LMTP && lacks != nil {
						continue
					}
					srv.Reset()
					send := func(from string, to ...string) (smtp.Receipt, error) {
						m := message(t, strings.NewReader(body), to...)
						m.From.Mailbox.Local = from
						return c.Send(within(t), m)
					}
					r, err := send("a", "ann@example.test", "unknown@example.test", "bob@example.test")
					if !isReply(err, 550) || r.Accepted() != 2 || r.Results[1].Err == nil || len(srv.Messages()) != 1 {
						t.Errorf("some unknown: %+v, %v", r, err)
					}
					if r, err = send("a", "unknown@example.test", "unknown@example.test"); !isReply(err, 550) || r.Accepted() != 0 {
						t.Errorf("all unknown: %+v, %v", r, err)
					}
					if r, err = send("banned", "ann@example.test"); !isReply(err, 550) || r.Accepted() != 0 || !strings.Contains(r.Results[0].Err.Error(), "you not") {
						t.Errorf("MAIL: %+v, %v", r, err)
					}
					if r, err = send("a", "full@example.test"); !isReply(err, 452) || r.Accepted() != 0 {
						t.Errorf("the message: %+v, %v", r, err)
					}
					if r, err = send("a", "ann@example.test"); err != nil || r.Accepted() != 1 || len(srv.Messages()) != 2 {
						t.Errorf("afterwards: %+v, %v; %d messages", r, err, len(srv.Messages()))
					}
				}
				if c.Broken() {
					t.Error("the session is broken")
				}
			})
		}
	}
}

// TestParameters has the client compute what MAIL says, or what is missing.
func TestParameters(t *testing.T) {
	srv := smtptest.New(t)
	ctx := within(t)
	c := srv.Client(ctx, t, "tcp", smtp.Options{Security: smtp.InClear})
	send := func(m smtp.Message) (smtp.Sender, error) {
		srv.Reset()
		_, err := c.Send(ctx, m)
		if all := srv.Messages(); len(all) > 0 {
			return all[0].From, err
		}
		return smtp.Sender{}, err
	}
	text := func(s string) io.Reader { return strings.NewReader(s) }
	from, err := send(message(t, text("A: b\n\nx\n"), "a@b.example"))
	if err != nil || from.Size != 11 || from.Body != smtp.BodyUnsaid || from.UTF8 {
		t.Errorf("plain: %+v, %v", from, err)
	}
	if from, err = send(message(t, text("A: b\n\n\xc3\xa4\n"), "a@b.example")); err != nil || from.Body != smtp.Body8Bit || from.UTF8 {
		t.Errorf("8 bit: %+v, %v", from, err)
	}
	if from, err = send(message(t, text("A: \xc3\xa4\n\n\n"), "a@b.example")); err != nil || from.Body != smtp.Body8Bit || !from.UTF8 {
		t.Errorf("header: %+v, %v", from, err)
	}
	if from, err = send(message(t, text("A: b\n\n\n"), "\xc3\xa4@b.example")); err != nil || !from.UTF8 {
		t.Errorf("address: %+v, %v", from, err)
	}
	m := message(t, text("A: b\n\n\x00\r\n"), "a@b.example")
	m.From.Body, m.From.Return, m.From.EnvID, m.To[0].Notify, m.To[0].ORcpt = smtp.BodyBinary, smtp.ReturnFull, "id 1", smtp.NotifyNever, "rfc822;x@y"
	if from, err = send(m); err != nil || from.Body != smtp.BodyBinary || from.EnvID != "id 1" || srv.Messages()[0].To[0].ORcpt != "rfc822;x@y" {
		t.Errorf("binary, DSN: %+v, %v", from, err)
	}

	c.Lack("SMTPUTF8", "8BITMIME", "DSN", "BINARYMIME")
	if _, err := send(message(t, text("A: b\n\n\n"), "ann@b\xc3\xbccher.example")); err != nil || srv.Messages()[0].To[0].Mailbox.Domain != "xn--bcher-kva.example" {
		t.Errorf("a domain in ASCII: %v", err)
	}
	if _, err := send(m); !errors.Is(err, smtp.ErrNotOffered) {
		t.Error("binary:", err)
	}
	m.From.Body, m.Body = smtp.BodyUnsaid, text("x")
	if _, err := send(m); !errors.Is(err, smtp.ErrNotOffered) {
		t.Error("DSN:", err)
	}
	for _, m := range []smtp.Message{message(t, text("A: b\n\n\n"), "\xc3\xa4@b.example"), message(t, text("A: \xc3\xa4\n\n\n"), "a@b.example")} {
		if _, err := send(m); !errors.Is(err, smtp.ErrNotOffered) {
			t.Error("UTF-8:", err)
		}
	}
	m = message(t, text("x"), "a@b.example")
	m.From.RequireTLS = true
	if _, err := send(m); !errors.Is(err, smtp.ErrNotOffered) {
		t.Error("REQUIRETLS:", err)
	}
	if _, err := send(message(t, text("x"))); !errors.Is(err, smtp.ErrNoRecipients) {
		t.Error("for nobody:", err)
	}
	if _, err := send(message(t, strings.NewReader(strings.Repeat("x", 26<<20)), "a@b.example")); !isReply(err, 552) {
		t.Error("too big:", err)
	}
	if _, err := send(message(t, text("x"), "a@b.example")); err != nil || c.Broken() {
		t.Error("afterwards:", err)
	}
}

// TestRecipientsAtOnce sends a message several times where the server takes few
// recipients at once (RFC 9422).
func TestRecipientsAtOnce(t *testing.T) {
	srv := smtptest.NewWith(t, smtptest.Options{Handler: func(h *smtp.Handler) { h.Limits.Recipients = 2 }})
	ctx := within(t)
	c := srv.Client(ctx, t, "tcp", smtp.Options{Security: smtp.InClear})
	to := []string{"a@b", "b@b", "c@b", "d@b", "e@b"}
	long := strings.Repeat(strings.Repeat("x", 1000)+"\r\n", 100)
	for _, body := range []io.Reader{strings.NewReader(long), iotest.OneByteReader(strings.NewReader("short\r\n"))} {
		srv.Reset()
		if r, err := c.Send(ctx, message(t, body, to...)); err != nil || r.Accepted() != 5 || len(srv.Messages()) != 3 {
			t.Errorf("%+v, %v", r, err)
		}
	}
	r, err := c.Send(ctx, message(t, struct{ io.Reader }{strings.NewReader(long)}, to...))
	if err == nil || r.Accepted() != 2 {
		t.Errorf("a body that cannot be read again: %+v, %v", r, err)
	}
}

// TestManyRecipients sends more commands than a window holds.
func TestManyRecipients(t *testing.T) {
	srv := smtptest.New(t)
	c := srv.Client(within(t), t, "tcp", smtp.Options{Security: smtp.InClear})
	var to []string
	for i := range 950 {
		to = append(to, fmt.Sprintf("r%d@example.test", i))
	}
	if r, err := c.Send(within(t), message(t, strings.NewReader("x\r\n"), to...)); err != nil || r.Accepted() != 950 || len(srv.Messages()[0].To) != 950 {
		t.Errorf("%d, %v", r.Accepted(), err)
	}
}

// TestInjection hands the client what would be other commands.
func TestHelpAndTurn(t *testing.T) {
	c := smtptest.New(t).Client(within(t), t, "tcp", smtp.Options{})
	if r := c.Welcome(); r.Code != 220 {
		t.Errorf("greeting: %+v", r)
	}
	if text, err := c.Help(within(t), "MAIL"); err != nil || !strings.Contains(text, "MAIL") {
		t.Errorf("%q, %v", text, err)
	}
	if r, err := c.Turn(within(t), "example.org"); !isReply(err, 502) { // nobody here keeps mail for nodes
		t.Errorf("%+v, %v", r, err)
	}
}

func TestInjection(t *testing.T) {
	srv := smtptest.New(t)
	ctx := within(t)
	c := srv.Client(ctx, t, "tcp", smtp.Options{Security: smtp.InClear})
	evil := "\r\nMAIL FROM:<evil@example.test>"
	for _, address := range []string{"a@b" + evil, "a@b>\r\nRCPT TO:<c@d", "a@b> SIZE=1", `"a` + evil + `"@b`, "a@b\nx", "a\x00@b", "<a@b>"} {
		if _, err := smtp.NewMessage(address, nil, nil); !errors.Is(err, smtp.ErrAddress) {
			t.Errorf("sender %q: %v", address, err)
		}
		local, domain, _ := strings.Cut(address, "@")
		m := message(t, strings.NewReader("x"), "a@b")
		m.To[0].Mailbox = smtp.Mailbox{Local: local, Domain: domain}
		if _, err := c.Send(ctx, m); err == nil && strings.ContainsAny(address, "\r\n\x00> ") {
			t.Errorf("recipient %q was said", address)
		}
	}
	for name, spoil := range map[string]func(m *smtp.Message){
		"parameter": func(m *smtp.Message) { m.From.Extra = []smtp.Param{{Name: "X", Value: "1 SIZE=2"}} },
		"name":      func(m *smtp.Message) { m.From.Extra = []smtp.Param{{Name: "X" + evil}} },
		"orcpt":     func(m *smtp.Message) { m.To[0].ORcpt = "utf-8;x NOTIFY=NEVER" },
	} {
		m := message(t, strings.NewReader("x"), "a@b")
		spoil(&m)
		if _, err := c.Send(ctx, m); !errors.Is(err, smtp.ErrAddress) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, f := range []func() error{
		func() error { _, err := c.Cmd(ctx, "NOOP", "x"+evil); return err },
		func() error { _, err := c.Verify(ctx, "x\n"); return err },
		func() error { _, err := c.Cmd(ctx, "NOOP\r\nRSET", ""); return err },
		func() error {
			_, err := smtp.Dial(ctx, srv.Endpoint("tcp"), smtp.Options{Hello: "x" + evil})
			return err
		},
	} {
		if err := f(); !errors.Is(err, wire.ErrBreak) {
			t.Error(err)
		}
	}
	if err := c.Noop(ctx); err != nil {
		t.Error("afterwards:", err)
	}
	for _, m := range srv.Messages() {
		if strings.HasPrefix(m.From.Mailbox.Local, "evil") || len(m.To) != 1 {
			t.Errorf("%+v", m)
		}
	}
}

// TestBrokenBody has a body fail in the middle: nothing arrives.
func TestBrokenBody(t *testing.T) {
	broken := errors.New("the disk is gone")
	for _, lacks := range lacking {
		srv := smtptest.New(t)
		c := srv.Client(within(t), t, "tcp", smtp.Options{Security: smtp.InClear})
		c.Lack(lacks...)
		short := io.MultiReader(strings.NewReader("A: b\r\n\r\n"), iotest.ErrReader(broken))
		if _, err := c.Send(within(t), message(t, short, "a@b")); !errors.Is(err, broken) || c.Broken() {
			t.Errorf("short: %v, %v", err, c.Broken())
		}
		long := io.MultiReader(bytes.NewReader(bytes.Repeat(append(bytes.Repeat([]byte("x"), 1000), "\r\n"...), 300)), iotest.ErrReader(broken))
		if _, err := c.Send(within(t), message(t, long, "a@b")); !errors.Is(err, broken) || !c.Broken() {
			t.Errorf("long: %v, %v", err, c.Broken())
		}
		if n := len(srv.Messages()); n > 0 {
			t.Errorf("%d messages", n)
		}
	}
}

// TestCancel ends a call that waits for a server that says nothing.
func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	srv := smtptest.NewWith(t, smtptest.Options{Handler: func(h *smtp.Handler) {
		h.Answer = func(line string) (string, bool) {
			if line == "NOOP" {
				cancel()
				<-release
			}
			return "", false
		}
	}})
	c := srv.Client(within(t), t, "tcp", smtp.Options{Security: smtp.InClear})
	if err := c.Noop(ctx); !errors.Is(err, context.Canceled) || !c.Broken() {
		t.Error(err)
	}
	close(release)
	if err := c.Noop(within(t)); err == nil {
		t.Error("a session that is out of step goes on")
	}
}

// TestUnixSocket delivers by LMTP over a path, as mail systems do.
func TestUnixSocket(t *testing.T) {
	for name, engine := range engines() {
		t.Run(name, func(t *testing.T) {
			dir := servertest.Dir(t)
			srv := smtptest.NewWith(t, smtptest.Options{Kind: smtp.LMTP, Engine: engine, Address: "unix:" + filepath.Join(dir, "s")})
			c := srv.Client(within(t), t, "unix", smtp.Options{LMTP: true})
			if r, err := c.Send(within(t), message(t, strings.NewReader("x\n"), "ann", "bob@example.test")); err != nil || r.Accepted() != 2 {
				t.Errorf("%+v, %v", r, err)
			}
			if m := srv.Messages()[0]; m.Peer.Addr.IsValid() || !strings.Contains(string(m.Data), "with LMTP id ") {
				t.Errorf("%+v %q", m.Peer, m.Data)
			}
		})
	}
}
