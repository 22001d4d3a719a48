// Package simple is the conversations that everybody starts with: the heir of
// the greeting, echo and capitals servers of the Python socket tutorials, and
// of inetd's internal services discard, chargen, daytime and time.
//
//	greet    says "Thank you for connecting" and closes
//	echo     RFC 862: gives back what it gets
//	upper    answers one receive with its capitals and closes
//	discard  RFC 863: takes everything, says nothing
//	chargen  RFC 864: characters without end, or a datagram of them
//	daytime  RFC 867: the time for people
//	time     RFC 868: the time for machines
//
// None of them waits for a line. A server:
//
//	srv := &server.Server{Handler: simple.EchoHandler(), Packets: simple.EchoPackets()}
//	err := srv.ListenAndServe(ctx, "localhost:50007")
//
// A client, over any net.Conn:
//
//	back, err := simple.Echo(ctx, conn, []byte("Hello, world"))
//
// The clients return when ctx ends, with an error for which errors.Is finds
// ctx.Err(); nobody knows then what the peer still says, so the connection
// should be closed. They do not close it themselves. On one connection they
// are called one at a time.
package simple
