package app

import (
	"crypto/tls"
	"strings"
	"time"

	"github.com/farend-go/farend/keep/mail"
	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/proto"
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/proto/pop3"
	"github.com/farend-go/farend/proto/smtp"
	"github.com/farend-go/farend/server"
)

// mailServices are those over the mailboxes: what comes by one is read by the
// others.
func mailServices() []Service {
	var out []Service
	const long = time.Hour // a message may come, or go, over a thin line
	add := func(p proto.Protocol, scheme string, port int, stream func(a *App, s Service, at Address) server.Handler) {
		s := Service{Protocol: p, Scheme: scheme, Serve: port, Keeps: true, UsesTLS: true, Turn: long, Try: "farend get -u ann:secret %s/"}
		s.TLS = strings.HasSuffix(p.Name, "s")
		s.Stream = func(a *App, at Address) server.Handler { return stream(a, s, at) }
		s.Logins = p.Name != "smtp" && p.Name != "smtps" && p.Name != "lmtp"
		if !s.Logins || p.Name == "submission" {
			s.Replies, s.Try = true, "farend talk %s"
		}
		switch {
		case strings.HasPrefix(p.Name, "pop3"):
			s.Idle = pop3.Idle
		case strings.HasPrefix(p.Name, "imap"):
			s.Idle = 30 * time.Minute // RFC 9051 section 5.4
		}
		out = append(out, s)
	}
	for i, p := range smtp.Protocols() {
		add(p, []string{"smtp", "smtps", "smtp", "lmtp"}[i], []int{1025, 1465, 1587, 1024}[i], (*App).smtpHandler)
	}
	for i, p := range pop3.Protocols() {
		add(p, p.Name, []int{1110, 1995}[i], func(a *App, _ Service, _ Address) server.Handler {
			return &pop3.Handler{Backend: a.post.pop3, Auth: a.logins, TLS: a.certs.config}
		})
	}
	for i, p := range imap.Protocols() {
		add(p, p.Name, []int{1143, 1993}[i], func(a *App, s Service, at Address) server.Handler {
			return &imap.Handler{Backend: a.post.imap, Auth: a.logins, TLS: a.startTLS(s, at), Log: a.log()}
		})
	}
	return out
}

// startTLS is the TLS to which a conversation can step up; nil where it begins
// with that.
func (a *App) startTLS(s Service, at Address) *tls.Config {
	if s.TLS || at.TLS {
		return nil
	}
	return a.certs.config
}

// smtpHandler is that of a listener, which remembers what kind of mail it takes.
func (a *App) smtpHandler(s Service, at Address) server.Handler {
	h := &smtp.Handler{Backend: a.post.smtp, TLS: a.startTLS(s, at), Welcome: "farend's SMTP server is ready", Log: a.log()}
	switch s.Name {
	case "submission":
		h.Kind, h.Auth, h.Anonymous = smtp.Submission, a.logins, len(a.cfg.Users) == 0
	case "lmtp":
		h.Kind = smtp.LMTP
	default:
		h.Auth = a.logins
	}
	h.Answer = a.faults.Answers(s.Name)
	return h
}

// post is the mail that is kept, as each protocol sees it.
type post struct {
	smtp smtp.Backend
	pop3 pop3.Backend
	imap imap.Backend
}

// openPost makes the mailboxes.
func (a *App) openPost() error {
	kept, err := a.kept()
	if err != nil {
		return err
	}
	p := &mail.Post{Store: mailbox.New(kept, mailbox.Options{AnyAccount: true, MaxMessage: maxMessage, Mailboxes: usualMailboxes()})}
	for name := range a.cfg.Users {
		p.Directory.Users = append(p.Directory.Users, name)
	}
	a.post = &post{smtp: p.SMTP(), pop3: p.POP3(), imap: p.IMAP()}
	return nil
}

// maxMessage is how large a message may be, in bytes.
const maxMessage = 64 << 20

// usualMailboxes are what programs of mail look for in an account.
func usualMailboxes() []mailbox.NewMailbox {
	return []mailbox.NewMailbox{
		{Name: "Archive", Use: mailbox.UseArchive}, {Name: "Drafts", Use: mailbox.UseDrafts}, {Name: "Junk", Use: mailbox.UseJunk},
		{Name: "Sent", Use: mailbox.UseSent}, {Name: "Trash", Use: mailbox.UseTrash},
	}
}
