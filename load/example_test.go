package load_test

import (
	"context"
	"fmt"
	"io"
	"net"

	"github.com/farend-go/farend/load"
	"github.com/farend-go/farend/server"
)

// A thousand requests on ten connections, every answer checked.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	srv := &server.Server{Handler: server.Stream(func(_ context.Context, c net.Conn) error {
		_, err := io.Copy(c, c)
		return err
	})}
	l, err := server.Listen(ctx, "127.0.0.1:0", server.ListenConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	done := make(chan error)
	go func() { done <- srv.Serve(ctx, l) }()

	goal, err := load.ParseGoal("errors<=0")
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := load.Run(ctx, load.Plan{
		Target:      "tcp:" + l.Addr().String(),
		Connections: 10,
		Requests:    1000,
		Message:     load.Message{Send: []byte("hello\n"), Expect: load.Line()},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	met, errors := goal.Met(r)
	fmt.Println(r.Replies, "replies,", errors, "errors:", met)
	stop()
	fmt.Println(<-done)
	// Output:
	// 1000 replies, 0 errors: true
	// <nil>
}
