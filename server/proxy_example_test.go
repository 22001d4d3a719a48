package server_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"

	"github.com/farend-go/farend/server"
)

// A server behind a proxy on the same host learns who its clients are.
func ExampleProxyHeader() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	l, err := server.Listen(ctx, "127.0.0.1:0", server.ListenConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	behind := server.ProxyHeader{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Required: true}
	srv := &server.Server{Handler: server.Stream(func(_ context.Context, c net.Conn) error {
		_, err := fmt.Fprintf(c, "you are %v\n", c.RemoteAddr())
		return err
	})}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, behind.Listener(l)) }()

	proxy, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer proxy.Close()
	_, _ = io.WriteString(proxy, "PROXY TCP4 192.0.2.7 198.51.100.8 4000 80\r\n")
	answer, _ := io.ReadAll(proxy)
	fmt.Print(string(answer))
	stop()
	fmt.Println(<-done)
	// Output:
	// you are 192.0.2.7:4000
	// <nil>
}
