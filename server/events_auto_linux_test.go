package server

import (
	"bufio"
	"bytes"
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/farend-go/farend/internal/testcert"
)

// modal greets with its mode, and waits for lines.
type modal struct {
	mode Mode
	t    *Talk
}

func (m modal) Mode() Mode { return m.mode }
func (m modal) Open(_ context.Context, t *Talk) (Session, error) {
	return modal{m.mode, t}, t.W.LineString(m.mode.String())
}
func (m modal) Turn(context.Context) error {
	_, err := m.t.R.Line()
	return err
}
func (modal) Close(error) error { return nil }

// serveAuto serves s with e until the client has been greeted, and tells how
// many servers have the rings then, and how many epoll.
func serveAuto(t *testing.T, e *autoEvents, s *Server) (rings, polls int) {
	t.Helper()
	l, err := Listen(t.Context(), "127.0.0.1:0", ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	s.Engine = e
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	line, err := bufio.NewReader(c).ReadString('\n')
	if want := s.Handler.Mode().String() + "\r\n"; line != want || err != nil {
		t.Errorf("%q, %v; want %q", line, err, want)
	}
	rings, polls = e.rings.used(), e.polls.used()
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if left := e.rings.used() + e.polls.used(); left != 0 {
		t.Errorf("%d loops are still used", left)
	}
	return rings, polls
}

func (e *events) used() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.users
}

// Rings are for what gains by them.
func TestAutoChooses(t *testing.T) {
	if err := (EventOptions{Uring: UringAlways}).Check(); err != nil {
		t.Skip("no ring here: ", err)
	}
	e := EventsWith(EventOptions{Uring: UringAuto}).(*autoEvents)
	for mode, want := range map[Mode][2]int{Inline: {1, 0}, Waits: {1, 0}, Blocks: {0, 1}, Streams: {0, 0}} {
		if rings, polls := serveAuto(t, e, &Server{Handler: modal{mode: mode}}); rings != want[0] || polls != want[1] {
			t.Errorf("%v: %d on rings, %d on epoll", mode, rings, polls)
		}
	}
}

// Where there can be no ring, epoll serves, and only who wants to know is told.
func TestAutoWithoutRings(t *testing.T) {
	var log bytes.Buffer
	e := newAutoEvents(EventOptions{Loops: 2}, ringSize{asks: 1 << 31})
	for _, mode := range []Mode{Inline, Waits, Inline} {
		s := &Server{Name: "it", Handler: modal{mode: mode}, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
		if rings, polls := serveAuto(t, e, s); rings != 0 || polls != 1 {
			t.Errorf("%v: %d on rings, %d on epoll", mode, rings, polls)
		}
		if said := log.String(); strings.Count(said, "\n") != 1 || !strings.Contains(said, "level=DEBUG") || !strings.Contains(said, "server=it") || !strings.Contains(said, "io_uring: ") {
			t.Errorf("the log says %q", said)
		}
		log.Reset()
	}
}

// Rings are for TCP in clear.
func TestAutoGains(t *testing.T) {
	tcp, err := Listen(t.Context(), "127.0.0.1:0", ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	local, err := Listen(t.Context(), "unix:"+filepath.Join(t.TempDir(), "s"), ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	clear := &Server{Handler: modal{mode: Inline}}
	if !gainsByRings(clear, tcp) {
		t.Error("nothing gains")
	}
	if gainsByRings(clear, local) {
		t.Error("a ring only polls a Unix socket")
	}
	if gainsByRings(&Server{Handler: modal{mode: Inline}, TLS: testcert.Server(t)}, tcp) {
		t.Error("a ring only polls what TLS reads")
	}
}
