package server

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// An Accept that returns io.EOF is a good end: the talks go on for as long as
// they take, and Serve returns with the last of them.
func TestServeOutlastsItsListener(t *testing.T) {
	for _, e := range []Engine{Goroutines(), Events()} {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			s := &Server{Engine: e, Handler: Stream(func(_ context.Context, c net.Conn) error {
				<-time.After(time.Hour)
				_, err := io.WriteString(c, "late")
				return err
			}), Limits: Limits{Drain: time.Second, Turn: -1}}
			done := make(chan error, 1)
			began := time.Now()
			go func() { done <- s.Serve(t.Context(), newOnce(ours)) }()
			if b, err := io.ReadAll(theirs); err != nil || string(b) != "late" {
				t.Errorf("got %q, %v", b, err)
			}
			if err := <-done; err != nil || time.Since(began) != time.Hour {
				t.Errorf("Serve returned %v after %v", err, time.Since(began))
			}
		})
	}
}

// Stopping is stopping, also when the listener has ended before.
func TestServeStopsAfterItsListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		why := make(chan error, 1)
		s := &Server{Handler: Stream(func(_ context.Context, c net.Conn) error {
			_, err := c.Read(make([]byte, 1))
			why <- err
			return err
		})}
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		if err := s.Serve(ctx, newOnce(ours)); err != nil {
			t.Error(err)
		}
		if err := <-why; !errors.Is(err, ErrStopping) {
			t.Errorf("the talk ended with %v", err)
		}
	})
}

// scripted is a listener whose Accept returns what it is given.
type scripted struct {
	net.Listener
	arrivals chan arrival
}

func (l scripted) Accept() (net.Conn, error) { a := <-l.arrivals; return a.nc, a.err }
func (l scripted) Close() error              { return nil }

// What the members accepted before they ended is handed out before io.EOF.
func TestBundleLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		members := []net.Listener{scripted{arrivals: make(chan arrival)}, scripted{arrivals: make(chan arrival)}}
		b := newBundle(members...)
		first := make(chan net.Conn)
		go func() {
			nc, err := b.Accept()
			if err != nil {
				t.Error(err)
			}
			first <- nc
		}()
		for range 2 { // two of them wait with their bringers when the end comes
			for _, m := range members {
				ours, theirs := net.Pipe()
				defer ours.Close()
				defer theirs.Close()
				go func() { m.(scripted).arrivals <- arrival{nc: ours} }()
			}
		}
		<-first
		synctest.Wait()
		if err := b.finish(); err != nil {
			t.Error(err)
		}
		for range 3 {
			if _, err := b.Accept(); err != nil {
				t.Error(err)
			}
		}
		for _, m := range members {
			m.(scripted).arrivals <- arrival{err: net.ErrClosed}
		}
		if _, err := b.Accept(); err != io.EOF {
			t.Errorf("after the last: %v", err)
		}
	})
}

// local is a connection from a Unix socket.
type local struct{ net.Conn }

func (local) RemoteAddr() net.Addr { return &net.UnixAddr{Net: "unix"} }

// A connection whose header is still to come when its listener ends is served.
func TestProxyListenerLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := scripted{arrivals: make(chan arrival, 2)}
		l := ProxyHeader{TrustUnix: true, Required: true}.Listener(inner)
		ours, theirs := net.Pipe()
		defer theirs.Close()
		inner.arrivals <- arrival{nc: local{ours}}
		inner.arrivals <- arrival{err: io.EOF}
		go func() {
			synctest.Wait() // the listener has ended
			if _, err := io.WriteString(theirs, "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"); err != nil {
				t.Error(err)
			}
		}()
		nc, err := l.Accept()
		if err != nil || nc.RemoteAddr().String() != "192.0.2.1:1" {
			t.Fatal(nc, err)
		}
		if _, err := l.Accept(); err != io.EOF {
			t.Errorf("after the last: %v", err)
		}
		nc.Close()
	})
}

// A successor may take the sockets before their server has begun: that is a
// good end.
func TestBundleFinishedBeforeServe(t *testing.T) {
	for name, engine := range map[string]Engine{"goroutines": Goroutines(), "events": Events()} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		b := newBundle(l)
		if err := b.finish(); err != nil {
			t.Fatal(err)
		}
		s := Server{Engine: engine, Handler: Stream(func(context.Context, net.Conn) error { return nil })}
		if err := s.Serve(t.Context(), b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
