// Package servertest serves until a test has ended, and shows what was said when
// it has failed. It is the heir of net/http/httptest's Server, for servers of
// every protocol.
package servertest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"sync"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/server"
)

// TB is what of testing.TB is used.
type TB interface {
	Helper()
	Cleanup(f func())
	Failed() bool
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// A Room is what a server stands in. The zero value is a free port of 127.0.0.1.
type Room struct {
	Protocol string               // each session is written down under that name; "": none is
	Faults   []faults.Rule        // on every connection, below TLS
	Change   func(*server.Server) // changes the server before it serves; nil: nobody does
	Address  string               // where to listen; "": 127.0.0.1:0
}

// Serve serves in a Room of the zero value.
func Serve(t TB, srv *server.Server) string {
	t.Helper()
	return Room{}.Serve(t, srv)
}

// Serve serves until the test has ended, and gives the address: host:port. An
// error of the server's fails the test.
func (r Room) Serve(t TB, srv *server.Server) string {
	t.Helper()
	heard := &hearing{protocol: r.Protocol}
	if r.Protocol != "" {
		srv.Tap = heard.tap
	}
	if len(r.Faults) > 0 {
		srv.Layers = []conv.Layer{faults.Layer(r.Faults...)}
	}
	if r.Change != nil {
		r.Change(srv)
	}
	address := r.Address
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := server.Listen(context.Background(), address, server.ListenConfig{})
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { heard.tell(t) })
	Run(t, func(ctx context.Context) error { return srv.Serve(ctx, l) })
	return l.Addr().String()
}

// Run runs serve until the test has ended or stop is called: then its context
// ends, and it is waited for. An error of its fails the test.
func Run(t TB, serve func(ctx context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- serve(ctx) }()
	end := sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	stop = func() {
		t.Helper()
		if err := end(); err != nil {
			t.Fatalf("the server: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// maxTold is how many sessions are shown, the last ones.
const maxTold = 64

// hearing keeps what was said.
type hearing struct {
	protocol string
	mu       sync.Mutex
	sessions []session
}

type session struct {
	text     *bytes.Buffer
	recorder *transcript.Recorder
}

// tap writes a session down.
func (h *hearing) tap(talk *server.Talk) conv.Tap {
	text := &bytes.Buffer{}
	r := transcript.NewRecorder(text, transcript.Text, transcript.ServerSide, fmt.Sprintf("%s session %d", h.protocol, talk.ID()))
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sessions = append(h.sessions, session{text, r}); len(h.sessions) > maxTold {
		h.sessions = h.sessions[1:]
	}
	if nc := talk.Below(); nc != nil {
		return conv.Taps(r, faults.Tap(nc, func(f faults.Fired) { r.Note(f.String()) }))
	}
	return r
}

// tell shows it where the test has failed. The server has ended.
func (h *hearing) tell(t TB) {
	t.Helper()
	if !t.Failed() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.sessions {
		_ = s.recorder.Close() // a bytes.Buffer does not fail
		t.Logf("%s", s.text)
	}
}

// Dir is a directory that ends with the test, as t.TempDir's, whose path leaves
// room for that of a Unix socket in an address.
func Dir(t TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "fe")
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
