// Package pop3 is the Post Office Protocol version 3, both ends, in clear and
// over TLS: the heir of Python's poplib, and of the server that it never had.
//
// A client, which fetches what it has not fetched before:
//
//	c, err := pop3.Dial(ctx, "tls:pop.example.com:995", pop3.Options{})
//	err = c.Login(ctx, auth.Credentials{User: "mrose", Password: "tanstaaf"})
//	seen, err := pop3.OpenJournal("seen.txt")
//	for m, err := range c.New(ctx, seen) {
//		_, err = io.Copy(w, m.Body) // nil only if the whole message has come
//		m.Delete()
//	}
//	err = c.Quit(ctx) // only now what is marked is deleted
//
// A server of whatever keeps messages:
//
//	h := &pop3.Handler{Backend: backend, Auth: &auth.Authenticator{Accounts: users}}
//	srv := &server.Server{Handler: h, Limits: server.Limits{Idle: pop3.Idle}}
//	err := srv.ListenAndServe(ctx, "localhost:1110")
//
// It speaks RFC 1939 whole, with APOP, TOP and UIDL, and RFC 2449 (CAPA,
// response codes, PIPELINING, EXPIRE, LOGIN-DELAY), 2595 (STLS), 3206
// (AUTH-RESP-CODE), 5034 (AUTH) and 6856 (UTF8, LANG). Transport opens URLs of
// RFC 2384 for an http.Client. Package pop3test is a server for tests.
package pop3
