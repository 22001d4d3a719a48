package server_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// kind is one way to run a server: what a test of the matrix is run over.
type kind struct {
	engine  string
	mode    server.Mode
	tls     bool
	network string
}

func (k kind) String() string {
	name := k.engine + "/" + k.mode.String() + "/" + k.network
	if k.tls {
		name += "/tls"
	}
	return name
}

// inClear is true of TCP without TLS.
func (k kind) inClear() bool { return k.network == "tcp" && !k.tls }

// onLoops is true of engines whose Turns run on loops, where their mode lets
// them.
func (k kind) onLoops() bool { return k.engine != "goroutines" }

// newEngine makes the engine, with so many loops (0: as many as it likes).
func (k kind) newEngine(loops int) server.Engine {
	switch k.engine {
	case "goroutines":
		return server.Goroutines()
	case "tiny", "tiny-whole":
		return server.TinyRings(loops, k.engine == "tiny-whole")
	}
	return server.EventsWith(server.EventOptions{Loops: loops, Uring: uringOf(k.engine)})
}

// uringOf is what an engine of that name uses io_uring for.
func uringOf(engine string) server.UringUse {
	if engine == "uring" || strings.HasPrefix(engine, "tiny") {
		return server.UringAlways
	}
	return server.UringNever
}

// needEngine skips a test of an engine that cannot be had here.
func needEngine(t *testing.T, engine string) {
	t.Helper()
	if err := (server.EventOptions{Uring: uringOf(engine)}).Check(); err != nil {
		t.Skip("no such engine here: ", err)
	}
}

// kinds is every engine with every mode, in clear and with TLS, over TCP and
// Unix sockets.
func kinds() []kind {
	var out []kind
	for _, engine := range []string{"goroutines", "events", "uring"} {
		for _, mode := range []server.Mode{server.Blocks, server.Waits, server.Inline} {
			for _, withTLS := range []bool{false, true} {
				for _, network := range []string{"tcp", "unix"} {
					out = append(out, kind{engine, mode, withTLS, network})
				}
			}
		}
	}
	return out
}

// tinyKinds are rings that overflow all the time.
func tinyKinds() []kind {
	var out []kind
	for _, k := range kinds() {
		if k.engine == "uring" {
			for _, k.engine = range []string{"tiny", "tiny-whole"} {
				out = append(out, k)
			}
		}
	}
	return out
}

// overAll runs a test over every kind.
func overAll(t *testing.T, f func(t *testing.T, k kind)) {
	overSome(t, func(kind) bool { return true }, f)
}

// overSome runs a test over the kinds to which it applies.
func overSome(t *testing.T, applies func(k kind) bool, f func(t *testing.T, k kind)) {
	for _, k := range kinds() {
		if !applies(k) {
			continue
		}
		t.Run(k.String(), func(t *testing.T) {
			needEngine(t, k.engine)
			f(t, k)
		})
	}
}

// overLoops runs a test over the engines that have loops, over TCP in clear.
func overLoops(t *testing.T, mode server.Mode, f func(t *testing.T, k kind)) {
	overSome(t, func(k kind) bool { return k.onLoops() && k.inClear() && k.mode == mode }, f)
}

// running is a server under test.
type running struct {
	t    *testing.T
	kind kind
	srv  *server.Server
	addr net.Addr
	stop func() // begins the end
	done chan error
}

// start serves srv in the way of k and stops it with the test.
func start(t *testing.T, k kind, srv *server.Server) *running {
	t.Helper()
	srv.Engine = k.newEngine(0)
	if k.tls {
		srv.TLS = testcert.Server(t)
	}
	address := "127.0.0.1:0"
	if k.network == "unix" {
		address = "unix:" + filepath.Join(servertest.Dir(t), "s")
	}
	l, err := server.Listen(t.Context(), address, server.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{t, k, srv, l.Addr(), cancel, make(chan error, 1)}
	go func() { r.done <- srv.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		r.wait()
	})
	return r
}

// wait returns what Serve did.
func (r *running) wait() error {
	select {
	case err := <-r.done:
		r.done <- err
		return err
	case <-time.After(20 * time.Second):
		r.t.Fatal("Serve does not return")
		return nil
	}
}

// dial connects, with a deadline for the whole test.
func (r *running) dial() net.Conn {
	r.t.Helper()
	c, err := net.Dial(r.addr.Network(), r.addr.String())
	if err != nil {
		r.t.Fatal(err)
	}
	if r.kind.tls {
		c = tls.Client(c, testcert.Client(r.t))
	}
	_ = c.SetDeadline(time.Now().Add(15 * time.Second))
	r.t.Cleanup(func() { c.Close() })
	return c
}

// client speaks lines.
type client struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func (r *running) client() *client {
	c := r.dial()
	return &client{r.t, c, bufio.NewReader(c)}
}

func (c *client) say(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) expect(want string) {
	c.t.Helper()
	got, err := c.r.ReadString('\n')
	if err != nil {
		c.t.Fatalf("waiting for %q: got %q, %v", want, got, err)
	}
	if strings.TrimRight(got, "\r\n") != want {
		c.t.Fatalf("got %q, want %q", got, want)
	}
}

func (c *client) end() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.r); err != nil || len(rest) > 0 {
		c.t.Fatalf("wanted the end of the stream, got %q, %v", rest, err)
	}
}

// liner is a line protocol that shows what an engine must do.
type liner struct {
	mode    server.Mode
	block   chan struct{} // HOLD waits for it, after it
	holding chan struct{} // ... has closed this
	talks   chan *server.Talk
	ended   chan error
}

func (h *liner) Mode() server.Mode { return h.mode }

func (h *liner) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	if err := t.W.LineString("+ hello"); err != nil {
		return nil, err
	}
	if h.talks != nil {
		h.talks <- t
	}
	return &lineSession{h: h, t: t}, nil
}

type lineSession struct {
	h      *liner
	t      *server.Talk
	pushes int
}

func (s *lineSession) Turn(ctx context.Context) error {
	line, err := s.t.R.Line()
	if err != nil {
		return err
	}
	verb, arg, _ := strings.Cut(string(line), " ")
	switch verb {
	case "SAY":
		return s.t.W.LineString("+ " + arg)
	case "QUIT":
		if err := s.t.W.LineString("+ bye"); err != nil {
			return err
		}
		return io.EOF
	case "PANIC":
		panic("asked for")
	case "BODY":
		body, err := io.ReadAll(s.t.R.Block())
		if err != nil {
			return err
		}
		return s.t.W.LineString(fmt.Sprintf("+ %d", len(body)))
	case "MANY":
		for range 3000 {
			if err := s.t.W.LineString(strings.Repeat("x", 80)); err != nil {
				return err
			}
		}
		return s.t.W.LineString("+ done")
	case "HOLD":
		close(s.h.holding)
		select {
		case <-s.h.block:
			return s.t.W.LineString("+ held")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return s.t.W.LineString("- what?")
}

func (s *lineSession) Push(context.Context) error {
	s.pushes++
	return s.t.W.LineString(fmt.Sprintf("* push %d", s.pushes))
}

func (s *lineSession) Farewell(context.Context) { _ = s.t.W.LineString("* goodbye") }

func (s *lineSession) Close(why error) error {
	if s.h.ended != nil {
		s.h.ended <- why
	}
	return nil
}

var (
	_ server.Pusher   = (*lineSession)(nil)
	_ server.Farewell = (*lineSession)(nil)
)

// from connects from another loopback address.
func (r *running) from(ip string) *client {
	r.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	c, err := d.Dial("tcp", r.addr.String())
	if err != nil {
		r.t.Skipf("no connection from %s here: %v", ip, err)
	}
	if r.kind.tls {
		c = tls.Client(c, testcert.Client(r.t))
	}
	_ = c.SetDeadline(time.Now().Add(15 * time.Second))
	r.t.Cleanup(func() { c.Close() })
	return &client{r.t, c, bufio.NewReader(c)}
}

// eventually waits for a condition that another goroutine brings about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	end := time.After(15 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%s: never", what)
		}
	}
}
