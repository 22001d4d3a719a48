package server_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/server"
)

// pipes is a listener in memory: no descriptor, so that every engine serves it
// on goroutines, and time can be synctest's.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.done:
	default:
		close(p.done)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

func (p *pipes) dial() net.Conn {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return ours
}

// inMemory runs f beside a server on pipes, with synctest's clock.
func inMemory(t *testing.T, srv *server.Server, f func(t *testing.T, p *pipes, stop func())) {
	for _, e := range []server.Engine{server.Goroutines(), server.Events()} {
		synctest.Test(t, func(t *testing.T) {
			s := &server.Server{Handler: srv.Handler, Limits: srv.Limits, Engine: e}
			p := newPipes()
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- s.Serve(ctx, p) }()
			f(t, p, stop)
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestIdleLimitToTheMinute(t *testing.T) {
	h := &liner{mode: server.Waits}
	inMemory(t, &server.Server{Handler: h, Limits: server.Limits{Idle: time.Minute}}, func(t *testing.T, p *pipes, _ func()) {
		c := p.dial()
		b := make([]byte, 100)
		if n, err := c.Read(b); string(b[:n]) != "+ hello\r\n" {
			t.Fatalf("%q %v", b[:n], err)
		}
		begun := time.Now()
		if n, err := c.Read(b); err != io.EOF {
			t.Errorf("%q %v", b[:n], err)
		}
		if d := time.Since(begun); d < time.Minute || d > 75*time.Second {
			t.Errorf("ended after %v", d)
		}
	})
}

func TestDrainToTheSecond(t *testing.T) {
	h := &liner{mode: server.Blocks, block: make(chan struct{}), holding: make(chan struct{}), ended: make(chan error, 1)}
	synctest.Test(t, func(t *testing.T) {
		s := &server.Server{Handler: h, Limits: server.Limits{Drain: 7 * time.Second}}
		h.block, h.holding, h.ended = make(chan struct{}), make(chan struct{}), make(chan error, 1)
		p := newPipes()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Serve(ctx, p) }()
		c := p.dial()
		b := make([]byte, 100)
		if _, err := c.Read(b); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte("HOLD\r\n")); err != nil {
			t.Fatal(err)
		}
		<-h.holding
		begun := time.Now()
		stop()
		if why := <-h.ended; !errors.Is(why, server.ErrCut) {
			t.Errorf("ended with %v", why)
		}
		if d := time.Since(begun); d != 7*time.Second {
			t.Errorf("cut after %v", d)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		c.Close()
	})
}

// Stopping tells a Turn early that the server stops; its context ends late.
func TestStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := make(chan struct{})
		s := &server.Server{Handler: server.Stream(func(ctx context.Context, c net.Conn) error {
			<-server.Stopping(ctx)
			if err := ctx.Err(); err != nil {
				t.Errorf("the context ended too early: %v", err)
			}
			close(seen)
			return nil
		})}
		p := newPipes()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Serve(ctx, p) }()
		c := p.dial()
		defer c.Close()
		stop()
		<-seen
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// A talk that waits for its place, or whose Layers take their time, has not
// begun: no limit counts, and it is roused as any other later on.
func TestArrivingIsNotSwept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &liner{mode: server.Waits, talks: make(chan *server.Talk, 1)}
		s := &server.Server{Handler: h, Engine: server.Goroutines(), Layers: []conv.Layer{func(c net.Conn) net.Conn {
			<-time.After(time.Minute) // longer than any limit
			return c
		}}}
		p := newPipes()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Serve(ctx, p) }()
		c := p.dial()
		r := bufio.NewReader(c)
		hear := func(want string) {
			if got, err := r.ReadString('\n'); got != want {
				t.Fatalf("%q, %v; want %q", got, err, want)
			}
			synctest.Wait() // it waits for its peer
		}
		hear("+ hello\r\n")
		talk := <-h.talks
		talk.Wake()
		hear("* push 1\r\n")
		talk.Wake()
		hear("* push 2\r\n")
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		c.Close()
	})
}

// lengthy takes five seconds for a Turn, and for a Push.
type lengthy struct {
	server.Anything
	t     *server.Talk
	talks chan *server.Talk
}

func (s lengthy) Mode() server.Mode { return server.Waits }
func (s lengthy) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	s.talks <- t
	return lengthy{t: t}, nil
}

func (s lengthy) Turn(context.Context) error {
	if _, err := s.t.R.Line(); err != nil {
		return err
	}
	<-time.After(5 * time.Second)
	return s.t.W.LineString("turned")
}

func (s lengthy) Push(context.Context) error {
	<-time.After(5 * time.Second)
	if err := s.t.W.LineString("pushed"); err != nil {
		return err
	}
	return s.t.W.Flush()
}

func (s lengthy) Close(error) error { return nil }

// A talk may wait for longer than a Turn may take: what comes then has its time.
func TestTimeOfATurnBeginsAfterTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := lengthy{talks: make(chan *server.Talk, 1)}
		s := &server.Server{Handler: h, Engine: server.Goroutines(), Limits: server.Limits{Turn: time.Minute, Idle: time.Hour}}
		p := newPipes()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Serve(ctx, p) }()
		c := p.dial()
		r := bufio.NewReader(c)
		talk := <-h.talks
		for range 3 {
			<-time.After(10 * time.Minute)
			talk.Wake()
			if got, err := r.ReadString('\n'); got != "pushed\r\n" {
				t.Fatalf("%q, %v", got, err)
			}
			<-time.After(10 * time.Minute)
			if _, err := io.WriteString(c, "line\r\n"); err != nil {
				t.Fatal(err)
			}
			if got, err := r.ReadString('\n'); got != "turned\r\n" {
				t.Fatalf("%q, %v", got, err)
			}
		}
		synctest.Wait() // it waits for its peer
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		c.Close()
	})
}
