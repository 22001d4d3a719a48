// Package web is HTTP at both ends: the heir of Python's http.server and
// http.client.
//
// The grammar is net/http's; here is what surrounds it. [Handler] runs any
// http.Handler under a server.Server, so that HTTP/1.1 and HTTP/2 have the
// lifecycle, limits, taps, faults and engines of every other protocol:
//
//	h := &web.Handler{HTTP: http.HandlerFunc(hello)}
//	err := (&server.Server{Handler: h}).ListenAndServe(ctx, "localhost:8080")
//
// [FileServer] is an http.Handler over a tree of files ([Files]; every fs.FS
// will do): listings in HTML and JSON, ranges, validators and conditional
// requests (RFC 9110), compressed variants that lie beside a file, and PUT and
// DELETE where the tree can be written. [Auth] asks for Basic (RFC 7617) or
// Digest (RFC 7616).
//
// At the client [Download] is a body that goes on where a broken connection
// left it, by Range and If-Range, and never joins two versions of a file:
//
//	d := web.Download{Client: client, URL: "http://127.0.0.1:8080/a.iso"}
//	body, err := d.Open(ctx)
//	defer body.Close()
package web
