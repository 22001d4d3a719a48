package telnet_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/proto/telnet"
	"github.com/farend-go/farend/server"
)

// What a server and a client say to get to the handshake: its DO, our WILL and
// FOLLOWS, its FOLLOWS.
const (
	doTLS   = "\xff\xfd\x2e"
	willTLS = "\xff\xfb\x2e"
	follows = "\xff\xfa\x2e\x01\xff\xf0"
)

// tlsClient is a client that agrees to START_TLS, and the connection of a server
// that is the test's.
func tlsClient(t *testing.T, ctx context.Context) (*telnet.Client, net.Conn, *tls.Config) {
	t.Helper()
	pair, err := testcert.New()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o := telnet.ClientOptions{Options: telnet.Options{TLS: true}}
	o.Dialer.TLS = &tls.Config{RootCAs: pair.Roots}
	c, err := telnet.Dial(ctx, "tcp:"+l.Addr().String(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return c, nc, &tls.Config{Certificates: []tls.Certificate{pair.Certificate}}
}

// following is a tlsClient that has said FOLLOWS, and reads up to "!".
func following(t *testing.T, ctx context.Context) (c *telnet.Client, nc net.Conn, cfg *tls.Config, read chan error) {
	t.Helper()
	c, nc, cfg = tlsClient(t, ctx)
	read = make(chan error, 1)
	go func() {
		_, err := c.ReadUntil(ctx, "!")
		read <- err
	}()
	io.WriteString(nc, doTLS)
	expect(t, nc, willTLS+follows)
	return c, nc, cfg, read
}

// expect reads what is to come.
func expect(t *testing.T, r io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(r, got); string(got[:n]) != want {
		t.Fatalf("came %q, %v; want %q", got[:n], err, want)
	}
}

// What is written between our FOLLOWS and the handshake leaves behind it,
// although the server says nothing more.
func TestWrittenBeforeTheHandshake(t *testing.T) {
	ctx := within10s(t)
	c, nc, cfg, read := following(t, ctx)
	if _, err := c.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	io.WriteString(nc, follows)
	private := tls.Server(nc, cfg)
	if deadline, ok := ctx.Deadline(); ok {
		private.SetDeadline(deadline)
	}
	expect(t, private, "hello")
	io.WriteString(private, "!")
	if err := <-read; err != nil {
		t.Error(err)
	}
}

// The end of our half waits for the handshake, too.
func TestHalfClosedBeforeTheHandshake(t *testing.T) {
	ctx := within10s(t)
	c, nc, cfg, read := following(t, ctx)
	if _, err := c.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	io.WriteString(nc, follows)
	private := tls.Server(nc, cfg)
	if got, err := io.ReadAll(private); string(got) != "hello" || err != nil {
		t.Errorf("inside came %q, %v", got, err)
	}
	io.WriteString(private, "!")
	if err := <-read; err != nil {
		t.Error(err)
	}
}

// What is held for behind the handshake has its bounds, and who waits for room
// hears when there will be none.
func TestMuchBeforeTheHandshake(t *testing.T) {
	for name, end := range map[string]func(c *telnet.Client, nc net.Conn){
		"the handshake":   nil,
		"the server goes": func(_ *telnet.Client, nc net.Conn) { nc.Close() },
		"clear text":      func(_ *telnet.Client, nc net.Conn) { io.WriteString(nc, follows+"evil") },
		"Close":           func(c *telnet.Client, _ net.Conn) { c.Interrupt(); c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			ctx := within10s(t)
			c, nc, cfg, read := following(t, ctx)
			wrote := make(chan error, 1)
			const much = 8 << 20
			held, piece := new(atomic.Int64), []byte(strings.Repeat("x", 64<<10))
			go func() {
				var err error
				for sent := 0; err == nil && sent < much; sent += len(piece) {
					_, err = c.Write(piece)
					held.Add(int64(len(piece)))
				}
				wrote <- err
			}()
			for held.Load() < 1<<20 && ctx.Err() == nil {
				runtime.Gosched()
			}
			for range 1000 {
				runtime.Gosched() // it could write more by then, and must not
			}
			if n := held.Load(); n > 2<<20 {
				t.Errorf("%d bytes are held", n)
			}
			if end == nil {
				io.WriteString(nc, follows)
				private := tls.Server(nc, cfg)
				if n, err := io.CopyN(io.Discard, private, much); err != nil {
					t.Errorf("%d bytes came: %v", n, err)
				}
				io.WriteString(private, "!")
			} else {
				end(c, nc)
			}
			if err := <-wrote; (err == nil) != (end == nil) {
				t.Errorf("writing: %v", err)
			}
			if err := <-read; (err == nil) != (end == nil) {
				t.Errorf("reading: %v", err)
			}
		})
	}
}

// A Synch that waits for what is being sent says nothing in clear once TLS
// follows.
func TestSynchBeforeTheHandshake(t *testing.T) {
	ctx := within10s(t)
	c, nc, cfg := tlsClient(t, ctx)
	wrote, read := make(chan error, 2), make(chan error, 1)
	much := strings.Repeat("x", 16<<20) // more than the connection holds
	go func() {
		_, err := c.Write([]byte(much))
		wrote <- err
	}()
	expect(t, nc, much[:1])
	go func() { wrote <- c.Conn.Synch() }()
	for range 1000 {
		runtime.Gosched() // it is waiting by then, mostly
	}
	agreed := make(chan struct{})
	c.Notify(func(e telnet.Event) error {
		if e.Kind == telnet.Changed {
			close(agreed)
		}
		return nil
	})
	go func() {
		_, err := c.ReadUntil(ctx, "!")
		read <- err
	}()
	io.WriteString(nc, doTLS)
	<-agreed
	expect(t, nc, much[1:]+willTLS+follows)
	for range 2 {
		if err := <-wrote; err != nil {
			t.Error(err)
		}
	}
	io.WriteString(nc, follows)
	private := tls.Server(nc, cfg)
	if _, err := io.WriteString(private, "!"); err != nil {
		t.Error(err)
	}
	if err := <-read; err != nil {
		t.Error(err)
	}
}

// What a server says in clear behind its FOLLOWS is nobody's to read, also where
// something good came before.
func TestClearBehindFollows(t *testing.T) {
	ctx := within10s(t)
	c, nc, _ := tlsClient(t, ctx)
	read := make(chan error, 1)
	go func() {
		got, err := c.ReadUntil(ctx, "evil")
		if string(got) != "good" {
			t.Errorf("read %q", got)
		}
		read <- err
	}()
	io.WriteString(nc, doTLS)
	expect(t, nc, willTLS+follows)
	io.WriteString(nc, "good"+follows+"evil")
	if err := <-read; !errors.Is(err, conv.ErrEarly) {
		t.Errorf("the error is %v", err)
	}
}

// A client may step up to TLS when a function has the connection already.
func TestStartTLSWithinRun(t *testing.T) {
	pair, err := testcert.New()
	if err != nil {
		t.Fatal(err)
	}
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			ctx := within10s(t)
			deadline, _ := ctx.Deadline()
			h := &telnet.Handler{TLS: &tls.Config{Certificates: []tls.Certificate{pair.Certificate}}, Run: func(_ context.Context, c *telnet.Conn, _ string) error {
				_, err := io.Copy(c, c)
				return err
			}}
			nc := dialed(t, servertest.Serve(t, &server.Server{Handler: h, Engine: e()}))
			nc.SetDeadline(deadline)
			expect(t, nc, doTLS)
			io.WriteString(nc, "early")
			expect(t, nc, "early")
			io.WriteString(nc, willTLS+follows)
			expect(t, nc, follows)
			private := tls.Client(nc, &tls.Config{RootCAs: pair.Roots, ServerName: "localhost"})
			io.WriteString(private, "private")
			expect(t, private, "private")
		})
	}
}
