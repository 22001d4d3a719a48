package simple_test

import (
	"context"
	"fmt"

	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/proto/simple"
	"github.com/farend-go/farend/server"
)

// Both ends of the tutorials' capitals.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	l, err := server.Listen(ctx, "127.0.0.1:0", server.ListenConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	srv := &server.Server{Handler: simple.UpperHandler(nil)}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, l) }()

	var d dial.Dialer
	c, err := d.DialNet(ctx, "tcp:"+l.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	answer, err := simple.Upper(ctx, c, []byte("hello, far end\n"))
	fmt.Printf("%s %v\n", answer, err)

	stop()
	fmt.Println(<-done)
	// Output:
	// HELLO, FAR END <nil>
	// <nil>
}
