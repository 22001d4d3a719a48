package web_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"testing/fstest"

	"github.com/farend-go/farend/proto/web"
	"github.com/farend-go/farend/server"
)

// A tree of files over HTTP, and a download that goes on behind what is here.
func Example() {
	site := fstest.MapFS{"greeting.txt": {Data: []byte("Hello, world"), ModTime: written}}
	ctx, stop := context.WithCancel(context.Background())
	l, err := server.Listen(ctx, "127.0.0.1:0", server.ListenConfig{})
	if err != nil {
		log.Fatal(err)
	}
	srv := &server.Server{Handler: &web.Handler{HTTP: &web.FileServer{Files: web.ReadOnly(site)}}}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ctx, l) }()

	d := web.Download{URL: "http://" + l.Addr().String() + "/greeting.txt"}
	body, err := d.Open(ctx)
	if err != nil {
		log.Fatal(err)
	}
	text, _ := io.ReadAll(body)
	body.Close()
	fmt.Printf("%s, %d bytes\n", text, body.Size)

	d.From, d.Validator = 7, body.Validator // that much is here already
	if body, err = d.Open(ctx); err != nil {
		log.Fatal(err)
	}
	text, _ = io.ReadAll(body)
	body.Close()
	fmt.Printf("%s, from byte %d\n", text, body.From)

	stop()
	if err := <-served; err != nil {
		log.Fatal(err)
	}
	// Output:
	// Hello, world, 12 bytes
	// world, from byte 7
}
