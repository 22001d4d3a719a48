// Package smtp is the Simple Mail Transfer Protocol, both ends, with submission
// and LMTP: the heir of Python's smtplib and smtpd.
//
// A client, in the shape of net/smtp, and in its own:
//
//	err := smtp.SendMail(ctx, "mail.example.com:587", &auth.Credentials{User: "ann", Password: "secret"}, from, to, msg)
//
//	c, err := smtp.Dial(ctx, "starttls:mail.example.com:587", smtp.Options{})
//	m, err := smtp.NewMessage("ann@example.com", []string{"bob@example.net"}, body)
//	receipt, err := c.Send(ctx, m) // receipt.Results tells of each recipient
//	err = c.Quit(ctx)
//
// A server of whatever takes mail in:
//
//	h := &smtp.Handler{Backend: backend}
//	srv := &server.Server{Handler: h}
//	err := srv.ListenAndServe(ctx, "localhost:1025")
//
// A [Backend] gets each message as a [Transaction]: nothing is kept before its
// Commit, and the peer hears yes only after it.
//
// It speaks RFC 5321, 6409 and 2033, with SIZE (RFC 1870), 8BITMIME (6152),
// SMTPUTF8 (6531), PIPELINING (2920), CHUNKING and BINARYMIME (3030),
// ENHANCEDSTATUSCODES (2034, 3463), DSN (3461), STARTTLS (3207), AUTH (4954),
// LIMITS (9422), REQUIRETLS (8689), ETRN (1985), null MX (7505) and, from
// trusted proxies, XCLIENT. [Pool] keeps connections, [Courier] finds a domain's
// hosts, and [Transport] opens smtp: URLs for an http.Client. Package smtptest
// is a server for tests.
package smtp
