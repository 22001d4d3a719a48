// Package auth is SASL (RFC 4422), both sides, without input or output of its
// own: the heir of the mechanisms in Python's smtplib, imaplib and poplib and
// of Cyrus' libsasl.
//
// It has PLAIN (RFC 4616), LOGIN, CRAM-MD5 (RFC 2195), SCRAM-SHA-1 and
// SCRAM-SHA-256 (RFC 5802, 7677), both also with -PLUS over the channel
// bindings tls-exporter and tls-server-end-point (RFC 9266, 5929), EXTERNAL
// (RFC 4422 appendix A), ANONYMOUS (RFC 4505), OAUTHBEARER (RFC 7628), and
// XOAUTH2, which is Google's.
//
// A client says what it has, and is told what to try, strongest first:
//
//	c := auth.Credentials{User: "ann", Password: "secret"}
//	err := c.Login(ctx, offered, channel, func(m auth.Client) error {
//		// say m.Name() and m.Start(), then m.Next() to every challenge
//	})
//
// A server has an Authenticator over its accounts, which knows what may be
// offered on a connection and makes guessing slow:
//
//	users := &auth.Users{Secrets: map[string]auth.Secret{"ann": auth.Clear("secret")}}
//	a := &auth.Authenticator{Accounts: users}
//	offered := a.Mechanisms(channel)
//	s, err := a.Server(name, channel)
//	id, err := auth.Converse(ctx, s, initial, ask)
package auth
