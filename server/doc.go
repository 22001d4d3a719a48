// Package server runs a handler over TCP, UDP and Unix sockets: the heir of
// Python's socketserver.
//
// The shortest server is a function in the shape of the tutorials' handle():
//
//	srv := &server.Server{Handler: server.Stream(func(ctx context.Context, c net.Conn) error {
//		_, err := io.Copy(c, c)
//		return err
//	})}
//	err := srv.ListenAndServe(ctx, "localhost:50007")
//
// [Datagram] is its sibling for UDP.
//
// A protocol is served by a [Session] instead, which answers one request per
// Turn. An [Engine] only decides when the next Turn runs, so that the same
// session lives on a goroutine of its own ([Goroutines]) or on an event loop
// ([Events]) and does not know which. Its [Mode] says what a Turn may do:
// block on anything, wait on its own connection only, or never wait.
package server
