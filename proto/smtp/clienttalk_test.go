package smtp_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/smtp"
)

// oldTalk is a server of RFC 821, as a client meets it: RFC 5321 section 3.2,
// and refusals of every kind.
const oldTalk = `
S: 220-old.example
S: 220 SMTP
C: EHLO me.example
S: 500 what?
C: HELO me.example
S: 250 old.example
C: MAIL FROM:<Smith@bar.com>
S: 250 ok
C: RCPT TO:<Jones@foo.com>
S: 250 ok
C: RCPT TO:<Green@foo.com>
S: 550 No such user here
C: DATA
S: 354 go
C: Blah blah blah...
C: ..etc.
C: .
S: 250 ok
C: MAIL FROM:<Smith@bar.com>
S: 250 ok
C: RCPT TO:<Green@foo.com>
S: 550 No such user here
C: RSET
S: 250 ok
C: MAIL FROM:<Smith@bar.com>
S: 452 no room
C: VRFY Crispin
S: 252-Cannot say
S: 252 but try
C: EXPN list
S: 250-a@b
S: 250 c@d
C: QUIT
S: 221 bye
`

// newTalk is a server that lets everything be said at once.
const newTalk = `
S: 220 new.example ESMTP
C: EHLO me.example
S: 250-new.example
S: 250-PIPELINING
S: 250-CHUNKING
S: 250-SIZE
S: 250-AUTH PLAIN
S: 250 8BITMIME
C: AUTH PLAIN ***
S: 235 2.7.0 welcome
C: MAIL FROM:<Smith@bar.com> SIZE=26
C: RCPT TO:<Jones@foo.com>
C: RCPT TO:<Green@foo.com>
C: BDAT 26 LAST
C: Blah blah blah...
C: .etc.
S: 250 2.1.0 ok
S: 250 2.1.5 ok
S: 550 5.1.1 No such user here
S: 250 2.0.0 ok
C: MAIL FROM:<Smith@bar.com> SIZE=26
C: RCPT TO:<Green@foo.com>
C: BDAT 26 LAST
C: Blah blah blah...
C: .etc.
S: 250 2.1.0 ok
S: 550 5.1.1 No such user here
S: 503 5.5.1 no recipients
C: RSET
C: MAIL FROM:<Smith@bar.com> SIZE=26
C: RCPT TO:<Green@foo.com>
C: BDAT 26 LAST
C: Blah blah blah...
C: .etc.
S: 250 2.0.0 ok
S: 452 4.3.1 no room
S: 503 5.5.1 MAIL first
S: 503 5.5.1 MAIL first
C: VRFY Crispin
S: 252-2.5.0 Cannot say
S: 252 2.5.0 but try
C: EXPN list
S: 250-2.1.5 a@b
S: 250 2.1.5 c@d
C: QUIT
S: 221 2.0.0 bye
`

// lmtpTalk is RFC 2033's example without what RFC 3030 adds.
const lmtpTalk = `
S: 220 foo.edu LMTP server ready
C: LHLO me.example
S: 250-foo.edu
S: 250-PIPELINING
S: 250 SIZE
C: MAIL FROM:<Smith@bar.com> SIZE=26
C: RCPT TO:<Jones@foo.com>
C: RCPT TO:<Green@foo.com>
C: DATA
S: 250 OK
S: 250 OK
S: 250 OK
S: 354 Start mail input
C: Blah blah blah...
C: ..etc.
C: .
S: 250 OK
S: 452 <green@foo.edu> is temporarily over quota
C: MAIL FROM:<Smith@bar.com> SIZE=26
C: RCPT TO:<Green@foo.com>
C: DATA
S: 250 OK
S: 550 No such user here
S: 503 no valid recipients
C: RSET
C: MAIL FROM:<Smith@bar.com> SIZE=26
C: RCPT TO:<Green@foo.com>
C: DATA
S: 250 OK
S: 452 no room
S: 503 first MAIL
S: 354 go all the same
C: .
S: 554 nobody
C: VRFY Crispin
S: 252 perhaps
C: EXPN list
S: 250-a@b
S: 250 c@d
C: QUIT
S: 221 OK
`

func TestClientTranscripts(t *testing.T) {
	for name, text := range map[string]string{"old": oldTalk, "new": newTalk, "lmtp": lmtpTalk} {
		t.Run(name, func(t *testing.T) {
			script, err := transcript.Parse(name, text)
			if err != nil {
				t.Fatal(err)
			}
			o := smtp.Options{Hello: "me.example", LMTP: name == "lmtp"}
			if name == "new" {
				o.Login = &auth.Credentials{User: "ann", Password: "secret", ClearText: true}
			}
			transcript.Client(t, script, func(ctx context.Context, nc net.Conn) error { return smith(ctx, nc, o) })
		})
	}
}

// smith does what the transcripts have a client do.
func smith(ctx context.Context, nc net.Conn, o smtp.Options) error {
	c, err := smtp.NewClient(ctx, conv.New(nc, conv.Options{}), "mail.example", o)
	if err != nil {
		return err
	}
	defer c.Close()
	send := func(codes ...int) error {
		to := []string{"Jones@foo.com", "Green@foo.com"}
		m, err := smtp.NewMessage("Smith@bar.com", to[2-len(codes):], strings.NewReader("Blah blah blah...\n.etc.\n"))
		if err != nil {
			return err
		}
		receipt, err := c.Send(ctx, m)
		for i, code := range codes {
			if result := receipt.Results[i]; code == 0 && result.Err != nil || code != 0 && !isReply(result.Err, code) {
				return fmt.Errorf("%d %d: %w", i, code, errors.Join(result.Err, err))
			}
		}
		return nil
	}
	first := []int{0, 550}
	if o.LMTP {
		first = []int{0, 452}
	}
	if err := errors.Join(send(first...), send(550), send(452)); err != nil {
		return err
	}
	if r, err := c.Verify(ctx, "Crispin"); err != nil || r.Code != 252 {
		return errors.Join(r, err)
	}
	if list, err := c.Expand(ctx, "list"); err != nil || len(list) != 2 || list[1] != "c@d" {
		return errors.Join(fmt.Errorf("%q", list), err)
	}
	return c.Quit(ctx)
}

// FuzzClient has a server say anything at all.
func FuzzClient(f *testing.F) {
	for _, text := range []string{oldTalk, newTalk, lmtpTalk} {
		script, err := transcript.Parse("seed", text)
		if err != nil {
			f.Fatal(err)
		}
		said, err := script.Said(transcript.ServerSide)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(said, true)
		f.Add(said, false)
	}
	f.Fuzz(func(t *testing.T, said []byte, lmtp bool) {
		ours, theirs := transcript.Pipe()
		if _, err := theirs.Write(said); err != nil {
			t.Fatal(err)
		}
		if err := theirs.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		_ = smith(t.Context(), ours, smtp.Options{Hello: "me.example", LMTP: lmtp, Security: smtp.InClear}) // an error, or not
		ours.Close()
		theirs.Close()
	})
}

// FuzzSession says anything at all to a server: it ends, and every transaction
// with it, and no message is kept that did not end with CRLF.CRLF or a BDAT.
func FuzzSession(f *testing.F) {
	f.Add("EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n", uint8(0))
	f.Add("LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<c>\r\nRCPT TO:<e@f> NOTIFY=NEVER\r\nBDAT 5\r\nhelloBDAT 2 LAST\r\n\r\n", uint8(2))
	f.Add("EHLO x\r\nAUTH PLAIN AGEAYg==\r\nSTARTTLS\r\nVRFY a\r\nHELP\r\nRSET\r\n", uint8(1))
	f.Fuzz(func(t *testing.T, said string, kind uint8) {
		led := newLedger(all)
		h := &smtp.Handler{
			Backend: led, Kind: smtp.Kind(kind % 3), Hostname: "h", Repair: true,
			Auth: &auth.Authenticator{Accounts: &auth.Users{Anybody: true}, Delay: -1}, Anonymous: true,
		}
		_, _ = servertest.Say(t, serverOf(h), []byte(said)) // whatever it answers
		if led.begun.Load() != led.committed.Load()+led.aborted.Load() {
			t.Fatal(led)
		}
		if led.committed.Load() > 0 && !strings.Contains(said, ".\r\n") && !strings.Contains(strings.ToUpper(said), "LAST") {
			t.Fatal("a message without an end was kept")
		}
	})
}
