package telnet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/telnet"
	"github.com/farend-go/farend/proto/telnet/telnettest"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/socket"
)

// TestUrgent is RFC 854's Synch without a connection: what is thrown away, and
// until when.
func TestUrgent(t *testing.T) {
	type part struct {
		ahead  bool
		stream string
	}
	for _, c := range []struct {
		name  string
		parts []part
		data  string
		told  string
	}{
		{"DM that is not urgent is nothing", []part{{false, "ab\xff\xf2cd"}}, "abcd", "DM"},
		{"up to DM, but for commands", []part{{true, "ab\xff\xf4\xff\xf6\xff\xf5cd\xff"}, {false, "\xf2ef"}}, "ef", "IP AYT AO DM"},
		{"not EC and EL", []part{{true, "a\xff\xf7\xff\xf8\xff"}, {false, "\xf2b\xff\xf7"}}, "b", "DM EC"},
		{"255 and sub-negotiations", []part{{true, "a\xff\xff\xff\xfa\x1f\x00P\x00\x18\xff\xf0b\xff"}, {false, "\xf2c"}}, "c", "SB DM"},
		{"the urgent data ends before DM", []part{{true, "a"}, {false, "b"}, {false, "c\xff\xf2d"}}, "d", "DM"},
		{"another Synch behind", []part{{true, "a\xff\xf2b\xff"}, {false, "\xf2c"}}, "c", "DM DM"},
	} {
		n := telnet.NewNVT(telnet.Options{Server: true, Do: []telnet.Option{telnet.NAWS}})
		var data string
		var told []string
		for _, p := range c.parts {
			n.Urgent(p.ahead)
			for b := []byte(p.stream); ; {
				e, rest := n.Next(b)
				if e.Kind == telnet.Nothing {
					break
				}
				if b = rest; e.Kind == telnet.Data {
					data += string(e.Data)
				} else {
					told = append(told, e.Command.String())
				}
			}
		}
		if got := strings.Join(told, " "); data != c.data || got != c.told {
			t.Errorf("%s: data %q, told %s; want %q, %s", c.name, data, got, c.data, c.told)
		}
	}
}

// urgently sends b, its last byte as urgent data of TCP.
func urgently(t *testing.T, nc net.Conn, b string) {
	t.Helper()
	raw, err := nc.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	err = raw.Write(func(fd uintptr) bool {
		failed = sendUrgent(fd, []byte(b))
		return failed != syscall.EAGAIN
	})
	if errors.Is(failed, errors.ErrUnsupported) {
		t.Skip("this system sends no urgent data")
	}
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
}

// arrive waits until the peer's system has all that was sent.
func arrive(t *testing.T, nc net.Conn) {
	t.Helper()
	raw, err := nc.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for done := false; !done; runtime.Gosched() {
		if err := raw.Control(func(fd uintptr) { done = arrived(t, fd) }); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSynchAtTheServer types ahead while the shell is busy, and takes it back
// by a Synch: on both engines, and where a function has the connection.
func TestSynchAtTheServer(t *testing.T) {
	for name, e := range engines {
		for _, quick := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				busy, sent := make(chan struct{}), make(chan struct{})
				slow := func(tt *telnet.Terminal, line string) (string, bool) {
					if line == "work" {
						close(busy)
						<-sent
					}
					return again(tt, line)
				}
				s := telnettest.New(t, slow, telnettest.Options{Engine: e()})
				if quick {
					s = telnettest.New(t, slow, telnettest.Options{Engine: e(), Handler: func(h *telnet.Handler) { h.Quick = true }})
				}
				release := sync.OnceFunc(func() { close(sent) })
				t.Cleanup(release) // whatever happens, the shell is not left busy
				nc := dialed(t, s.Addr)
				io.WriteString(nc, "work\r\n")
				<-busy
				io.WriteString(nc, strings.Repeat("never\r\n", 1000))
				urgently(t, nc, "\xff\xf4\xff\xf2")
				io.WriteString(nc, "then\r\nexit\r\n")
				arrive(t, nc)
				release()
				b, err := io.ReadAll(nc)
				got := string(b)
				if err != nil || strings.Contains(got, "never") || !strings.HasSuffix(got, "[then]\r\n% bye\r\n") || !strings.HasPrefix(got, "% [work]\r\n") {
					t.Errorf("%q, %v", got[:min(len(got), 200)], err)
				}
			})
		}
	}
}

func dialed(t *testing.T, addr string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return nc
}

// TestSynchAtTheClient has the server say much, and then that nobody need hear
// it: AO is answered by a Synch (RFC 1123 section 3.2.4).
func TestSynchAtTheClient(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			heard := make(chan telnet.Command, 4)
			s := telnettest.New(t, again, telnettest.Options{Engine: e()})
			ctx := within10s(t)
			c := s.Client(ctx, telnet.ClientOptions{Notify: func(e telnet.Event) error {
				heard <- e.Command
				return nil
			}})
			c.Do(func(n *telnet.NVT) { n.Tell(telnet.AO) })
			c.WriteText("exit\n")
			if _, err := c.ReadAll(ctx); err != nil {
				t.Fatal(err)
			}
			if len(heard) != 1 || <-heard != telnet.DM {
				t.Error("AO was not answered by a Synch")
			}
		})
	}
	t.Run("discards", func(t *testing.T) {
		said := make(chan struct{})
		h := &telnet.Handler{Run: func(_ context.Context, c *telnet.Conn, _ string) error {
			defer close(said)
			if _, err := io.WriteString(c, strings.Repeat("never\r\n", 1000)); err != nil {
				return err
			}
			if err := c.Synch(); err != nil {
				return err
			}
			_, err := io.WriteString(c, "then")
			return err
		}}
		ctx := within10s(t)
		nc, err := net.Dial("tcp", servertest.Serve(t, &server.Server{Handler: h}))
		if err != nil {
			t.Fatal(err)
		}
		c := telnet.NewClient(conv.New(nc, conv.Options{}), telnet.ClientOptions{})
		defer c.Close()
		<-said
		untilUrgent(ctx, t, nc)
		got, err := c.ReadAll(ctx)
		if err != nil || !strings.HasSuffix(string(got), "then") {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		if strings.Contains(string(got), "never") {
			t.Errorf("%d bytes were heard that a Synch was behind", len(got))
		}
	})
}

// untilUrgent waits until nc's system knows of urgent data, and so has what was
// sent before it.
func untilUrgent(ctx context.Context, t *testing.T, nc net.Conn) {
	t.Helper()
	raw, err := nc.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for ahead := false; !ahead; runtime.Gosched() {
		var failed error
		err := raw.Control(func(fd uintptr) { ahead, failed = socket.UrgentAhead(fd) })
		switch err = errors.Join(err, failed, ctx.Err()); {
		case errors.Is(err, errors.ErrUnsupported):
			t.Skip("this system does not tell of urgent data")
		case err != nil:
			t.Fatal(err)
		}
	}
}

// TestReadByteByByte reads into as little as there can be.
func TestReadByteByByte(t *testing.T) {
	a, b := net.Pipe()
	c := telnet.NewClient(conv.New(a, conv.Options{}), telnet.ClientOptions{})
	defer c.Close()
	go func() {
		io.WriteString(b, "a\xff\xffb\xff\xfa\x18many bytes\xff\xf0\r\x00c\xff\xf1\r\nd")
		b.Close()
	}()
	got, err := io.ReadAll(iotest.OneByteReader(c))
	if err != nil || string(got) != "a\xffb\rc\r\nd" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestSynchHidesASecret throws away what was typed of a password, also where the
// urgent data ends before the DM.
func TestSynchHidesASecret(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			var said bytes.Buffer
			r := transcript.NewRecorder(&said, transcript.Text, transcript.ServerSide, name)
			s := telnettest.New(t, again, telnettest.Options{Engine: e(), Login: true, Server: func(s *server.Server) {
				s.Tap = func(*server.Talk) conv.Tap { return r }
			}})
			nc := dialed(t, s.Addr)
			io.WriteString(nc, telnettest.User+"\r\n")
			until(t, nc, "assword: ")
			urgently(t, nc, "first")
			io.WriteString(nc, "second\xff\xf2"+telnettest.Password+"\r\nexit\r\n")
			until(t, nc, "bye")
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			for _, word := range []string{"firs", "second", telnettest.Password + "\r"} {
				if strings.Contains(said.String(), word) {
					t.Errorf("%q is in the transcript:\n%s", word, said.String())
				}
			}
		})
	}
}

// until reads up to a word.
func until(t *testing.T, nc net.Conn, word string) {
	t.Helper()
	var got []byte
	for p := make([]byte, 1); !bytes.HasSuffix(got, []byte(word)); got = append(got, p...) {
		if _, err := nc.Read(p); err != nil {
			t.Fatalf("%v, behind %q", err, got)
		}
	}
}
