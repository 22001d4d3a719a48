package snippets

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"testing/fstest"
	"time"

	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/newsgroup"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/socket"
	"github.com/farend-go/farend/store/memstore"
)

// limit ends an Example whose ends wait for each other.
const limit = time.Minute

// both runs a client against what serves until its context ends, and prints
// what goes wrong.
func both(ctx context.Context, addr net.Addr, serve func(context.Context) error, call func(context.Context, io.Writer, string) error) {
	until, end := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- serve(until) }()
	if err := call(ctx, os.Stdout, addr.String()); err != nil {
		fmt.Println(err)
	}
	end()
	if err := <-served; err != nil {
		fmt.Println(err)
	}
}

// talk runs a client against a server of connections.
func talk(serve func(context.Context, net.Listener) error, call func(context.Context, io.Writer, string) error) {
	ctx, stop := context.WithTimeout(context.Background(), limit)
	defer stop()
	l, err := server.Listen(ctx, "127.0.0.1:0", server.ListenConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	both(ctx, l.Addr(), func(until context.Context) error { return serve(until, l) }, call)
}

// tree gives a server of files something to serve.
func tree(serve func(context.Context, net.Listener, fs.FS) error) func(context.Context, net.Listener) error {
	files := fstest.MapFS{"hello.txt": {Data: []byte("Hello, world\n"), Mode: 0o644, ModTime: time.Unix(0, 0)}}
	return func(ctx context.Context, l net.Listener) error { return serve(ctx, l, files) }
}

// kept gives a server of mail a store.
func kept(boxes *mailbox.Store, serve func(context.Context, net.Listener, *mailbox.Store) error) func(context.Context, net.Listener) error {
	return func(ctx context.Context, l net.Listener) error { return serve(ctx, l, boxes) }
}

// apart gives a client host and port as two.
func apart(call func(ctx context.Context, w io.Writer, host, port string) error) func(context.Context, io.Writer, string) error {
	return func(ctx context.Context, w io.Writer, addr string) error {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return err
		}
		return call(ctx, w, host, port)
	}
}

func ExampleEchoClient() {
	talk(EchoServer, apart(EchoClient))
	// Output:
	// b'Hello, world'
}

func ExampleDatagramClient() {
	ctx, stop := context.WithTimeout(context.Background(), limit)
	defer stop()
	pc, err := socket.ListenPacket(ctx, "udp4", "127.0.0.1:0", socket.ListenConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	both(ctx, pc.LocalAddr(), func(until context.Context) error { return DatagramServer(until, pc) }, apart(DatagramClient))
	// Output:
	// b'Hello, world'
}

func ExampleHTTPClient() {
	talk(tree(HTTPServer), HTTPClient)
	// Output:
	// 200 OK text/plain; charset=utf-8
	// Hello, world
}

func ExampleXMLRPCClient() {
	talk(XMLRPCServer, XMLRPCClient)
	// Output:
	// 2 + 3 = 5
	// fault -32601
}

func ExampleFTPClient() {
	talk(tree(FTPServer), FTPClient)
	// Output:
	// Hello, world
}

func ExampleGopherClient() {
	talk(tree(GopherServer), GopherClient)
	// Output:
	// text: hello.txt
	// Hello, world
}

func ExampleSMTPClient() {
	e := memstore.New(memstore.Options{})
	defer e.Close()
	talk(kept(mailbox.New(e, mailbox.Options{AnyAccount: true}), SMTPServer), SMTPClient)
	// Output:
	// 1 of 2 have it: smtp: 550 5.1.1 No such mailbox here
}

func ExamplePOP3Client() {
	e := memstore.New(memstore.Options{})
	defer e.Close()
	boxes := mailbox.New(e, mailbox.Options{AnyAccount: true})
	deliver := func(ctx context.Context, _ io.Writer, addr string) error { return SMTPClient(ctx, io.Discard, addr) }
	talk(kept(boxes, SMTPServer), deliver)
	talk(kept(boxes, POP3Server), POP3Client)
	talk(kept(boxes, POP3Server), POP3Client) // there is nothing left
	// Output:
	// 1 lunch
}

func ExampleIMAPClient() {
	e := memstore.New(memstore.Options{})
	defer e.Close()
	boxes := mailbox.New(e, mailbox.Options{AnyAccount: true})
	deliver := func(ctx context.Context, _ io.Writer, addr string) error { return SMTPClient(ctx, io.Discard, addr) }
	talk(kept(boxes, SMTPServer), deliver)
	talk(kept(boxes, IMAPServer), IMAPClient)
	// Output:
	// 1 lunch
}

func ExampleNNTPClient() {
	e := memstore.New(memstore.Options{})
	defer e.Close()
	groups := newsgroup.New(e, newsgroup.Options{Host: "news.example"})
	talk(func(ctx context.Context, l net.Listener) error { return NNTPServer(ctx, l, groups) }, NNTPClient)
	// Output:
	// 1 hello by ann@news.example
}

func ExampleTelnetClient() {
	talk(TelnetServer, TelnetClient)
	// Output:
	// b'HELLO\r\n'
}
