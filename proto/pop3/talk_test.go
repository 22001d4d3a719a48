package pop3_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/pop3"
	"github.com/farend-go/farend/server"
)

// The maildrop of RFC 1939's examples: two messages of 120 and 200 octets.
const (
	stamp = "<1896.697170952@dbc.mtview.ca.us>"
	one   = "From: mrose@dbc.mtview.ca.us\nSubject: one\n\n.dotted\n..twice\n.\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"
	two   = "From: postel@isi.edu\nSubject: two\n\nfirst\nsecond\n" + "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\n"
)

// drop is a maildrop that is the same for everybody. What is done to it is in
// events.
type drop struct {
	events func(string)
	err    error // of Delete
}

func (d drop) Maildrop(_ context.Context, who auth.Identity) (pop3.Maildrop, error) {
	d.tell("open " + who.Authorization)
	return d, nil
}

func (drop) Messages(context.Context) ([]pop3.Message, error) {
	return []pop3.Message{{Size: 120, UID: "whqtswO00WBw418f9t5JxYwZ"}, {Size: 200, UID: "QhdPYR:00WBw1Ph7x7"}}, nil
}

func (drop) Open(_ context.Context, number int) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader([]string{one, two}[number-1])), nil
}

func (d drop) Delete(_ context.Context, numbers []int) error {
	d.tell(fmt.Sprint("delete ", numbers))
	return d.err
}

func (d drop) Close() error {
	d.tell("close")
	return nil
}

func (d drop) tell(event string) {
	if d.events != nil {
		d.events(event)
	}
}

// tanstaaf is mrose's secret; its keys take a while to make.
var tanstaaf = sync.OnceValue(func() auth.Secret { return auth.Clear("tanstaaf") })

// mrose is a handler as RFC 1939 has it.
func mrose(b pop3.Backend) *pop3.Handler {
	users := &auth.Users{Secrets: map[string]auth.Secret{"mrose": tanstaaf()}}
	h := &pop3.Handler{Backend: b, Auth: &auth.Authenticator{Accounts: users, Delay: -1}}
	pop3.SetStamp(h, stamp)
	return h
}

func TestTranscripts(t *testing.T) {
	h := mrose(drop{})
	for _, script := range servertest.Scripts(t, "testdata/talk/*.txt") {
		t.Run(script.Name, func(t *testing.T) {
			transcript.Server(t, script, func(ctx context.Context, nc net.Conn) error {
				srv := &server.Server{Handler: h}
				return srv.Serve(ctx, transcript.Once(nc))
			})
		})
	}
}

// TestTranscriptsOnEvents plays them once, over a socket.
func TestTranscriptsOnEvents(t *testing.T) {
	addr := servertest.Serve(t, &server.Server{Handler: mrose(drop{}), Engine: server.Events()})
	for _, script := range servertest.Scripts(t, "testdata/talk/*.txt") {
		t.Run(script.Name, func(t *testing.T) {
			servertest.Play(t, addr, script)
		})
	}
}

// The client's side of RFC 1939's session, of a server without CAPA, and of one
// that knows everything.
const oldTalk = `
S: +OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>
C: CAPA
S: -ERR what?
C: APOP mrose c4c9334bac560ecc979e58001b3e22fb
S: +OK mrose's maildrop has 2 messages (320 octets)
C: STAT
S: +OK 2 320
C: LIST
S: +OK 2 messages (320 octets)
S: 1 120 and more that nobody needs
S: 2 200
S: .
C: CAPA
S: -ERR what?
C: RETR 1
S: +OK 120 octets
S: ..dot
S: 
S: end
S: .
C: DELE 1
S: +OK message 1 deleted
C: RETR 2
S: -ERR no such message
C: TOP 2 0
S: +OK
S: Subject: x
S: 
S: .
C: QUIT
S: +OK dewey POP3 server signing off (maildrop empty)
S.
`

func old(ctx context.Context, c *pop3.Client) error {
	if err := c.Login(ctx, auth.Credentials{User: "mrose", Password: "tanstaaf"}); err != nil {
		return err
	}
	if n, size, err := c.Stat(ctx); err != nil || n != 2 || size != 320 {
		return fmt.Errorf("STAT: %d, %d, %w", n, size, err)
	}
	if all, err := c.List(ctx); err != nil || len(all) != 2 || all[1] != (pop3.Entry{Number: 2, Size: 200}) {
		return fmt.Errorf("LIST: %v, %w", all, err)
	}
	said := ""
	for m, err := range c.Fetch(ctx, 1, 2) {
		if err != nil {
			said += fmt.Sprintf("%d: %v\n", m.Number, err)
			continue
		}
		text, err := io.ReadAll(m.Body)
		if err != nil {
			return err
		}
		said += fmt.Sprintf("%d: %q\n", m.Number, text)
		m.Delete()
	}
	if said != "1: \".dot\\r\\n\\r\\nend\\r\\n\"\n2: pop3: -ERR no such message\n" {
		return fmt.Errorf("RETR: %s (%w)", said, ctx.Err())
	}
	b, err := c.Top(ctx, 2, 0)
	if err != nil {
		return err
	}
	if err := b.Close(); err != nil {
		return err
	}
	return c.Quit(ctx)
}

const newTalk = `
S: +OK ready
C: CAPA
S: +OK
S: SASL LOGIN PLAIN CRAM-MD5
S: USER
S: PIPELINING
S: .
C: AUTH CRAM-MD5
S: + PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+
C: bXJvc2UgODVhMmRlYWViNTIwOWIwZjU0ZDQwNzU5ZGFjYzI0YzQ=
S: -ERR [AUTH] no
C: AUTH PLAIN AG1yb3NlAHRhbnN0YWFm
S: +OK
C: UTF8
S: +OK
C: LANG es
S: +OK es Idioma cambiado
C: LANG
S: +OK
S: en English
S: es
S: .
C: CAPA
S: +OK
S: PIPELINING
S: .
C: UIDL
C: LIST
S: +OK
S: 1 a
S: 3 b
S: .
S: +OK
S: 1 10
S: 3 30
S: .
C: RETR 1
C: RETR 3
S: +OK
S: one
S: .
S: +OK 30 octets
S: three
S: .
C: DELE 1
C: DELE 3
S: +OK
S: -ERR [SYS/TEMP] disk
C: QUIT
S: -ERR [SYS/PERM] some deleted messages not removed
S.
`

func newer(ctx context.Context, c *pop3.Client) error {
	cred := auth.Credentials{User: "mrose", Password: "tanstaaf"}
	if err := c.Login(ctx, cred); err != nil {
		return err
	}
	if err := c.UTF8(ctx); err != nil {
		return err
	}
	if tag, err := c.Lang(ctx, "es"); err != nil || tag != "es" {
		return fmt.Errorf("LANG: %q, %w", tag, err)
	}
	if names, err := c.Languages(ctx); err != nil || names["en"] != "English" || len(names) != 2 {
		return fmt.Errorf("LANG: %v, %w", names, err)
	}
	got := ""
	for m, err := range c.New(ctx, &pop3.MemoryJournal{}) {
		if err != nil {
			return err
		}
		text, err := io.ReadAll(m.Body)
		if err != nil {
			return err
		}
		got += fmt.Sprintf("%d %d %s %q\n", m.Number, m.Size, m.UID, text)
	}
	if got != "1 10 a \"one\\r\\n\"\n3 30 b \"three\\r\\n\"\n" {
		return fmt.Errorf("New: %s", got)
	}
	r := pop3.Reply{}
	if err := c.Delete(ctx, 1, 3); !errors.As(err, &r) || !r.Has("SYS") || errors.Is(err, auth.ErrRefused) {
		return fmt.Errorf("DELE: %w", err)
	}
	if err := c.Quit(ctx); !errors.As(err, &r) || r.Code != pop3.CodePermanent {
		return fmt.Errorf("QUIT: %w", err)
	}
	return nil
}

func TestClientTranscripts(t *testing.T) {
	for name, c := range map[string]struct {
		talk string
		do   func(context.Context, *pop3.Client) error
	}{"old": {oldTalk, old}, "new": {newTalk, newer}} {
		t.Run(name, func(t *testing.T) {
			script, err := transcript.Parse(name, c.talk)
			if err != nil {
				t.Fatal(err)
			}
			transcript.Client(t, script, func(ctx context.Context, nc net.Conn) error {
				client, err := pop3.NewClient(ctx, conv.New(nc, conv.Options{}), pop3.Options{})
				if err != nil {
					return err
				}
				defer client.Close()
				return c.do(ctx, client)
			})
		})
	}
}
