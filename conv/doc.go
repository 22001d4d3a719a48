// Package conv is one end of a conversation: lines and bytes over anything
// that carries a stream, the step up to TLS, deadlines from a context, and an
// ear for what is said. It is the heir of the connection halves of Python's
// smtplib, ftplib and their siblings, which each wrote it anew, and of
// Twisted's transport.
//
// Both ends use the same [Conn]. A client makes one with [New] over a
// net.Conn; a server's engine puts a [Port] of its own below it.
package conv
