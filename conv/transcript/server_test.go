package transcript_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/server"
)

// liner answers lines with their capitals until QUIT.
type liner struct{}

func (liner) Mode() server.Mode { return server.Inline }

func (liner) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	return &lines{t}, t.W.LineString("+ hello")
}

type lines struct{ t *server.Talk }

func (s *lines) Turn(context.Context) error {
	line, err := s.t.R.Line()
	if err != nil {
		return err
	}
	if string(line) == "QUIT" {
		return errors.Join(s.t.W.LineString("+ bye"), io.EOF)
	}
	return s.t.W.LineString("+ " + strings.ToUpper(string(line)))
}

func (s *lines) Close(error) error { return nil }

// TestServerOnEngines plays a script at a server on both engines.
func TestServerOnEngines(t *testing.T) {
	s := script(t, "S: + hello\nC: one\nC: two\nS: + ONE\nS: + TWO\nC: QUIT\nS: + bye\nS.\n")
	for name, engine := range map[string]func() server.Engine{"goroutines": server.Goroutines, "events": server.Events} {
		t.Run(name, func(t *testing.T) {
			e := engine()
			transcript.Server(t, s, func(ctx context.Context, nc net.Conn) error {
				srv := &server.Server{Handler: liner{}, Engine: e}
				if err := srv.Serve(ctx, transcript.Once(nc)); !errors.Is(err, net.ErrClosed) {
					return err
				}
				return nil
			})
		})
	}
}
