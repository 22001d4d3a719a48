// Package deflate is compression (RFC 1951) under a conversation, for IMAP's
// COMPRESS (RFC 4978) and NNTP's (RFC 8054): the heir of zlib's inflate, whose
// peers flush in the middle of a block.
//
// compress/flate gives what it has decoded when a block of a certain kind ends
// or its window is full, and cannot go on after an error of what it reads from.
// A [Reader] gives all that the bytes which have come say, and after a
// temporary error it goes on. It keeps no goroutine, and its window is as large
// as what was read, up to 32 KiB. A connection made by [New] compresses what is
// written to it, too.
package deflate
