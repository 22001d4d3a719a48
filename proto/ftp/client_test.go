package ftp_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/filetree"
	"github.com/farend-go/farend/proto/ftp"
	"github.com/farend-go/farend/proto/ftp/ftptest"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var engines = map[string]func() server.Engine{"goroutines": server.Goroutines, "events": server.Events}

// ways are the ways to reach a server and its data.
var ways = []struct {
	name, scheme, address string
	change                func(*ftp.Options)
}{
	{"clear", "tcp", "127.0.0.1:0", func(*ftp.Options) {}},
	{"active", "tcp", "127.0.0.1:0", func(o *ftp.Options) { o.Active = true }},
	{"explicit", "starttls", "127.0.0.1:0", func(*ftp.Options) {}},
	{"explicit1.2", "starttls", "127.0.0.1:0", func(o *ftp.Options) { o.Dialer.TLS.MaxVersion = tls.VersionTLS12 }},
	{"explicit-active", "starttls", "127.0.0.1:0", func(o *ftp.Options) { o.Active = true }},
	{"implicit", "tls", "127.0.0.1:0", func(*ftp.Options) {}},
	{"clear-data", "starttls", "127.0.0.1:0", func(o *ftp.Options) { o.ClearData = true }},
	{"ipv6", "tcp", "[::1]:0", func(*ftp.Options) {}},
	{"ipv6-active", "tcp", "[::1]:0", func(o *ftp.Options) { o.Active = true }},
}

// everyWay runs a test over every engine and way. The server demands that data
// connections resume.
func everyWay(t *testing.T, o ftptest.Options, f func(t *testing.T, s *ftptest.Server, c *ftp.Client)) {
	for engine, e := range engines {
		for _, w := range ways {
			t.Run(engine+"/"+w.name, func(t *testing.T) {
				if strings.HasPrefix(w.address, "[") {
					l, err := net.Listen("tcp", w.address)
					if err != nil {
						t.Skip("no IPv6 here:", err)
					}
					l.Close()
				}
				o := o
				o.Engine, o.Address, o.Implicit = e(), w.address, w.scheme == "tls"
				o.Handler = func(h *ftp.Handler) { h.RequireReuse = true }
				s := ftptest.New(t, o)
				options := s.Options()
				w.change(&options)
				f(t, s, s.Client(t.Context(), t, w.scheme, options))
			})
		}
	}
}

func fetch(ctx context.Context, c *ftp.Client, name string, o ftp.RetrieveOptions) (string, error) {
	b, err := c.Retrieve(ctx, name, o)
	if err != nil {
		return "", err
	}
	defer b.Close()
	text, err := io.ReadAll(b)
	return string(text), err
}

func TestClient(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 200_000)
	files := map[string]string{"a.txt": "one\ntwo\n", "pub/big": big, "pub/sub/c": "c", "empty": ""}
	everyWay(t, ftptest.Options{Files: files}, func(t *testing.T, s *ftptest.Server, c *ftp.Client) {
		ctx := t.Context()
		for name, want := range files {
			if got, err := fetch(ctx, c, name, ftp.RetrieveOptions{Size: int64(len(want))}); err != nil || got != want {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
		}
		if got, err := fetch(ctx, c, "a.txt", ftp.RetrieveOptions{ASCII: true}); err != nil || got != "one\r\ntwo\r\n" {
			t.Errorf("ASCII: %q, %v", got, err)
		}
		if got, err := fetch(ctx, c, "pub/big", ftp.RetrieveOptions{Offset: 3_000_000, Size: int64(len(big))}); err != nil || got != big[3_000_000:] {
			t.Errorf("REST: %d bytes, %v", len(got), err)
		}
		if _, err := fetch(ctx, c, "missing", ftp.RetrieveOptions{}); !isReply(err, 550) {
			t.Errorf("missing: %v", err)
		}
		testStores(t, s, c, big)
		testListings(t, c)
		testNames(t, s, c)
		if err := c.Quit(ctx); err != nil {
			t.Error(err)
		}
	})
}

func isReply(err error, code int) bool {
	r, ok := errors.AsType[ftp.Reply](err)
	return ok && r.Code == code
}

func testStores(t *testing.T, s *ftptest.Server, c *ftp.Client, big string) {
	t.Helper()
	ctx := t.Context()
	is := func(name, want string) {
		t.Helper()
		if got, err := fs.ReadFile(s.Tree, name); err != nil || string(got) != want {
			t.Errorf("%s: %d bytes, %v; want %d", name, len(got), err, len(want))
		}
	}
	store := func(name, text string, o ftp.StoreOptions) {
		t.Helper()
		if n, err := c.Store(ctx, name, strings.NewReader(text), o); err != nil || n < int64(len(text)) {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
	store("up", big, ftp.StoreOptions{})
	is("up", big)
	store("up", "tail", ftp.StoreOptions{Offset: 1000})
	is("up", big[:1000]+"tail")
	store("up", "more", ftp.StoreOptions{Append: true})
	is("up", big[:1000]+"tailmore")
	store("lines", "one\ntwo\r\n", ftp.StoreOptions{ASCII: true})
	is("lines", "one\ntwo\n")
	name, err := c.StoreUnique(ctx, "up", strings.NewReader("other"))
	if err != nil || name != "up.1" {
		t.Errorf("STOU: %q, %v", name, err)
	}
	is("up.1", "other")
	if _, err := c.Store(ctx, "broken", io.MultiReader(strings.NewReader(big), errReader{}), ftp.StoreOptions{}); !errors.Is(err, errRead) {
		t.Errorf("a reader that fails: %v", err)
	}
	if _, err := fs.Stat(s.Tree, "broken"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("half of a file is there: %v", err)
	}
	if _, err := c.Store(ctx, "no/such/dir", strings.NewReader(""), ftp.StoreOptions{}); !isReply(err, 550) {
		t.Errorf("no directory: %v", err)
	}
}

var errRead = errors.New("read failed")

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errRead }

func testListings(t *testing.T, c *ftp.Client) {
	t.Helper()
	ctx := t.Context()
	entries, err := c.List(ctx, "pub")
	var seen []string
	for _, e := range entries {
		seen = append(seen, fmt.Sprintf("%s %d %t", e.Name, e.Size, e.IsDir()))
	}
	if want := []string{"big 3200000 false", "sub -1 true"}; err != nil || !slices.Equal(seen, want) {
		t.Errorf("MLSD: %q, %v", seen, err)
	}
	names, err := c.Names(ctx, "pub/b*")
	if err != nil || !slices.Equal(names, []string{"pub/big"}) {
		t.Errorf("NLST: %q, %v", names, err)
	}
	if names, err := c.Names(ctx, "pub"); err != nil || !slices.Equal(names, []string{"big", "sub"}) {
		t.Errorf("NLST: %q, %v", names, err)
	}
	if e, err := c.Stat(ctx, "pub/big"); err != nil || e.Name != "big" || e.Size != 3200000 || e.IsDir() {
		t.Errorf("MLST: %+v, %v", e, err)
	}
	var paths []string
	for w, err := range c.Walk(ctx, "pub") {
		if err != nil {
			t.Error(err)
		}
		paths = append(paths, w.Path)
	}
	if want := []string{"pub/big", "pub/sub", "pub/sub/c"}; !slices.Equal(paths, want) {
		t.Errorf("walk: %q", paths)
	}
}

func testNames(t *testing.T, s *ftptest.Server, c *ftp.Client) {
	t.Helper()
	ctx := t.Context()
	steps := []error{
		c.Mkdir(ctx, `d "x"`), c.Cwd(ctx, `d "x"`), c.Mkdir(ctx, "é"), c.Rename(ctx, "é", "../é"), c.Cwd(ctx, ".."), c.Rmdir(ctx, `d "x"`), c.Rmdir(ctx, "é"),
		c.SetModTime(ctx, "up", time.Unix(1_000_000_000, 0)), c.Delete(ctx, "up.1"), c.Noop(ctx),
	}
	if err := errors.Join(steps...); err != nil {
		t.Error(err)
	}
	if at, err := c.ModTime(ctx, "up"); err != nil || at.Unix() != 1_000_000_000 {
		t.Errorf("MDTM: %v, %v", at, err)
	}
	if n, err := c.Size(ctx, "up"); err != nil || n != 1008 {
		t.Errorf("SIZE: %d, %v", n, err)
	}
	if dir, err := c.Pwd(ctx); err != nil || dir != "/" {
		t.Errorf("PWD: %q, %v", dir, err)
	}
	algorithm, sum, err := c.Hash(ctx, "pub/sub/c")
	if err != nil || algorithm != "SHA-256" || sum != "2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6" {
		t.Errorf("HASH: %s %s, %v", algorithm, sum, err)
	}
	if _, err := c.Cmd(ctx, "CWD", "a\r\nDELE up"); !errors.Is(err, wire.ErrBreak) {
		t.Errorf("a line break went out: %v", err)
	}
	if err := c.Delete(ctx, "pub"); !isReply(err, 550) {
		t.Errorf("DELE of a directory: %v", err)
	}
	if _, err := fs.Stat(s.Tree, "up"); err != nil {
		t.Error(err)
	}
}

func TestCloseBeforeTheEnd(t *testing.T) {
	big := strings.Repeat("x", 20<<20)
	everyWay(t, ftptest.Options{Files: map[string]string{"big": big}}, func(t *testing.T, _ *ftptest.Server, c *ftp.Client) {
		b, err := c.Retrieve(t.Context(), "big", ftp.RetrieveOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(b, make([]byte, 300)); err != nil {
			t.Fatal(err)
		}
		if err := c.Noop(t.Context()); !errors.Is(err, ftp.ErrBusy) {
			t.Errorf("a command beside a transfer: %v", err)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if err := c.Noop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestFailedTransferIsNoShortFile(t *testing.T) {
	content := strings.Repeat("x", 100_000)
	s := ftptest.New(t, ftptest.Options{
		Files:  map[string]string{"f": content},
		Faults: []faults.Rule{{Verb: "RETR", After: 5000, Do: faults.Reset, Dir: faults.Out, Times: 1}},
	})
	c := s.Client(t.Context(), t, "tcp", s.Options())
	got, err := fetch(t.Context(), c, "f", ftp.RetrieveOptions{})
	if err == nil || len(got) >= len(content) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestCancelledTransfer(t *testing.T) {
	s := ftptest.New(t, ftptest.Options{Files: map[string]string{"f": strings.Repeat("x", 20<<20)}})
	c := s.Client(t.Context(), t, "tcp", s.Options())
	ctx, cancel := context.WithCancel(t.Context())
	b, err := c.Retrieve(ctx, "f", ftp.RetrieveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.Copy(io.Discard, struct{ io.Reader }{b}); !errors.Is(err, context.Canceled) {
		t.Errorf("after a cancel: %v", err)
	}
	if !c.Broken() {
		t.Error("not broken")
	}
}

func TestReuseIsOfThisSession(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		s := ftptest.New(t, ftptest.Options{Files: map[string]string{"f": "x"}, Handler: func(h *ftp.Handler) { h.RequireReuse = true }})
		shared := tls.NewLRUClientSessionCache(4)
		dialData := func(ctx context.Context, address string) (net.Conn, error) { // as a thief would, by another session's ticket
			var d net.Dialer
			return d.DialContext(ctx, "tcp", address)
		}
		o := s.Options()
		o.DialData = dialData
		o.Dialer.TLS.MaxVersion, o.Dialer.TLS.ClientSessionCache = version, shared
		a := s.Client(t.Context(), t, "starttls", o)
		if got, err := fetch(t.Context(), a, "f", ftp.RetrieveOptions{}); err != nil || got != "x" {
			t.Errorf("%x: %q, %v", version, got, err)
		}
		b := s.Client(t.Context(), t, "starttls", o)
		ftp.SwapSessions(a, b)
		if got, err := fetch(t.Context(), b, "f", ftp.RetrieveOptions{}); !isReply(err, 522) {
			t.Errorf("%x: with another session's ticket: %q, %v", version, got, err)
		}
	}
}

func TestPool(t *testing.T) {
	content := make([]byte, 3<<20)
	for i := range content {
		content[i] = byte(i ^ i>>8 ^ i>>16)
	}
	s := ftptest.New(t, ftptest.Options{Files: map[string]string{"f": string(content)}})
	p := &ftp.Pool{Open: func(ctx context.Context) (*ftp.Client, error) {
		c, err := ftp.Dial(ctx, s.Endpoint("tcp"), s.Options())
		if err != nil {
			return nil, err
		}
		return c, c.Login(ctx, "anonymous", "guest", "")
	}}
	defer p.Close()
	root := t.TempDir()
	f, err := os.Create(root + "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n, err := p.Download(t.Context(), "f", f, 4)
	got, _ := os.ReadFile(f.Name())
	if err != nil || n != int64(len(content)) || !bytes.Equal(got, content) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// noREST is a control connection whose server knows no REST.
type noREST struct{ net.Conn }

func (c noREST) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if i := bytes.Index(p[:n], []byte("REST ")); i >= 0 {
		copy(p[i:], "NOPE ")
	}
	return n, err
}

// TestServersWithoutREST: what cannot be had in parts is had as a whole.
func TestServersWithoutREST(t *testing.T) {
	content := strings.Repeat("0123456789", 10_000)
	s := ftptest.New(t, ftptest.Options{Files: map[string]string{"f": content}, Server: func(s *server.Server) {
		s.Layers = append(s.Layers, func(nc net.Conn) net.Conn { return noREST{nc} })
	}})
	c := s.Client(t.Context(), t, "tcp", s.Options())
	if _, err := fetch(t.Context(), c, "f", ftp.RetrieveOptions{Offset: 5}); !isReply(err, 500) {
		t.Errorf("the client: %v", err)
	}
	p := &ftp.Pool{Open: func(ctx context.Context) (*ftp.Client, error) {
		c, err := ftp.Dial(ctx, s.Endpoint("tcp"), s.Options())
		if err != nil {
			return nil, err
		}
		return c, c.Login(ctx, "anonymous", "guest", "")
	}}
	defer p.Close()
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n, err := p.Download(t.Context(), "f", f, 4)
	if got, _ := os.ReadFile(f.Name()); err != nil || n != int64(len(content)) || string(got) != content {
		t.Errorf("the pool: %d bytes, %v", n, err)
	}
	tr := &ftp.Transport{Options: s.Options()}
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "ftp://"+s.Addr+"/f", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Range", "bytes=99990-")
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 200 || string(got) != content {
		t.Errorf("the transport: %s, %d bytes, %v", resp.Status, len(got), err)
	}
}

// TestHangsUpAtREST: a connection that is lost tells nothing of what the server
// can.
func TestHangsUpAtREST(t *testing.T) {
	s := ftptest.New(t, ftptest.Options{Files: map[string]string{"f": "0123456789"}, Server: func(s *server.Server) {
		s.Layers = append(s.Layers, func(nc net.Conn) net.Conn { return lostAtREST{nc} })
	}})
	c := s.Client(t.Context(), t, "tcp", s.Options())
	if _, err := fetch(t.Context(), c, "f", ftp.RetrieveOptions{Offset: 5}); err == nil || strings.Contains(err.Error(), "no parts") {
		t.Error(err)
	}
}

// lostAtREST is a control connection that is lost when REST comes.
type lostAtREST struct{ net.Conn }

func (c lostAtREST) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if bytes.Contains(p[:n], []byte("REST ")) {
		return 0, errors.Join(io.EOF, c.Close())
	}
	return n, err
}

// TestTheRestIsWhole: the end of a range that goes to the end of the file is
// the server's word that all is well.
func TestTheRestIsWhole(t *testing.T) {
	s := ftptest.New(t, ftptest.Options{Files: map[string]string{"f": "0123456789"}, Server: func(s *server.Server) {
		s.Layers = append(s.Layers, func(nc net.Conn) net.Conn { return noWord{nc} })
	}})
	tr := &ftp.Transport{Options: s.Options()}
	defer tr.CloseIdleConnections()
	for spec, good := range map[string]bool{"bytes=5-": false, "bytes=5-7": true} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "ftp://"+s.Addr+"/f", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Range", spec)
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		if (err == nil) != good || resp.StatusCode != 206 {
			t.Errorf("%s: %q, %v", spec, got, err)
		}
		resp.Body.Close()
	}
}

// noWord is a control connection whose server finds fault with what it has
// sent.
type noWord struct{ net.Conn }

func (c noWord) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(bytes.Replace(p, []byte("226 "), []byte("451 "), 1))
	return min(n, len(p)), err
}

func TestQuota(t *testing.T) {
	s := ftptest.New(t, ftptest.Options{Tree: filetree.Memory(filetree.Options{MaxFile: 1000})})
	c := s.Client(t.Context(), t, "tcp", s.Options())
	if _, err := c.Store(t.Context(), "f", strings.NewReader(strings.Repeat("x", 5<<20)), ftp.StoreOptions{}); !isReply(err, 552) {
		t.Error(err)
	}
	if err := c.Noop(t.Context()); err != nil {
		t.Error(err)
	}
}
