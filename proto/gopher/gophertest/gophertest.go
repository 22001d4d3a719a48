// Package gophertest is a gopher server for tests, in the manner of
// net/http/httptest: files in memory, served on a loopback port until the test
// ends, with faults where they are wanted and the conversation in the log where
// the test fails.
package gophertest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"path"
	"sync"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/keep/files"
	"github.com/farend-go/farend/proto/gopher"
	"github.com/farend-go/farend/server"
)

// TB is what of testing.TB is used.
type TB interface {
	Helper()
	Context() context.Context
	Cleanup(f func())
	Failed() bool
	Log(args ...any)
	Fatal(args ...any)
	Errorf(format string, args ...any)
}

// Options of a Server. The zero value serves in clear and without faults.
type Options struct {
	TLS     bool           // gophers
	Faults  []faults.Rule  // on every connection, below TLS
	Backend gopher.Backend // instead of files
	Gopher  gopher.Options
	Engine  server.Engine // nil: server.Goroutines()
	Address string        // where to listen; "": a free port of 127.0.0.1
}

// A Server runs until its test ends.
type Server struct {
	URL  gopher.URL    // of the top menu
	Tree filetree.Tree // the files; may be changed at any time
	tls  bool
	t    TB
}

// New serves files, by name with slashes and content. It fails the test when it
// cannot.
func New(t TB, content map[string]string, o Options) *Server {
	t.Helper()
	s := &Server{Tree: filetree.Memory(filetree.Options{}), tls: o.TLS, t: t}
	for name, text := range content {
		if err := s.Write(name, text); err != nil {
			t.Fatal(err)
		}
	}
	b := o.Backend
	if b == nil {
		b = files.Gopher(s.Tree, files.GopherOptions{})
	}
	log := &recording{}
	srv := &server.Server{Handler: gopher.NewHandler(b, o.Gopher), Name: "gopher", Tap: log.tap, Engine: o.Engine}
	if len(o.Faults) > 0 {
		srv.Layers = []conv.Layer{faults.Layer(o.Faults...)}
	}
	if o.TLS {
		srv.TLS = testcert.Server(t)
	}
	address := o.Address
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := server.Listen(t.Context(), address, server.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	s.URL = gopher.URL{TLS: o.TLS, Type: gopher.Menu}
	if a, ok := l.Addr().(*net.TCPAddr); ok {
		s.URL.Host, s.URL.Port = a.IP.String(), a.Port
	}
	s.run(srv, l, log)
	return s
}

// run serves until the test has ended.
func (s *Server) run(srv *server.Server, l net.Listener, log *recording) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, l) }()
	s.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			s.t.Errorf("gophertest: %v", err)
		}
		if text := log.String(); s.t.Failed() && text != "" {
			s.t.Log("the conversations:\n" + text)
		}
	})
}

// Write puts a file into the tree, with the directories above it.
func (s *Server) Write(name, text string) error {
	if dir := path.Dir(name); dir != "." {
		if err := filetree.MkdirAll(s.Tree, dir); err != nil {
			return fmt.Errorf("gophertest: %w", err)
		}
	}
	u, err := s.Tree.Create(s.t.Context(), name, filetree.CreateOptions{})
	if err != nil {
		return fmt.Errorf("gophertest: %w", err)
	}
	defer u.Abort() //nolint:errcheck // does nothing after Commit; before it the write's error leads
	if _, err := io.WriteString(u, text); err != nil {
		return err
	}
	return u.Commit()
}

// At is the URL of a file or directory of the server.
func (s *Server) At(t gopher.Type, selector string) gopher.URL {
	u := s.URL
	u.Type, u.Selector = t, selector
	return u
}

// Client is a client that trusts the server's certificate.
func (s *Server) Client() *gopher.Client {
	if !s.tls {
		return &gopher.Client{}
	}
	return &gopher.Client{Dialer: &dial.Dialer{TLS: testcert.Client(s.t)}}
}

// recording keeps what was said, one conversation after the other.
type recording struct {
	mu  sync.Mutex
	all []*bytes.Buffer
}

// maxTold is how many conversations are kept.
const maxTold = 16

func (r *recording) tap(t *server.Talk) conv.Tap {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := &bytes.Buffer{}
	if r.all = append(r.all, b); len(r.all) > maxTold {
		r.all = r.all[1:]
	}
	return transcript.NewRecorder(b, transcript.Text, transcript.ServerSide, fmt.Sprintf("gopher %d", t.ID()))
}

// String is what was said; the server has stopped.
func (r *recording) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all bytes.Buffer
	for _, b := range r.all {
		all.Write(b.Bytes())
	}
	return all.String()
}
