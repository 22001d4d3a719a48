package server_test

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"

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
