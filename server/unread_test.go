package server_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/server"
)

// helloer says hello, and waits.
type helloer struct{}

func (helloer) Mode() server.Mode { return server.Blocks }

func (helloer) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	return helloer{}, t.W.LineString("hello")
}

func (helloer) Turn(context.Context) error { return nil }
func (helloer) Close(error) error          { return nil }

// lone is a listener behind whose one connection no more will come.
type lone struct{ net.Listener }

func (l lone) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if errors.Is(err, net.ErrClosed) {
		err = io.EOF
	}
	return nc, err
}

// TestUnreadReply has a peer that does not read what it is told, and does not
// hang up: the talk must end all the same.
func TestUnreadReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe() // without a buffer
		defer ours.Close()
		srv := &server.Server{Handler: helloer{}, Limits: server.Limits{Idle: time.Minute, Turn: time.Minute}}
		if err := srv.Serve(t.Context(), lone{transcript.Once(theirs)}); err != nil {
			t.Error(err)
		}
		if n := srv.Counters().Errors["turn"]; n != 1 {
			t.Errorf("%d talks overstayed their turn: %v", n, srv.Counters().Errors)
		}
	})
}
