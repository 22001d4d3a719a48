package server_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/farend-go/farend/server"
)

// What a ring has received at most is read by an Upgrade, which then waits for
// more.
func TestUpgradeReadsAllThatARingKeeps(t *testing.T) {
	needEngine(t, "uring")
	r := start(t, kind{engine: "uring", mode: server.Waits, network: "tcp"}, &server.Server{Handler: greedy{}})
	c := r.client()
	c.say("GO\r\n")
	c.expect("go on")
	c.say(strings.Repeat("x", 2*server.RingKeepsAtMost))
	for range 20 {
		c.expect("more")
		c.say("y")
	}
	c.expect("done")
	c.end()
}

// Who has the socket sees what came and was not read: on a ring too.
func TestSocketKeepsWhatIsUnread(t *testing.T) {
	overLoops(t, server.Waits, func(t *testing.T, k kind) {
		for _, early := range []bool{false, true} {
			r := start(t, k, &server.Server{Handler: looking{early: early}})
			c := r.client()
			c.say("one\r\n")
			c.expect("go on")
			c.say("two\r\n")
			c.expect("5 bytes lie there")
			c.expect("two")
			c.end()
		}
	})
}

// looking has the socket, from the beginning or later.
type looking struct {
	early bool
	t     *server.Talk
	raw   syscall.RawConn
}

func (looking) Mode() server.Mode { return server.Waits }
func (looking) Close(error) error { return nil }

func (s looking) Open(_ context.Context, t *server.Talk) (_ server.Session, err error) {
	s.t = t
	if s.early {
		s.raw, err = t.SyscallConn()
	}
	return s, err
}

func (s looking) Turn(ctx context.Context) (err error) {
	if _, err := s.t.R.Line(); err != nil {
		return err
	}
	if s.raw == nil {
		if s.raw, err = s.t.SyscallConn(); err != nil {
			return err
		}
	}
	if err := s.t.W.LineString("go on"); err != nil {
		return err
	}
	n := 0
	if err := s.t.Detour(func() error {
		for err == nil && n < len("two\r\n") {
			_ = s.raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.TIOCINQ) })
			err = cmp.Or(err, ctx.Err())
			runtime.Gosched()
		}
		return err
	}); err != nil {
		return err
	}
	if err := s.t.W.LineString(fmt.Sprintf("%d bytes lie there", n)); err != nil {
		return err
	}
	line, err := s.t.R.Line()
	if err == nil {
		err = s.t.W.Line(line)
	}
	return cmp.Or(err, io.EOF)
}

// greedy has an Upgrade read more than a ring keeps, all of which lies there.
type greedy struct{ t *server.Talk }

func (greedy) Mode() server.Mode                                              { return server.Waits }
func (greedy) Open(_ context.Context, t *server.Talk) (server.Session, error) { return greedy{t}, nil }
func (greedy) Close(error) error                                              { return nil }

func (s greedy) Turn(ctx context.Context) error {
	if _, err := s.t.R.Line(); err != nil {
		return err
	}
	if err := s.t.W.LineString("go on"); err != nil {
		return err
	}
	if err := s.t.Detour(func() error {
		for server.RingKeeps(s.t) < server.RingKeepsAtMost && ctx.Err() == nil {
			runtime.Gosched()
		}
		return ctx.Err()
	}); err != nil {
		return err
	}
	err := s.t.Upgrade(ctx, func(nc net.Conn) (net.Conn, error) {
		if _, err := io.ReadFull(nc, make([]byte, 2*server.RingKeepsAtMost)); err != nil {
			return nil, err
		}
		for range 20 {
			if _, err := io.WriteString(nc, "more\r\n"); err != nil {
				return nil, err
			}
			if _, err := io.ReadFull(nc, make([]byte, 1)); err != nil {
				return nil, err
			}
		}
		return nc, nil
	})
	if err == nil {
		err = s.t.W.LineString("done")
	}
	return errors.Join(err, io.EOF)
}
