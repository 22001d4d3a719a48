// Package mail fits mailboxes to the protocols of mail, so that what SMTP takes
// in is at once what POP3 and IMAP show: the heir of the glue between Python's
// smtpd, mailbox and a POP3 or IMAP server that Python never had.
//
// A [Post] joins a [mailbox.Store] and a [Directory], which says whose an
// address is. Its SMTP, POP3 and IMAP are the backends of those packages'
// handlers.
package mail
