// Package ftptest is an FTP server in memory for the tests of whoever speaks
// FTP: with files, faults on demand, and a transcript when the test fails. It is
// the heir of the dummy server in Python's test_ftplib.
package ftptest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"path"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/keep/files"
	"github.com/farend-go/farend/proto/ftp"
	"github.com/farend-go/farend/server"
)

// User and Password log in to a Server.
const (
	User     = "user"
	Password = "password"
)

// TB is what of testing.TB is used: Helper, Cleanup, Failed, Logf and Fatalf.
type TB = servertest.TB

// Options of New. The zero value is an empty tree.
type Options struct {
	Files    map[string]string // contents by name, such as "pub/a.txt"
	Tree     filetree.Tree     // served instead of a tree in memory; Files are put into it
	Faults   []faults.Rule     // on control connections, and on the data connections beside them
	Engine   server.Engine     // nil: server.Goroutines()
	Handler  func(*ftp.Handler)
	Server   func(*server.Server)
	Address  string // where to listen; "": 127.0.0.1:0
	Backend  ftp.Backend
	Implicit bool // TLS from the beginning
}

// A Server is an FTP server on the loopback interface. It ends with the test.
type Server struct {
	Addr  string // host:port
	Tree  filetree.Tree
	Roots *x509.CertPool // trusts its certificate
}

// New starts a server. It lets in User with Password, and anonymous, and knows
// AUTH TLS.
func New(t TB, o Options) *Server {
	t.Helper()
	s := &Server{Tree: o.Tree}
	if s.Tree == nil {
		s.Tree = filetree.Memory(filetree.Options{})
	}
	for name, content := range o.Files {
		if err := Put(s.Tree, name, content); err != nil {
			t.Fatalf("ftptest: %v", err)
		}
	}
	pair, err := testcert.New()
	if err != nil {
		t.Fatalf("ftptest: %v", err)
	}
	s.Roots = pair.Roots
	users := &auth.Users{Secrets: map[string]auth.Secret{User: auth.Clear(Password)}}
	accounts := &files.Accounts{Logins: &auth.Authenticator{Accounts: users, ClearText: true, Delay: -1}, Tree: s.Tree, Anonymous: s.Tree}
	h := &ftp.Handler{Backend: files.FTP(accounts.FTP), TLS: &tls.Config{Certificates: []tls.Certificate{pair.Certificate}}, Implicit: o.Implicit}
	if o.Backend != nil {
		h.Backend = o.Backend
	}
	srv := &server.Server{Handler: h, Engine: o.Engine}
	if len(o.Faults) > 0 {
		h.Layer = func(control, data net.Conn) net.Conn { return faults.Beside(control, data) }
	}
	if o.Handler != nil {
		o.Handler(h)
	}
	s.Addr = servertest.Room{Protocol: "FTP", Faults: o.Faults, Change: o.Server, Address: o.Address}.Serve(t, srv)
	return s
}

// Put writes a file, with the directories above it.
func Put(tree filetree.Tree, name, content string) error {
	if dir := path.Dir(name); dir != "." {
		if err := filetree.MkdirAll(tree, dir); err != nil {
			return err
		}
	}
	up, err := tree.Create(context.Background(), name, filetree.CreateOptions{})
	if err != nil {
		return err
	}
	if _, err := up.Write([]byte(content)); err != nil {
		_ = up.Abort() // the write's error leads
		return err
	}
	return up.Commit()
}

// Options are those of a Client that trusts the server.
func (s *Server) Options() ftp.Options {
	var o ftp.Options
	o.Dialer.TLS = &tls.Config{RootCAs: s.Roots}
	return o
}

// Endpoint is where Dial finds it; scheme is tcp, starttls, or tls where the
// server is Implicit.
func (s *Server) Endpoint(scheme string) string { return scheme + ":" + s.Addr }

// Client dials and logs in. It is closed with the test.
func (s *Server) Client(ctx context.Context, t TB, scheme string, o ftp.Options) *ftp.Client {
	t.Helper()
	if o.Dialer.TLS == nil {
		o.Dialer.TLS = s.Options().Dialer.TLS
	}
	c, err := ftp.Dial(ctx, s.Endpoint(scheme), o)
	if err != nil {
		t.Fatalf("ftptest: %v", err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Login(ctx, User, Password, ""); err != nil {
		t.Fatalf("ftptest: %v", err)
	}
	return c
}
