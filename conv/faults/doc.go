// Package faults makes a connection misbehave exactly: at a given byte, at the
// n-th time that something is asked for, or by chance from a seed, so that it
// can be done again. It is the heir of the ChaosProxy of Python's own test
// suites and of Go's testing/iotest, and speaks of streams and of datagrams.
//
// A [Rule] says what is to happen, in Go or in the words of --fault:
//
//	ftp RETR after=1MiB do=reset times=1
//	smtp DATA after=10KiB do=stall
//	echo after=5 do=close
//	imap FETCH n=3 reply="NO [INUSE] later"
//
// The first word is the service; words before the first key are a verb. A rule
// with a verb is armed when the peer has said a line that begins with it
// (upper and lower case alike; behind the tag in IMAP), for which the layer
// needs an ear: see [Tap]. A rule without one is armed when the connection
// begins. Once armed, after counts bytes, each direction by itself, and the
// first direction that reaches it fires, unless dir says which. Output fires
// as soon as the bytes have been written; input when more is asked for, so that
// what was read can still be answered: an echo server with after=5 sends five
// bytes and closes.
//
// [Layer] is for tests: rules on one connection or many, in a chain of
// conv.Layers below TLS (bytes are then counted with TLS's own). A [Set] is for
// servers, it shares the counts of all connections of a service. [Set.Packets]
// is for datagrams.
package faults
