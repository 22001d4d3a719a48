// Package gophertest is a gopher server for tests, in the manner of
// net/http/httptest: files in memory, served on a loopback port until the test
// ends, with faults where they are wanted and the conversation in the log where
// the test fails.
package gophertest

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"path"

	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/keep/files"
	"github.com/farend-go/farend/proto/gopher"
	"github.com/farend-go/farend/server"
)

// TB is what of testing.TB is used: Helper, Cleanup, Failed, Logf, Fatalf and
// Context.
type TB interface {
	servertest.TB
	Context() context.Context
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
			t.Fatalf("%v", err)
		}
	}
	b := o.Backend
	if b == nil {
		b = files.Gopher(s.Tree, files.GopherOptions{})
	}
	srv := &server.Server{Handler: gopher.NewHandler(b, o.Gopher), Name: "gopher", Engine: o.Engine}
	if o.TLS {
		srv.TLS = testcert.Server(t)
	}
	at, err := netip.ParseAddrPort(servertest.Room{Protocol: "Gopher", Faults: o.Faults, Address: o.Address}.Serve(t, srv))
	if err != nil {
		t.Fatalf("%v", err)
	}
	s.URL = gopher.URL{TLS: o.TLS, Type: gopher.Menu, Host: at.Addr().String(), Port: int(at.Port())}
	return s
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
