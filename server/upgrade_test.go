package server_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"testing"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/server"
)

// A Turn that upgrades hands the socket to a goroutine for the handshake, and
// the loop has it back after it.
func TestUpgradeInATurn(t *testing.T) {
	for _, k := range append(kinds(), tinyKinds()...) {
		if !k.inClear() || k.onLoops() && k.mode == server.Inline {
			continue
		}
		t.Run(k.String(), func(t *testing.T) {
			needEngine(t, k.engine)
			r := start(t, k, &server.Server{Handler: &upgrader{k.mode, testcert.Server(t)}})
			c := r.client()
			long := strings.Repeat("y", 3000)
			for i := range 20 { // some of it lies there when the Turn begins
				c.say(fmt.Sprintf("%d %s\r\n", i, long))
			}
			c.say("STARTTLS\r\n")
			for i := range 20 {
				c.expect(fmt.Sprintf("%d %s", i, long))
			}
			c.expect("now")
			s := tls.Client(c.Conn, testcert.Client(t))
			c.Conn, c.r = s, bufio.NewReader(s)
			if err := s.HandshakeContext(t.Context()); err != nil {
				t.Fatal(err)
			}
			said := make(chan error, 1)
			go func() {
				for i := range 200 {
					if _, err := fmt.Fprintf(s, "%d %s\r\n", i, long); err != nil {
						said <- err
						return
					}
				}
				said <- s.CloseWrite()
			}()
			for i := range 200 {
				c.expect(fmt.Sprintf("%d %s", i, long))
			}
			if err := <-said; err != nil {
				t.Error(err)
			}
			c.end()
		})
	}
}

// upgrader repeats lines.
type upgrader struct {
	mode server.Mode
	tls  *tls.Config
}

func (h *upgrader) Mode() server.Mode { return h.mode }
func (h *upgrader) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	return &upgraderSession{h, t}, nil
}

type upgraderSession struct {
	h *upgrader
	t *server.Talk
}

func (s *upgraderSession) Turn(ctx context.Context) error {
	line, err := s.t.R.Line()
	if err != nil {
		return err
	}
	if string(line) != "STARTTLS" {
		return s.t.W.LineString(string(line))
	}
	if err := s.t.W.LineString("now"); err != nil {
		return err
	}
	return s.t.Upgrade(ctx, conv.ServerTLS(ctx, s.h.tls))
}

func (s *upgraderSession) Close(error) error { return nil }
