package telnet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/telnet"
	"github.com/farend-go/farend/proto/telnet/telnettest"
	"github.com/farend-go/farend/server"
)

var engines = map[string]func() server.Engine{"goroutines": server.Goroutines, "events": server.Events}

func again(t *telnet.Terminal, line string) (string, bool) {
	switch {
	case line == "exit":
		return "bye\n", false
	case line == "type":
		return t.Type() + "\n", true
	}
	return "[" + line + "]\n", true
}

func within10s(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// TestClient has the methods of telnetlib at our server, on both engines.
func TestClient(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			s := telnettest.New(t, again, telnettest.Options{Engine: e(), Login: true})
			ctx := within10s(t)
			c := s.Client(ctx, telnet.ClientOptions{Options: telnet.Options{Do: []telnet.Option{telnet.Echo}, Terminals: []string{"FAREND"}}})
			say := func(until, line string) {
				t.Helper()
				if got, err := c.ReadUntil(ctx, until); err != nil {
					t.Fatalf("%q and %v", got, err)
				}
				if err := c.WriteText(line); err != nil {
					t.Fatal(err)
				}
			}
			say("login: ", telnettest.User+"\n")
			say("Password: ", telnettest.Password+"\n")
			say(telnettest.Prompt, "one\xff\r\n")
			m, err := c.Expect(ctx, regexp.MustCompile(`never`), regexp.MustCompile(`\[(\w+)(x)?`), regexp.MustCompile(`.`))
			if err != nil || m.Index != 1 && m.Index != 2 {
				t.Fatalf("%+v, %v", m, err)
			}
			say(telnettest.Prompt, "type\n")
			if got, err := c.ReadUntil(ctx, "\n"); err != nil || string(got) != "FAREND\r\n" {
				t.Errorf("%q, %v", got, err)
			}
			say(telnettest.Prompt, "exit\n")
			if got, err := c.ReadAll(ctx); err != nil || string(got) != "bye\r\n" {
				t.Errorf("%q, %v", got, err)
			}
			if got, err := c.ReadSome(ctx); !errors.Is(err, io.EOF) || len(got) > 0 {
				t.Errorf("behind the end: %q, %v", got, err)
			}
			if got, err := c.ReadEager(); !errors.Is(err, io.EOF) || len(got) > 0 {
				t.Errorf("behind the end: %q, %v", got, err)
			}
		})
	}
}

// TestACutReadLosesNothing ends a wait by its context, and goes on.
func TestACutReadLosesNothing(t *testing.T) {
	s := telnettest.New(t, again, telnettest.Options{})
	ctx := within10s(t)
	c := s.Client(ctx, telnet.ClientOptions{Window: 64})
	if _, err := c.ReadUntil(ctx, telnettest.Prompt); err != nil {
		t.Fatal(err)
	}
	cut, cancel := context.WithCancel(ctx)
	waits := make(chan struct{})
	go func() {
		<-waits
		cancel()
	}()
	close(waits)
	if got, err := c.ReadUntil(cut, "never"); !errors.Is(err, context.Canceled) || len(got) > 0 {
		t.Fatalf("%q, %v", got, err)
	}
	c.WriteText("on\n")
	if got, err := c.ReadUntil(ctx, telnettest.Prompt); err != nil || string(got) != "[on]\r\n"+telnettest.Prompt {
		t.Fatalf("%q, %v", got, err)
	}
	c.WriteText("abcdef\n")
	if _, err := c.ReadUntil(ctx, telnettest.Prompt[:1]); err != nil {
		t.Fatal(err)
	}
	if got := c.ReadLazy(); strings.Trim(string(got), " ") != "" {
		t.Errorf("left over: %q", got)
	}
	c.WriteText(strings.Repeat("x", 100) + "\n")
	if _, err := c.ReadUntil(ctx, "never"); !errors.Is(err, telnet.ErrTooMuch) {
		t.Errorf("too much is %v", err)
	}
}

// TestStartTLSOnAConnection steps up, and everything goes on inside.
func TestStartTLSOnAConnection(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			s := telnettest.New(t, again, telnettest.Options{Engine: e(), StartTLS: true})
			ctx := within10s(t)
			c := s.Client(ctx, telnet.ClientOptions{Options: telnet.Options{TLS: true, Terminals: []string{"SAFE"}}})
			if _, err := c.ReadUntil(ctx, telnettest.Prompt); err != nil {
				t.Fatal(err)
			}
			c.WriteText("type\n") // in clear, or inside: what is answered came after the handshake
			if got, err := c.ReadUntil(ctx, "\n"); err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// TestBothWays sends megabytes with 255s and CRs in both directions at once.
func TestBothWays(t *testing.T) {
	data := bytes.Repeat([]byte("\xff\r\n\r\x00\xff\xf0abcdefghijklm\r"), 100_000)
	a, b := net.Pipe()
	left, right := telnet.NewClient(conv.New(a, conv.Options{}), telnet.ClientOptions{}), telnet.NewClient(conv.New(b, conv.Options{}), telnet.ClientOptions{})
	var all sync.WaitGroup
	for _, c := range []*telnet.Client{left, right} {
		all.Go(func() {
			for rest := data; len(rest) > 0; {
				n := min(len(rest), 32<<10)
				if _, err := c.Write(rest[:n]); err != nil {
					t.Error(err)
					return
				}
				rest = rest[n:]
			}
		})
		all.Go(func() {
			got := make([]byte, len(data))
			if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, data) {
				t.Errorf("what came is not what was sent: %v", err)
			}
		})
	}
	all.Wait()
	left.Close()
	right.Close()
}

// TestSynch has the data mark come where it was sent, urgent or not.
func TestSynch(t *testing.T) {
	heard := make(chan telnet.Command, 2)
	h := &telnet.Handler{Run: func(_ context.Context, c *telnet.Conn, _ string) error {
		c.Notify(func(e telnet.Event) error {
			heard <- e.Command
			return nil
		})
		_, err := io.Copy(io.Discard, c)
		return err
	}}
	addr := servertest.Serve(t, &server.Server{Handler: h})
	ctx := within10s(t)
	c, err := telnet.Dial(ctx, "tcp:"+addr, telnet.ClientOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Synch(); err != nil {
		t.Fatal(err)
	}
	if ip, dm := <-heard, <-heard; ip != telnet.IP || dm != telnet.DM {
		t.Errorf("%v and %v", ip, dm)
	}
}

// RFC 1143 section 1 and RFC 1091: a server that asks, seen from our client.
const clientTalk = `
S: \xff\xfb\x01\xff\xfd\x18\xff\xfd\x1f\xff\xfd\xc8login: \c
C: \xff\xfd\x01\xff\xfb\x18\xff\xfb\x1f\xff\xfa\x1f\x00P\x00\xff\xff\xff\xf0\xff\xfc\xc8\c
S: \xff\xfa\x18\x01\xff\xf0\c
C: \xff\xfa\x18\x00VT100\xff\xf0\c
S: \xff\xfd\x06ok\xff\xff
C: \xff\xfb\x06\c
C: bye\xff\xff
S.
`

func TestClientTranscript(t *testing.T) {
	script, err := transcript.Parse("client", clientTalk)
	if err != nil {
		t.Fatal(err)
	}
	transcript.Client(t, script, func(ctx context.Context, nc net.Conn) error {
		c := telnet.NewClient(conv.New(nc, conv.Options{}), telnet.ClientOptions{Options: telnet.Options{
			Do: []telnet.Option{telnet.Echo}, Terminals: []string{"VT100"}, Window: true,
		}})
		defer c.Close()
		if err := c.Do(func(n *telnet.NVT) { n.SetWindow(80, 255) }); err != nil {
			return err
		}
		if _, err := c.ReadUntil(ctx, "ok\xff\r\n"); err != nil {
			return err
		}
		if err := c.WriteText("bye\xff\n"); err != nil {
			return err
		}
		_, err := c.ReadAll(ctx)
		return err
	})
}

// TestUnderFaults has both ends talk over connections that misbehave, by seeds:
// what comes is right, or there is an error.
func TestUnderFaults(t *testing.T) {
	line := strings.Repeat("abc\xff", 200)
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			var all sync.WaitGroup
			for seed := range 12 {
				s := telnettest.New(t, again, telnettest.Options{Engine: e(), Server: func(srv *server.Server) {
					srv.Layers = []conv.Layer{faults.Layer(faults.Mix(uint64(seed))...)}
					srv.Limits.Turn, srv.Limits.Idle, srv.Limits.Drain = time.Second, time.Second, time.Millisecond
				}})
				all.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
					defer cancel()
					c, err := telnet.Dial(ctx, s.Endpoint(), telnet.ClientOptions{})
					if err != nil {
						return
					}
					defer c.Close()
					for range 10 {
						if c.WriteText(line+"\n") != nil {
							return
						}
						if _, err := c.ReadUntil(ctx, "["); err != nil {
							return
						}
						if got, err := c.ReadUntil(ctx, "]\r\n"); err == nil && string(got) != line+"]\r\n" && !faulty(seed) {
							t.Errorf("seed %d: %d bytes and no error", seed, len(got))
						}
					}
				})
			}
			all.Wait()
		})
	}
}

// faulty tells the seeds that change bytes: Telnet has nothing that would find
// that out.
func faulty(seed int) bool {
	for _, r := range faults.Mix(uint64(seed)) {
		if r.Do == faults.Garble {
			return true
		}
	}
	return false
}

func TestParseURL(t *testing.T) {
	for in, want := range map[string]telnet.URL{
		"telnet://user:pw@host.test:2323/": {Host: "host.test", Port: "2323", User: "user", Password: "pw"},
		"telnets://[::1]":                  {TLS: true, Host: "::1"},
		"telnet://melvyl.ucop.edu/":        {Host: "melvyl.ucop.edu"},
	} {
		if got, err := telnet.ParseURL(in); err != nil || got != want {
			t.Errorf("%s: %+v, %v", in, got, err)
		}
	}
	for _, in := range []string{"telnet:host", "telnet://", "http://host", "telnet://host/path", "telnet://127.1", "telnet://u:secret@host:x/"} {
		if u, err := telnet.ParseURL(in); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %+v, %v", in, u, err)
		}
	}
	if got := (telnet.URL{TLS: true, Host: "::1"}).Endpoint(); got != "tls:[::1]:992" {
		t.Error(got)
	}
}
