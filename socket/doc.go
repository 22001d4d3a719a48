// Package socket is BSD sockets for Go, the heir of Python's socket module: every
// family, type and protocol that the kernel has, under the names of POSIX, on
// Go's own network poller.
//
// A server in Python's manner, which greets whoever connects:
//
//	s, err := socket.CreateServer(ctx, socket.Pair("", 12345), socket.ServerConfig{Backlog: 5})
//	...
//	for {
//		conn, peer, err := s.Accept(ctx)
//		...
//		fmt.Println("Got connection from", socket.Tuple(peer))
//		_, err = conn.SendAll(ctx, []byte("Thank you for connecting"))
//		...
//		err = conn.Close()
//	}
//
// and its client:
//
//	s, err := socket.CreateConnection(ctx, "localhost", 12345, socket.ConnConfig{})
//	...
//	greeting, err := s.Recv(ctx, 1024)
//
// # What differs from Python
//
// A call that may wait takes a context in place of a timeout of the socket's.
// Recv at the end of a stream returns io.EOF, not an empty string. A datagram
// that was cut short comes with ErrTruncated. Hosts may be integers, and ports
// digits or names of services, everywhere (see Pair). PF_INET and its like exist.
// There is no select: a goroutine waits for each socket. A socket that is dropped
// without Close is found by LeakCheck.
//
// # Where things are
//
//   - Sock: what socket(2) returns, with bind, connect, accept, send, recv and the
//     rest. Socket, SocketPair, FromFD and Adopt make one.
//   - CreateServer, CreateConnection (Happy Eyeballs, RFC 8305), Listen and
//     ListenPacket: the usual ways to one, in a call.
//   - Conn, Listener and PacketConn: views of a Sock for code that wants package
//     net's interfaces.
//   - Pair, Path and the types of Addr: addresses.
//   - Option: typed socket options, SO_KEEPALIVE.Set(s, true); Options lists them.
//   - GetAddrInfo, GetNameInfo, GetServByName and their kin: names.
//
// # Systems
//
// Linux is complete. macOS and the BSDs have what their kernels have, without
// addresses of families other than the internet's and Unix's. On Windows and
// elsewhere sockets are made of what package net offers: streams and datagrams of
// the internet and Unix streams, without flags, control messages, raw sockets and
// descriptors; what is missing gives errors.ErrUnsupported.
package socket
