package server_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/server"
)

// sender answers a line with what make gives, and hangs up.
type sender struct {
	make func() (io.Reader, error)
	cut  bool
	sent chan int64
}

func (sender) Mode() server.Mode { return server.Blocks }

func (s sender) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	return &sending{s, t}, nil
}

type sending struct {
	sender
	t *server.Talk
}

func (s *sending) Turn(context.Context) error {
	if _, err := s.t.R.Line(); err != nil {
		return err
	}
	r, err := s.make()
	if err != nil {
		return err
	}
	if err := s.t.W.LineString("here it comes"); err != nil {
		return err
	}
	n, err := s.t.SendFrom(r)
	s.sent <- n
	if s.cut {
		s.t.Cut()
		return errors.New("cut")
	}
	if err != nil {
		return err
	}
	return io.EOF
}

func (s *sending) Close(error) error { return nil }

// sendingServer serves h on an engine and gives a connection to it.
func sendingServer(t *testing.T, e server.Engine, srv *server.Server) net.Conn {
	t.Helper()
	srv.Engine = e
	c, err := net.Dial("tcp", servertest.Serve(t, srv))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	return c
}

func TestSendFrom(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 300_000) // 4.8 MB: more than the kernel holds
	name := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	open := func() (io.Reader, error) { // read to its end, or left to the finalizer
		f, err := os.Open(name)
		if err == nil {
			t.Cleanup(func() { f.Close() })
		}
		return f, err
	}
	for engine, e := range map[string]func() server.Engine{"goroutines": server.Goroutines, "events": server.Events} {
		for how, c := range map[string]struct {
			make func() (io.Reader, error)
			want []byte
			tls  bool
		}{
			"file": {make: open, want: content},
			"part": {make: func() (io.Reader, error) {
				f, err := open()
				return io.LimitReader(f, 3_000_001), err
			}, want: content[:3_000_001]},
			"section": {make: func() (io.Reader, error) {
				f, err := open()
				return io.NewSectionReader(f.(*os.File), 1000, 3_000_001), err
			}, want: content[1000:3_001_001]},
			"part of a section": {make: func() (io.Reader, error) {
				f, err := open()
				return io.LimitReader(io.NewSectionReader(f.(*os.File), int64(len(content)-7), 20), 6), err
			}, want: content[len(content)-7 : len(content)-1]},
			"reader": {make: func() (io.Reader, error) { return bytes.NewReader(content), nil }, want: content},
			"tls":    {make: open, want: content, tls: true},
		} {
			t.Run(engine+"/"+how, func(t *testing.T) {
				sent := make(chan int64, 1)
				srv := &server.Server{Handler: sender{c.make, false, sent}}
				if c.tls {
					srv.TLS = testcert.Server(t)
				}
				nc := sendingServer(t, e(), srv)
				if c.tls {
					nc = tls.Client(nc, testcert.Client(t))
				}
				if _, err := io.WriteString(nc, "go\r\n"); err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(nc)
				want := append([]byte("here it comes\r\n"), c.want...)
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bytes of %d, %v", len(got), len(want), err)
				}
				if n := <-sent; n != int64(len(c.want)) {
					t.Errorf("it says %d", n)
				}
			})
		}
	}
}

func TestCutIsAReset(t *testing.T) {
	for engine, e := range map[string]func() server.Engine{"goroutines": server.Goroutines, "events": server.Events} {
		t.Run(engine, func(t *testing.T) {
			half := func() (io.Reader, error) { return bytes.NewReader(make([]byte, 10_000)), nil }
			nc := sendingServer(t, e(), &server.Server{Handler: sender{half, true, make(chan int64, 1)}})
			if _, err := io.WriteString(nc, "go\r\n"); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, nc); err == nil {
				t.Error("the end looks like a good one")
			}
		})
	}
}

// Limits.Turn is for each piece: a large answer to a slow peer that takes it
// is no Turn that takes too long.
func TestSendFromGetsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := transcript.Pipe()
		content := func() (io.Reader, error) { return bytes.NewReader(make([]byte, 2<<20)), nil }
		srv := &server.Server{Handler: sender{content, false, make(chan int64, 1)}, Limits: server.Limits{Turn: time.Second, Drain: time.Hour}}
		done := make(chan error)
		go func() { done <- srv.Serve(t.Context(), transcript.Once(far)) }()
		if _, err := io.WriteString(near, "go\r\n"); err != nil {
			t.Fatal(err)
		}
		begin, total := time.Now(), 0
		for buf := make([]byte, 64<<10); ; {
			n, err := near.Read(buf)
			if total += n; err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			<-time.After(300 * time.Millisecond)
		}
		if want := 2<<20 + len("here it comes\r\n"); total != want {
			t.Errorf("%d bytes of %d", total, want)
		}
		if took := time.Since(begin); took < 5*time.Second {
			t.Errorf("it took %v, which proves nothing", took)
		}
		near.Close()
		<-done
	})
}
