package pop3_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/proto/pop3"
	"github.com/farend-go/farend/proto/pop3/pop3test"
	"github.com/farend-go/farend/server"
)

// both runs a test on both engines.
func both(t *testing.T, o pop3test.Options, f func(t *testing.T, s *pop3test.Server)) {
	t.Helper()
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			o := o
			o.Engine = e()
			f(t, pop3test.New(t, o))
		})
	}
}

func right() auth.Credentials {
	return auth.Credentials{User: pop3test.User, Password: pop3test.Password}
}

func TestOneSessionHasTheMaildrop(t *testing.T) {
	both(t, pop3test.Options{Messages: []string{"a", "b"}}, func(t *testing.T, s *pop3test.Server) {
		ctx := t.Context()
		first := s.Client(ctx, "tcp")
		second, err := pop3.Dial(ctx, s.Endpoint("tcp"), s.Options())
		if err != nil {
			t.Fatal(err)
		}
		defer second.Close()
		if err := second.Login(ctx, right()); !errors.Is(err, pop3.ErrInUse) || errors.Is(err, auth.ErrRefused) {
			t.Errorf("the second session: %v", err)
		}
		s.Put(pop3test.User, "c") // is for the next session
		if n, _, err := first.Stat(ctx); err != nil || n != 2 {
			t.Errorf("%d messages, %v", n, err)
		}
		if err := errors.Join(first.Delete(ctx, 1), first.Close()); err != nil { // without QUIT
			t.Fatal(err)
		}
		s.Wait(ctx, pop3test.User)
		if err := second.Login(ctx, right()); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(second.Delete(ctx, 2), second.Quit(ctx)); err != nil {
			t.Fatal(err)
		}
		if got, want := s.Messages(pop3test.User), []string{"a\r\n", "c\r\n"}; !slices.Equal(got, want) {
			t.Errorf("%q is left, want %q", got, want)
		}
	})
}

// told is a drop that notes what is done to it.
func told(err error) (d drop, events func() string) {
	var all []string
	return drop{events: func(e string) { all = append(all, e) }, err: err}, func() string { return strings.Join(all, ", ") }
}

// converse plays a script at a server of the handler's, once.
func converse(t *testing.T, h *pop3.Handler, text string) {
	t.Helper()
	script, err := transcript.Parse(t.Name(), text)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := transcript.Pipe()
	served := make(chan error, 1)
	go func() { served <- (&server.Server{Handler: h}).Serve(context.Background(), transcript.Once(theirs)) }()
	if err := transcript.Play(t.Context(), ours, script, transcript.ClientSide); err != nil {
		t.Error(err)
	}
	ours.Close()
	<-served // net.ErrClosed: nobody else will come
}

const hello = `
S: +OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>
C: APOP mrose c4c9334bac560ecc979e58001b3e22fb
S: +OK maildrop has 2 messages (320 octets)
`

func TestUpdate(t *testing.T) {
	full := errors.New("disk full")
	for _, c := range []struct {
		err          error
		talk, events string
	}{
		{nil, "C: DELE 2\nS: +OK message 2 deleted\nC: QUIT\nS: +OK Goodbye\nS.", "open mrose, delete [2], close"},
		{nil, "C: QUIT\nS: +OK Goodbye\nS.", "open mrose, close"},
		{nil, "C: DELE 2\nS: +OK message 2 deleted\nC: RSET\nS: +OK maildrop has 2 messages (320 octets)\nC: QUIT\nS: +OK Goodbye\nS.", "open mrose, close"},
		{nil, "C: DELE 2\nS: +OK message 2 deleted\nC.", "open mrose, close"},
		{nil, "C: DELE 2\nS: +OK message 2 deleted\nC!", "open mrose, close"},
		{nil, "C: DELE 2\nS: +OK message 2 deleted\nC: QUI\\c\nC.", "open mrose, close"},
		{full, "C: DELE 2\nS: +OK message 2 deleted\nC: QUIT\nS: -ERR [SYS/TEMP] Some deleted messages not removed\nS.", "open mrose, delete [2], close"},
		{pop3.Reply{Code: pop3.CodePermanent, Text: "Read only"}, "C: DELE 2\nS: +OK message 2 deleted\nC: QUIT\nS: -ERR [SYS/PERM] Read only\nS.", "open mrose, delete [2], close"},
	} {
		d, events := told(c.err)
		converse(t, mrose(d), hello+c.talk)
		if got := events(); got != c.events {
			t.Errorf("%s: %s, want %s", c.talk, got, c.events)
		}
	}
}

func TestExpire(t *testing.T) {
	d, events := told(nil)
	h := mrose(d)
	h.Expire = -1
	converse(t, h, hello+"C: TOP 2 0\nS: +OK 200 octets\nS: From: postel@isi.edu\nS: Subject: two\nS: \nS: .\nC: RETR 1\nS: +OK 120 octets\n"+
		"S: From: mrose@dbc.mtview.ca.us\nS: Subject: one\nS: \nS: ..dotted\nS: ...twice\nS: ..\nS: "+strings.Split(one, "\n")[6]+"\nS: .\nC: QUIT\nS: +OK Goodbye\nS.")
	if got := events(); got != "open mrose, delete [1], close" {
		t.Errorf("with EXPIRE 0: %s", got)
	}
}

// capa asks for capabilities in clear.
func capa(t *testing.T, h *pop3.Handler) pop3.Capabilities {
	t.Helper()
	ours, theirs := transcript.Pipe()
	served := make(chan error, 1)
	go func() { served <- (&server.Server{Handler: h}).Serve(context.Background(), transcript.Once(theirs)) }()
	defer func() { <-served }()
	c, err := pop3.NewClient(t.Context(), conv.New(ours, conv.Options{}), pop3.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	caps, err := c.Capabilities(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return caps
}

func TestCapabilitiesAreComputed(t *testing.T) {
	for _, c := range []struct {
		tag, want string
		change    func(*pop3.Handler)
	}{
		{"STLS", "[]", func(h *pop3.Handler) { h.TLS = testcert.Server(t) }},
		{"STLS", "none", func(*pop3.Handler) {}},
		{"EXPIRE", "[NEVER]", func(*pop3.Handler) {}},
		{"EXPIRE", "[30]", func(h *pop3.Handler) { h.Expire = 30 }},
		{"EXPIRE", "[0]", func(h *pop3.Handler) { h.Expire = -1 }},
		{"LOGIN-DELAY", "none", func(*pop3.Handler) {}},
		{"LOGIN-DELAY", "[2]", func(h *pop3.Handler) { h.LoginDelay = 1500 * time.Millisecond }},
		{"IMPLEMENTATION", "[farend]", func(*pop3.Handler) {}},
		{"IMPLEMENTATION", "[a b]", func(h *pop3.Handler) { h.Implementation = "a b" }},
		{"IMPLEMENTATION", "none", func(h *pop3.Handler) { h.Implementation = "-" }},
		{"USER", "none", func(h *pop3.Handler) { h.Auth = nil }},
		{"SASL", "none", func(h *pop3.Handler) { h.Auth = nil }},
		{"SASL", "[PLAIN LOGIN]", func(h *pop3.Handler) {
			h.Auth = &auth.Authenticator{Accounts: &auth.Users{Secrets: map[string]auth.Secret{"a": auth.Hash("b")}}}
		}},
		{"UTF8", "[USER]", func(*pop3.Handler) {}},
	} {
		h := mrose(drop{})
		c.change(h)
		got := "none"
		if args, ok := capa(t, h)[c.tag]; ok {
			got = fmt.Sprint(args)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.tag, got, c.want)
		}
	}
}

// elsewhere is a connection from another machine.
type elsewhere struct{ net.Conn }

func (elsewhere) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711} }

// TestInClear: no plain password is taken in clear from elsewhere, nor said
// there.
func TestInClear(t *testing.T) {
	h := mrose(drop{})
	ours, theirs := transcript.Pipe()
	served := make(chan error, 1)
	go func() {
		served <- (&server.Server{Handler: h}).Serve(context.Background(), transcript.Once(elsewhere{theirs}))
	}()
	defer func() { <-served }()
	ctx := t.Context()
	c, err := pop3.NewClient(ctx, conv.New(elsewhere{ours}, conv.Options{}), pop3.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	caps, err := c.Capabilities(ctx)
	if want := []string{auth.SCRAMSHA256, auth.SCRAMSHA1, auth.CRAMMD5}; err != nil || caps.Has("USER") || !slices.Equal(caps["SASL"], want) {
		t.Errorf("offered in clear: %v, %v", caps, err)
	}
	if err := c.User(ctx, "mrose", "tanstaaf"); !errors.Is(err, auth.ErrRefused) {
		t.Errorf("USER in clear: %v", err)
	}
	if _, err := c.Cmd(ctx, "AUTH", "PLAIN AGEAYg=="); !errors.Is(err, auth.ErrRefused) {
		t.Errorf("AUTH PLAIN in clear: %v", err)
	}
	for _, mechanism := range []string{auth.PLAIN, auth.LOGIN, pop3.MechanismUSER} {
		err := c.Login(ctx, auth.Credentials{User: "mrose", Password: "tanstaaf", Mechanism: mechanism})
		if errors.Is(err, auth.ErrRefused) || err == nil {
			t.Errorf("%s was said in clear: %v", mechanism, err)
		}
	}
	if err := c.Login(ctx, auth.Credentials{User: "mrose", Password: "tanstaaf"}); err != nil {
		t.Errorf("SCRAM in clear: %v", err)
	}
}

func TestLoginDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := mrose(drop{})
		h.LoginDelay = time.Minute
		converse(t, h, hello+"C: QUIT\nS: +OK Goodbye\nS.")
		again := strings.Replace(hello, "+OK maildrop has 2 messages (320 octets)", "-ERR [LOGIN-DELAY] The last login was a moment ago", 1)
		converse(t, h, again+"C: QUIT\nS: +OK Goodbye\nS.")
		<-time.After(time.Minute)
		converse(t, h, hello+"C: QUIT\nS: +OK Goodbye\nS.")
	})
}

func TestLimits(t *testing.T) {
	wrong := "C: USER mrose\nS: +OK Password, please\nC: PASS wrong\nS: -ERR [AUTH] Login refused\n"
	converse(t, mrose(drop{}), hello[:strings.Index(hello, "C:")]+strings.Repeat(wrong, 3)+"S.")
	converse(t, mrose(drop{}), hello+strings.Repeat("C: WHAT\nS: -ERR Unknown command\n", 10)+"S: -ERR This is a POP3 server; closing\nS.")
	converse(t, mrose(drop{}), hello+strings.Repeat("C: WHAT\nS: -ERR Unknown command\n", 9)+"C: NOOP\nS: +OK\nC: WHAT\nS: -ERR Unknown command\nC: QUIT\nS: +OK Goodbye\nS.")
	converse(t, mrose(drop{}), hello+"C: NOOP "+strings.Repeat("x", 5000)+"\nS: -ERR Line too long\nC: NOOP\nS: +OK\nC: QUIT\nS: +OK Goodbye\nS.")
	h := mrose(drop{})
	h.Limits.Messages = 1
	converse(t, h, strings.Replace(hello, "2 messages (320", "1 messages (120", 1)+"C: RETR 2\nS: -ERR No such message, only 1 messages in maildrop\nC: QUIT\nS: +OK Goodbye\nS.")
}

// odd is a maildrop with messages that make trouble.
type odd struct{ drop }

func (odd) Maildrop(context.Context, auth.Identity) (pop3.Maildrop, error) { return odd{}, nil }

func (odd) Messages(context.Context) ([]pop3.Message, error) {
	return []pop3.Message{{Size: 1, UID: "a", UTF8: true}, {Size: 1, UID: "b"}, {Size: 1, UID: "c"}, {Size: 317, UID: "d"}}, nil
}

func (odd) Open(_ context.Context, number int) (io.ReadCloser, error) {
	switch number {
	case 2:
		return nil, pop3.ErrGone
	case 3:
		return nil, errors.New("disk on fire")
	case 4:
		return io.NopCloser(io.MultiReader(strings.NewReader("half\r\n"), failing{})), nil
	}
	return io.NopCloser(strings.NewReader("x")), nil
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("disk on fire") }

func TestMessagesThatCannotBeSent(t *testing.T) {
	greeted := strings.Replace(hello, "2 messages (320", "4 messages (320", 1)
	converse(t, mrose(odd{}), greeted+`C: RETR 1
S: -ERR [UTF8] The message has UTF-8 in its header, say UTF8 first
C: TOP 1 0
S: -ERR [UTF8] The message has UTF-8 in its header, say UTF8 first
C: RETR 2
S: -ERR Message 2 is gone
C: RETR 3
S: -ERR [SYS/TEMP] The message cannot be read now
C: QUIT
S: +OK Goodbye
S.`)
	early := strings.Index(greeted, "C: APOP")
	converse(t, mrose(odd{}), greeted[:early]+"C: UTF8\nS: +OK UTF-8 it is\n"+greeted[early:]+"C: RETR 1\nS: +OK 1 octets\nS: x\nS: .\nC: QUIT\nS: +OK Goodbye\nS.")
}

func TestHalfAMessageIsNoMessage(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			addr := servertest.Serve(t, &server.Server{Handler: mrose(odd{}), Engine: e()})
			c, err := pop3.Dial(t.Context(), "tcp:"+addr, pop3.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.Login(t.Context(), auth.Credentials{User: "mrose", Password: "tanstaaf"}); err != nil {
				t.Fatal(err)
			}
			b, err := c.Retrieve(t.Context(), 4)
			if err == nil { // a reset may have overtaken the reply
				_, err = io.ReadAll(b)
			}
			if err == nil || !c.Broken() {
				t.Errorf("half a message: %v", err)
			}
		})
	}
}

func TestSTLS(t *testing.T) {
	both(t, pop3test.Options{Messages: []string{"a"}}, func(t *testing.T, s *pop3test.Server) {
		ctx := t.Context()
		c := s.Client(ctx, "starttls")
		if _, ok := c.TLS(); !ok {
			t.Error("no TLS")
		}
		caps, err := c.Capabilities(ctx)
		if err != nil || caps.Has("STLS") || !slices.Contains(caps["SASL"], auth.SCRAMSHA256PLUS) {
			t.Errorf("%v, %v", caps, err)
		}
		if _, err := c.Cmd(ctx, "STLS", ""); err == nil {
			t.Error("STLS twice")
		}
		if err := c.Quit(ctx); err != nil {
			t.Error(err)
		}
	})
}

// TestNothingSurvivesSTLS: what was said in clear behind STLS is never
// answered.
func TestNothingSurvivesSTLS(t *testing.T) {
	h := mrose(drop{})
	h.TLS = testcert.Server(t)
	converse(t, h, hello[:strings.Index(hello, "C:")]+"C: STLS\nC: CAPA\nS: +OK Begin the handshake\nS.")
}

func TestOpportunistic(t *testing.T) {
	s := pop3test.New(t, pop3test.Options{})
	o := s.Options()
	o.Opportunistic = true
	c, err := pop3.Dial(t.Context(), s.Endpoint("tcp"), o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, ok := c.TLS(); !ok {
		t.Error("offered, and not taken")
	}
	bare := pop3test.New(t, pop3test.Options{Handler: func(h *pop3.Handler) { h.TLS = nil }})
	c, err = pop3.Dial(t.Context(), bare.Endpoint("tcp"), o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, ok := c.TLS(); ok {
		t.Error("TLS from nowhere")
	}
	if _, err := pop3.Dial(t.Context(), bare.Endpoint("starttls"), o); !errors.Is(err, pop3.ErrNoTLS) {
		t.Errorf("starttls without STLS: %v", err)
	}
	o.Dialer.TLS = &tls.Config{}
	if _, err := pop3.Dial(t.Context(), s.Endpoint("starttls"), o); err == nil {
		t.Error("a certificate that nobody knows was taken")
	}
}

func TestFarewell(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			l, err := server.Listen(ctx, "127.0.0.1:0", server.ListenConfig{})
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- (&server.Server{Handler: mrose(drop{}), Engine: e()}).Serve(ctx, l) }()
			c, err := pop3.Dial(t.Context(), "tcp:"+l.Addr().String(), pop3.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.Login(t.Context(), auth.Credentials{User: "mrose", Password: "tanstaaf"}); err != nil {
				t.Fatal(err)
			}
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
			r := pop3.Reply{}
			if err := c.Noop(t.Context()); errors.As(err, &r) && r.Code != pop3.CodeTemporary || err == nil {
				t.Errorf("got %v", err)
			}
		})
	}
}
