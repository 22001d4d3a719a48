package mail

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/message"
	"github.com/farend-go/farend/proto/smtp"
)

// asked is a recipient, the i-th that was taken, with NOTIFY=SUCCESS.
type asked struct {
	i  int
	to smtp.Recipient
}

// asks tells whether somebody is to be told of success, who has a mailbox here:
// nothing is sent elsewhere.
func (t *transaction) asks() bool {
	if t.from.Mailbox.IsNull() {
		return false // of a notice there is none
	}
	return len(t.asked) > 0 && len(t.p.Directory.Owners(t.from.Mailbox.Local, t.from.Mailbox.Domain)) > 0
}

// maxHead is how much of a message's header goes back with a notice.
const maxHead = 64 << 10

// head keeps the header of what is written to it.
type head struct{ b []byte }

func (h *head) Write(p []byte) (int, error) {
	if bytes.Contains(h.b, []byte("\r\n\r\n")) || len(h.b) > maxHead {
		return len(p), nil
	}
	h.b = append(h.b, p[:min(len(p), maxHead)]...)
	return len(p), nil
}

// header is what was kept, without what comes behind the last field.
func (h *head) header() []byte {
	if i := bytes.Index(h.b, []byte("\r\n\r\n")); i >= 0 {
		return h.b[:i+2]
	}
	return h.b[:bytes.LastIndexByte(h.b, '\n')+1]
}

// notify sends the sender a notice of what was delivered to those recipients for
// which he wants one (RFC 3461 section 5.2.3). Failures he was told of in the
// conversation. The message is delivered, whatever becomes of the notice.
func (t *transaction) notify(ctx context.Context, delivered func(i int) bool) error {
	var told []smtp.Recipient
	for _, a := range t.asked {
		if delivered(a.i) {
			told = append(told, a.to)
		}
	}
	if len(told) == 0 {
		return nil
	}
	body, err := t.p.Store.NewBody(ctx, -1)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := fill(body, strings.NewReader(t.notice(told, time.Now()))); err != nil {
		return err
	}
	var to []mailbox.Recipient
	for _, account := range t.p.Directory.Owners(t.from.Mailbox.Local, t.from.Mailbox.Domain) {
		to = append(to, mailbox.Recipient{Account: account})
	}
	_, err = t.p.Store.Deliver(ctx, mailbox.NewMessage{Body: body}, to)
	return err
}

// notice is a delivery status notification (RFC 3464).
func (t *transaction) notice(told []smtp.Recipient, now time.Time) string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "localhost"
	}
	boundary := rand.Text()
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("Return-Path: <>")
	line("Date: %s", message.FormatDate(now))
	line("From: Mail Delivery System <MAILER-DAEMON@%s>", host)
	line("To: <%s>", t.from.Mailbox)
	line("Subject: Delivered")
	line("Message-ID: <%s@%s>", rand.Text(), host)
	line("Auto-Submitted: auto-generated")
	line("MIME-Version: 1.0")
	line(`Content-Type: multipart/report; report-type=delivery-status; boundary="%s"`, boundary)
	line("")
	line("--%s", boundary)
	line("Content-Type: text/plain; charset=utf-8")
	line("Content-Transfer-Encoding: 8bit")
	line("")
	line("Your message has been delivered to:")
	for _, to := range told {
		line("    <%s>", to.Mailbox)
	}
	line("")
	line("--%s", boundary)
	line("Content-Type: message/delivery-status")
	line("")
	line("Reporting-MTA: dns; %s", host)
	if t.from.EnvID != "" {
		line("Original-Envelope-Id: %s", tame(t.from.EnvID))
	}
	for _, to := range told {
		line("")
		if to.ORcpt != "" {
			line("Original-Recipient: %s", tame(to.ORcpt))
		}
		line("Final-Recipient: rfc822; %s", to.Mailbox)
		line("Action: delivered")
		line("Status: 2.0.0")
	}
	line("")
	line("--%s", boundary)
	line("Content-Type: text/rfc822-headers")
	line("")
	b.Write(t.head.header())
	line("")
	line("--%s--", boundary)
	return b.String()
}

// tame makes controls blanks: what a sender says ends no line.
func tame(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// keepHead has the header kept, where a notice will want it.
func (t *transaction) keepHead(r io.Reader) io.Reader {
	if !t.asks() {
		return r
	}
	t.head = &head{}
	if whole, ok := r.(*bytes.Buffer); ok {
		_, _ = t.head.Write(whole.Bytes()) // never fails
		return r
	}
	return io.TeeReader(r, t.head)
}
