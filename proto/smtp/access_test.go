package smtp_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/smtp"
	"github.com/farend-go/farend/proto/smtp/smtptest"
	"github.com/farend-go/farend/server"
)

var users = map[string]string{"ann": "secret"}

func TestTLS(t *testing.T) {
	for name, engine := range engines() {
		t.Run(name, func(t *testing.T) {
			ctx := within(t)
			srv := smtptest.NewWith(t, smtptest.Options{Engine: engine})
			body := strings.Repeat(strings.Repeat("x", 1000)+"\r\n", 200)
			for _, scheme := range []string{"tcp", "starttls"} {
				c := srv.Client(ctx, t, scheme, srv.Options())
				if _, ok := c.TLS(); !ok || c.Capabilities().Has("STARTTLS") || !c.Capabilities().Has("REQUIRETLS") {
					t.Errorf("%s: in clear", scheme)
				}
				m := message(t, strings.NewReader(body), "a@b")
				m.From.RequireTLS = true
				if _, err := c.Send(ctx, m); err != nil {
					t.Error(err)
				}
				if _, err := c.Cmd(ctx, "STARTTLS", ""); !isReply(err, 503) {
					t.Error("TLS in TLS:", err)
				}
				if err := c.Quit(ctx); err != nil {
					t.Error(err)
				}
			}
			got := srv.Messages()[1]
			if got.Peer.TLS == nil || !got.From.RequireTLS || !strings.Contains(string(got.Data), "with ESMTPS (TLS 1.3") || !strings.HasSuffix(string(got.Data), body) {
				t.Errorf("%+v %.300q", got.From, got.Data)
			}
			if _, err := smtp.Dial(ctx, srv.Endpoint("tcp"), smtp.Options{}); err == nil {
				t.Error("a certificate of nobody's was believed")
			}
			c := srv.Client(ctx, t, "tcp", smtp.Options{Security: smtp.Unverified})
			if _, ok := c.TLS(); !ok {
				t.Error("no TLS where a certificate is not to be verified")
			}
			direct := smtptest.NewWith(t, smtptest.Options{Engine: engine, TLS: true})
			if err := direct.Client(ctx, t, "tls", direct.Options()).Noop(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTLSNotOffered(t *testing.T) {
	ctx := within(t)
	srv := smtptest.NewWith(t, smtptest.Options{Handler: func(h *smtp.Handler) { h.TLS = nil }})
	if _, err := smtp.Dial(ctx, srv.Endpoint("starttls"), srv.Options()); !errors.Is(err, smtp.ErrNotOffered) {
		t.Error(err)
	}
	if _, err := smtp.Dial(ctx, srv.Endpoint("tcp"), srv.Options()); err != nil {
		t.Error(err)
	}
	only := smtptest.NewWith(t, smtptest.Options{Handler: func(h *smtp.Handler) { h.RequireTLS = true }})
	c := only.Client(ctx, t, "tcp", smtp.Options{Security: smtp.InClear})
	if _, err := c.Send(ctx, message(t, strings.NewReader("x"), "a@b")); !isReply(err, 530) {
		t.Error(err)
	}
}

func TestLogin(t *testing.T) {
	for name, engine := range engines() {
		t.Run(name, func(t *testing.T) {
			ctx := within(t)
			srv := smtptest.NewWith(t, smtptest.Options{Engine: engine, Users: users, Handler: func(h *smtp.Handler) { h.Limits.Logins = 20 }})
			for _, scheme := range []string{"tcp", "starttls"} {
				o := srv.Options()
				if scheme == "tcp" {
					o.Security = smtp.InClear
				}
				c := srv.Client(ctx, t, scheme, o)
				if _, err := c.Send(ctx, message(t, strings.NewReader("x"), "a@b")); !isReply(err, 530) {
					t.Error("before the login:", err)
				}
				offered, _ := c.Capabilities().Get("AUTH")
				for mechanism := range strings.FieldsSeq(offered) {
					c := srv.Client(ctx, t, scheme, o)
					who := auth.Credentials{User: "ann", Password: "wrong", Mechanism: mechanism}
					if err := c.Login(ctx, who); !errors.Is(err, auth.ErrRefused) || !isReply(err, 535) {
						t.Errorf("%s %s: a wrong password: %v", scheme, mechanism, err)
					}
					who.Password = "secret"
					if err := c.Login(ctx, who); err != nil {
						t.Errorf("%s %s: %v", scheme, mechanism, err)
						continue
					}
					if _, err := c.Send(ctx, message(t, strings.NewReader("x"), "a@b")); err != nil {
						t.Errorf("%s %s: %v", scheme, mechanism, err)
					}
					if err := c.Login(ctx, who); !isReply(err, 503) {
						t.Errorf("%s %s: a second login: %v", scheme, mechanism, err)
					}
				}
			}
			all := srv.Messages()
			if last := all[len(all)-1]; last.Peer.User != "ann" || !strings.Contains(string(last.Data), "with ESMTPSA ") {
				t.Errorf("%+v %q", last.Peer, last.Data)
			}
		})
	}
}

// TestAuthLines says by hand what clients get wrong, and what is long.
func TestAuthLines(t *testing.T) {
	long := "long" + strings.Repeat("x", 1000)
	srv := smtptest.NewWith(t, smtptest.Options{Users: map[string]string{"ann": long}, Handler: func(h *smtp.Handler) { h.Limits.Logins = 3 }})
	c := dialRaw(t, srv.Addr)
	c.want("EHLO x\r\n", "220", "250")
	c.want("AUTH\r\n", "501 5.5.4")
	c.want("AUTH NOSUCH\r\n", "504 5.5.4")
	c.want("AUTH PLAIN ***\r\n", "501 5.5.2")
	c.want("AUTH PLAIN\r\n", "334 ")
	c.want("*\r\n", "501 5.7.0")
	c.want("AUTH LOGIN\r\n", "334 VXNlcm5hbWU6")
	c.want(base64.StdEncoding.EncodeToString([]byte("ann"))+"\r\n", "334 ")
	c.want("not base64\r\n", "501 5.5.2")
	c.want("AUTH PLAIN\r\n", "334 ")
	c.want("QUIT"+strings.Repeat("x", 20_000)+"\r\n", "500 5.5.6")
	c.want("AUTH PLAIN "+base64.StdEncoding.EncodeToString([]byte("\x00ann\x00"+long))+"\r\n", "235 2.7.0")
	c.want("NOOP "+strings.Repeat("x", 3000)+"\r\n", "500 5.5.6")
	if err := srv.Client(within(t), t, "tcp", srv.Options()).Login(within(t), auth.Credentials{User: "ann", Password: long, Mechanism: "PLAIN"}); err != nil {
		t.Error("an initial response that the command has no room for:", err)
	}

	few := dialRaw(t, srv.Addr)
	wrong := "AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00ann\x00x")) + "\r\n"
	few.want("EHLO x\r\n", "220", "250")
	few.want(wrong, "535 5.7.8")
	few.want(wrong, "535 5.7.8")
	few.want(wrong, "535 5.7.8", "421 4.7.0")
	few.ended()
}

// TestImpostor has a server say yes before it has proved anything.
func TestImpostor(t *testing.T) {
	srv := smtptest.NewWith(t, smtptest.Options{Users: users, Faults: []faults.Rule{{Verb: "AUTH", Reply: "235 2.7.0 come in"}}})
	err := srv.Client(within(t), t, "tcp", srv.Options()).Login(within(t), auth.Credentials{User: "ann", Password: "secret", Mechanism: "SCRAM-SHA-256"})
	if !errors.Is(err, auth.ErrServer) {
		t.Error(err)
	}
	none := smtptest.NewWith(t, smtptest.Options{Handler: func(h *smtp.Handler) { h.Auth = nil }})
	o := none.Options()
	o.Login = &auth.Credentials{User: "ann"}
	if _, err := smtp.Dial(within(t), none.Endpoint("tcp"), o); !errors.Is(err, smtp.ErrNotOffered) {
		t.Error(err)
	}
}

// TestSecrets looks for passwords in what a tap hears.
func TestSecrets(t *testing.T) {
	room := &testLog{}
	for _, mechanism := range []string{"PLAIN", "LOGIN"} {
		srv := smtptest.NewWith(room, smtptest.Options{Users: users})
		c := srv.Client(within(t), room, "tcp", srv.Options())
		if err := c.Login(within(t), auth.Credentials{User: "ann", Password: "secret", Mechanism: mechanism}); err != nil {
			t.Error(err)
		}
	}
	room.failed = true
	room.end()
	text := room.String()
	for _, secret := range []string{"c2VjcmV0", base64.StdEncoding.EncodeToString([]byte("\x00ann\x00secret")), "YW5u"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in %s", secret, text)
		}
	}
	if !strings.Contains(text, "C: AUTH PLAIN ***") || !strings.Contains(text, "C: AUTH LOGIN") {
		t.Error(text)
	}
}

func TestXClient(t *testing.T) {
	srv := smtptest.NewWith(t, smtptest.Options{Users: users, Handler: func(h *smtp.Handler) {
		h.TrustXClient = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	}})
	c := dialRaw(t, srv.Addr)
	c.want("EHLO proxy\r\n", "220", "250")
	c.want("XCLIENT NAME=spike.porcupine.org ADDR=168.100.189.2 PORT=[UNAVAILABLE] PROTO=ESMTP HELO=spike LOGIN=ann\r\n", "220")
	c.want("MAIL FROM:<a@b>\r\n", "503 5.5.1 Say EHLO")
	c.want("EHLO x\r\nXCLIENT COLOR=blue\r\nXCLIENT ADDR=nonsense\r\nXCLIENT ADDR=IPV6:2001:db8::1\r\n", "250", "501", "501", "220")
	c.want("EHLO x\r\n", "250")
	c.want("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 0 LAST\r\n", "250", "250", "250")
	m := srv.Messages()[0]
	if m.Peer.User != "ann" || m.Peer.Addr.Addr().String() != "2001:db8::1" || !strings.Contains(string(m.Data), "from spike (spike.porcupine.org [IPv6:2001:db8::1])") {
		t.Errorf("%+v %q", m.Peer, m.Data)
	}
	open := smtptest.New(t)
	stranger := dialRaw(t, open.Addr)
	stranger.want("EHLO x\r\nXCLIENT LOGIN=ann\r\n", "220", "250", "502")
}

// extension is a Backend with an extension of its own.
type extension struct{ *smtptest.Mailroom }

func (extension) Extensions() []smtp.Extension {
	return []smtp.Extension{{
		Capability: smtp.Capability{Name: "FUTURERELEASE", Param: "1 2"}, Mail: []string{"HOLDFOR"}, Rcpt: []string{"RRVS"}, Verb: "XTIME",
		Do: func(_ context.Context, arg string, _ smtp.Peer) smtp.Reply {
			return smtp.Reply{Code: 250, Text: "time " + arg}
		},
	}}
}

func TestExtension(t *testing.T) {
	room := &smtptest.Mailroom{}
	addr := servertest.Serve(t, &server.Server{Handler: &smtp.Handler{Backend: extension{room}}, Engine: server.Events()})
	c, err := smtp.Dial(within(t), "tcp:"+addr, smtp.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if param, _ := c.Capabilities().Get("FUTURERELEASE"); param != "1 2" {
		t.Error(c.Capabilities())
	}
	m := message(t, strings.NewReader("x"), "a@b")
	m.From.Extra, m.To[0].Extra = []smtp.Param{{Name: "HOLDFOR", Value: "60"}}, []smtp.Param{{Name: "RRVS", Value: "x"}}
	if _, err := c.Send(within(t), m); err != nil || room.Messages()[0].From.Extra[0].Value != "60" {
		t.Error(err)
	}
	m.To[0].Extra[0].Name = "HOLDFOR"
	if _, err := c.Send(within(t), m); !isReply(err, 555) {
		t.Error(err)
	}
	if r, err := c.Cmd(within(t), "XTIME", "now"); err != nil || r.Text != "time now" {
		t.Error(r, err)
	}
}

// TestSendMail is net/smtp's function.
func TestSendMail(t *testing.T) {
	srv := smtptest.NewWith(t, smtptest.Options{Users: users, Handler: func(h *smtp.Handler) { h.TLS = nil }})
	err := smtp.SendMail(within(t), srv.Addr, &auth.Credentials{User: "ann", Password: "secret"}, "a@b", []string{"c@d"}, []byte("A: b\n\nx\n"))
	if err != nil || srv.Messages()[0].Text() != "x\r\n" {
		t.Error(err)
	}
	if err := smtp.SendMail(within(t), srv.Addr, nil, "a@b", []string{"c@d"}, nil); !isReply(err, 530) {
		t.Error(err)
	}
}

// TestStop says goodbye to who waits.
func TestStop(t *testing.T) {
	for name, engine := range engines() {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			l, err := server.Listen(ctx, "127.0.0.1:0", server.ListenConfig{})
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan error)
			led := newLedger(all)
			go func() {
				done <- (&server.Server{Handler: &smtp.Handler{Backend: led}, Engine: engine}).Serve(ctx, l)
			}()
			c := dialRaw(t, l.Addr().String())
			c.want("EHLO x\r\nMAIL FROM:<a@b>\r\n", "220", "250", "250")
			cancel()
			c.want("", "421 4.3.2")
			if _, err := io.Copy(io.Discard, c.r); err != nil {
				t.Error(err)
			}
			if err := <-done; err != nil || led.aborted.Load() != 1 {
				t.Error(err, led)
			}
		})
	}
}
