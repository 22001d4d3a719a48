// Package gopher is the Internet Gopher protocol, both ends: the heir of
// Python's gopherlib, which left its standard library with version 3.0.
//
// It speaks RFC 1436 with every item type, the Gopher+ attributes of the
// University of Minnesota (1993), the URLs of RFC 4266, and the conventions of
// today's servers: gophers (TLS from the first byte), informational lines and
// caps.txt.
//
// A client lists a menu and reads a file, as a stream:
//
//	var c gopher.Client
//	u, err := gopher.ParseURL("gopher://gopher.example/")
//	for item, err := range c.Menu(ctx, u) { ... }
//	file, err := c.Get(ctx, u.To(item))
//	defer file.Close()
//
// A server stands on a [Backend]; keep/files fits one to a tree of files:
//
//	h := gopher.NewHandler(backend, gopher.Options{Host: "gopher.example"})
//	err := (&server.Server{Handler: h}).ListenAndServe(ctx, "localhost:7070")
//
// One line asks, the answer ends with the connection. CR, LF, TAB and NUL
// never pass inside a selector, at neither end: [Request.Append] and
// [Item.Append] refuse them, and so do [ParseURL] and the server.
package gopher
