package socket_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/farend-go/farend/socket"
)

// The tutorials' first server and client: the one greets and closes, the other
// prints what it gets.
func Example() {
	ctx := context.Background()
	server, err := socket.CreateServer(ctx, socket.Pair("127.0.0.1", 0), socket.ServerConfig{Backlog: 5})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	done := make(chan error)
	go func() {
		conn, _, err := server.Accept(ctx)
		if err != nil {
			done <- err
			return
		}
		_, err = conn.SendAll(ctx, []byte("Thank you for connecting"))
		done <- errors.Join(err, conn.Close())
	}()

	at, err := server.Getsockname()
	if err != nil {
		log.Fatal(err)
	}
	client, err := socket.Socket(socket.AF_INET, socket.SOCK_STREAM, 0)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if err := client.Connect(ctx, at); err != nil {
		log.Fatal(err)
	}
	greeting, err := client.ReadAll(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(greeting))
	if err := <-done; err != nil {
		log.Fatal(err)
	}
	// Output: Thank you for connecting
}

// Listen gives package net's listener, with a backlog.
func ExampleListen() {
	l, err := socket.Listen(context.Background(), "tcp", "127.1:0", socket.ListenConfig{Backlog: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	fmt.Println(l.Addr().Network())
	// Output: tcp
}

// Options carry the type of their value.
func ExampleOption() {
	s, err := socket.Socket(socket.AF_INET, socket.SOCK_DGRAM, 0)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	// A datagram to a broadcast address needs leave.
	if err := socket.SO_BROADCAST.Set(s, true); err != nil {
		log.Fatal(err)
	}
	on, err := socket.SO_BROADCAST.Get(s)
	fmt.Println(socket.SO_BROADCAST, on, err)
	// Output: SO_BROADCAST true <nil>
}
