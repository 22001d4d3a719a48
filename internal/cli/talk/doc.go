// Package talk holds one end of a conversation by hand or through a pipe, the
// heir of nc(1) and of interact() in Python's telnetlib.
//
// A [Peer] is the other end: a stream, which may step up to TLS, or datagrams.
// [Pipe] copies between it and two byte streams, adding and eating nothing.
// A [Console] is the same on a terminal: lines are edited before they are sent,
// and a line that begins with a colon is a command.
package talk
