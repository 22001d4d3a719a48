package open

import (
	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/proto/pop3"
	"github.com/farend-go/farend/proto/smtp"
)

// POP is pop: and pops:, also pop3: and pop3s: (RFC 2384), as a pop3.Transport
// opens them.
func POP(o pop3.Options) Schemes {
	t := &pop3.Transport{Options: o}
	return Schemes{{"pop", t}, {"pops", t}, {"pop3", t}, {"pop3s", t}}
}

// IMAP is imap: and imaps: (RFC 5092), as an imap.Transport opens them.
func IMAP(o imap.Options) Schemes {
	t := &imap.Transport{Options: o}
	return Schemes{{"imap", t}, {"imaps", t}}
}

// SMTP is smtp: and smtps:, to which a message is sent by PUT or POST, as an
// smtp.Transport does it.
func SMTP(o smtp.Options) Schemes {
	t := &smtp.Transport{Options: o}
	return Schemes{{"smtp", t}, {"smtps", t}}
}
