// Package nntp is NNTP (RFC 3977), both ends: the heir of Python's nntplib,
// which 3.13 removed. It reads, posts, transfers and feeds, with STARTTLS
// (RFC 4642) and TLS from the beginning, AUTHINFO by password and by SASL
// (RFC 4643), streaming feeds (RFC 4644) and compression (RFC 8054).
//
// A client:
//
//	c, err := nntp.Dial(ctx, "starttls:news.example:119", nntp.Options{})
//	group, err := c.Group(ctx, "local.test")
//	for row, err := range c.Over(ctx, nntp.Range{First: group.Low, Last: group.High}) {
//		fmt.Println(row.Number, row.Subject())
//	}
//	err = c.Quit(ctx)
//
// A server, over any Backend:
//
//	srv := &server.Server{Handler: &nntp.Handler{Backend: b, TLS: cfg}}
//	err := srv.ListenAndServe(ctx, "localhost:1119")
//
// What is posted is injected by RFC 5537: the header is checked, Message-ID,
// Date, Path and Injection-Info are put in, and nothing else is touched. What a
// feed sends without waiting for answers is taken together, as far as it has come:
// an article is answered when it is durable, and those before and behind it may
// have become so with it.
package nntp
