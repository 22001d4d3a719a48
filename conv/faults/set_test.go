package faults_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/server"
)

func rules(t *testing.T, texts ...string) []faults.Rule {
	t.Helper()
	var out []faults.Rule
	for _, text := range texts {
		r, err := faults.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// log keeps what fired.
type log struct {
	mu    sync.Mutex
	lines []string
}

func (l *log) fired(f faults.Fired) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, f.String())
}

func (l *log) want(t *testing.T, want ...string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if strings.Join(l.lines, "|") != strings.Join(want, "|") {
		t.Errorf("fired %q, want %q", l.lines, want)
	}
}

// session is a server's end under the rules of a set, with its ear.
func session(t *testing.T, s *faults.Set, service string) (*conv.Conn, *transcript.End) {
	t.Helper()
	a, b := transcript.Pipe()
	nc := net.Conn(a)
	if layer := s.Layer(service); layer != nil {
		nc = layer(nc)
	}
	c := conv.New(nc, conv.Options{Tap: faults.Tap(nc, nil)})
	t.Cleanup(func() {
		c.Abort()
		b.Close()
	})
	return c, b
}

// turn reads a line and answers it.
func turn(c *conv.Conn, answer string) error {
	if _, err := c.R.Line(); err != nil {
		return err
	}
	if err := c.W.LineString(answer); err != nil {
		return err
	}
	return c.W.Flush()
}

func TestVerb(t *testing.T) {
	l := &log{}
	s := faults.NewSet(rules(t, "pop3 retr after=4 do=close dir=out"), l.fired)
	c, peer := session(t, s, "pop3")
	io.WriteString(peer, "STAT\r\nRETRIEVE\r\nretr 1\r\n")
	for _, answer := range []string{"+OK 1 2", "-ERR"} {
		if err := turn(c, answer); err != nil {
			t.Fatal(err)
		}
	}
	if err := turn(c, "+OK a message"); !errors.Is(err, net.ErrClosed) {
		t.Fatal(err)
	}
	got, err := io.ReadAll(peer)
	if err != nil || string(got) != "+OK 1 2\r\n-ERR\r\n+OK " {
		t.Errorf("got %q, %v", got, err)
	}
	l.want(t, "FAULT 1 pop3 RETR after=4 dir=out do=close")
}

func TestVerbInSecret(t *testing.T) {
	s := faults.NewSet(rules(t, "pop3 PASS do=reset"), nil)
	c, peer := session(t, s, "pop3")
	io.WriteString(peer, "PASS sesame\r\n")
	if _, err := c.R.Line(); err != nil {
		t.Fatal(err)
	}
	c.Redact(len("PASS "))
	c.W.LineString("+OK")
	if err := c.W.Flush(); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatal(err)
	}
}

func TestVerbOfIMAP(t *testing.T) {
	for line, armed := range map[string]bool{
		"a1 FETCH 1 FLAGS": true, "a1 fetch 1": true, "a1 UID FETCH 1": true, "FETCH 1": false, "a1 FETCHED": false, "a1 NOOP FETCH": false,
	} {
		s := faults.NewSet(rules(t, "imap FETCH do=close"), nil)
		c, peer := session(t, s, "imap")
		io.WriteString(peer, line+"\r\n")
		if err := turn(c, "* OK"); errors.Is(err, net.ErrClosed) != armed {
			t.Errorf("%q: %v", line, err)
		}
	}
}

// TestDataBytesCount is `smtp DATA after=10KiB do=stall` in small: input counts
// where input flows, and a body's own lines do not arm again.
func TestDataBytesCount(t *testing.T) {
	s := faults.NewSet(rules(t, "smtp DATA after=100 do=cut"), nil)
	c, peer := session(t, s, "smtp")
	io.WriteString(peer, "DATA\r\n")
	if err := turn(c, "354 go"); err != nil {
		t.Fatal(err)
	}
	io.WriteString(peer, strings.Repeat("DATA is in the body\r\n", 10))
	body, err := io.ReadAll(c.R.Block())
	if len(body) != 100 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d bytes of the body, %v", len(body), err)
	}
}

func TestTimesOverConnections(t *testing.T) {
	l := &log{}
	s := faults.NewSet(rules(t, "echo do=close times=2"), l.fired)
	for i := range 4 {
		c, peer := session(t, s, "echo")
		io.WriteString(peer, "x\r\n")
		if err := turn(c, "x"); (err != nil) != (i < 2) {
			t.Errorf("connection %d: %v", i, err)
		}
	}
	l.want(t, "FAULT 1/2 echo do=close times=2", "FAULT 2/2 echo do=close times=2")
}

func TestNthOverConnections(t *testing.T) {
	connections := faults.NewSet(rules(t, "echo do=close n=3"), nil)
	verbs := faults.NewSet(rules(t, "echo SAY do=close n=4"), nil)
	for i := range 5 {
		c, peer := session(t, connections, "echo")
		io.WriteString(peer, "x\r\n")
		if err := turn(c, "x"); (err != nil) != (i == 2) {
			t.Errorf("connection %d: %v", i, err)
		}
		c, peer = session(t, verbs, "echo")
		io.WriteString(peer, "SAY 1\r\nOTHER\r\nSAY 2\r\n")
		err := errors.Join(turn(c, ""), turn(c, ""), turn(c, ""))
		if (err != nil) != (i == 1) {
			t.Errorf("verbs of connection %d: %v", i, err)
		}
	}
}

func TestChanceBySeed(t *testing.T) {
	run := func(seed string) (out string) {
		s := faults.NewSet(rules(t, "echo do=close p=0.3 seed="+seed), nil)
		for range 200 {
			c, peer := session(t, s, "echo")
			io.WriteString(peer, "x\r\n")
			if turn(c, "x") != nil {
				out += "x"
			} else {
				out += "."
			}
		}
		return out
	}
	first := run("7")
	if n := strings.Count(first, "x"); n < 30 || n > 90 {
		t.Errorf("%d of 200 at p=0.3", n)
	}
	if run("7") != first || run("8") == first {
		t.Error("the seed does not decide")
	}
}

func TestReply(t *testing.T) {
	l := &log{}
	s := faults.NewSet(rules(t, `imap FETCH n=3 reply="NO [INUSE] later"`, `pop3 STAT reply="-ERR no" times=1`), l.fired)
	for i := range 5 {
		text, ok := s.Reply("imap", "a FETCH 1 FLAGS")
		if ok != (i == 2) || ok && text != "NO [INUSE] later" {
			t.Errorf("%d: %q, %v", i, text, ok)
		}
		if _, ok := s.Reply("imap", "a NOOP"); ok {
			t.Error("another verb")
		}
		if _, ok := s.Reply("pop3", "stat"); ok != (i == 0) {
			t.Errorf("%d: STAT: %v", i, ok)
		}
	}
	if len(l.lines) != 2 {
		t.Error(l.lines)
	}
	if s.Layer("imap") != nil {
		t.Error("a reply is no layer")
	}
}

func TestNoRules(t *testing.T) {
	var s *faults.Set
	if _, ok := s.Reply("x", "y"); ok || s.Layer("x") != nil {
		t.Error("a nil Set has rules")
	}
	a, b := transcript.Pipe()
	defer a.Close()
	defer b.Close()
	if faults.Tap(a, nil) != nil || faults.Tap(nil, nil) != nil {
		t.Error("an ear for nothing")
	}
	if faults.Tap(faults.Layer(faults.Rule{Do: faults.Cut})(a), nil) != nil {
		t.Error("an ear for rules without a verb")
	}
}

// TestBeside is `ftp RETR after=... do=reset`, whose bytes flow on the data
// connection.
func TestBeside(t *testing.T) {
	l := &log{}
	s := faults.NewSet(rules(t, "ftp RETR after=6 do=close times=1", "ftp do=slice size=3"), l.fired)
	for i := range 2 {
		c, peer := session(t, s, "ftp")
		io.WriteString(peer, "RETR f\r\n")
		if _, err := c.R.Line(); err != nil {
			t.Fatal(err)
		}
		c.TellTurn()
		a, b := transcript.Pipe()
		data := faults.Beside(c.Port().(*conv.NetPort).Conn, a)
		io.WriteString(data, text)
		data.Close()
		got, err := io.ReadAll(b)
		want := text
		if i == 0 {
			want = text[:6]
		}
		if err != nil || string(got) != want {
			t.Errorf("%d: %q, %v", i, got, err)
		}
		if err := c.W.LineString("426 closed"); err != nil {
			t.Fatal(err)
		}
		if err := c.W.Flush(); err != nil {
			t.Fatalf("the control connection: %v", err)
		}
		b.Close()
	}
	if len(l.lines) < 2 || !strings.Contains(strings.Join(l.lines, "|"), "FAULT 1/1 ftp RETR") {
		t.Error(l.lines)
	}
	a, b := transcript.Pipe()
	defer a.Close()
	defer b.Close()
	if faults.Beside(a, b) != net.Conn(b) {
		t.Error("no rules, and yet another connection")
	}
}

// TestBesideAtOnce is `ftp RETR do=slice`, which fires with the verb and is
// meant for the data.
func TestBesideAtOnce(t *testing.T) {
	s := faults.NewSet(rules(t, "ftp RETR do=slice size=3 times=1"), nil)
	for i := range 2 {
		c, peer := session(t, s, "ftp")
		io.WriteString(peer, "RETR f\r\n")
		if _, err := c.R.Line(); err != nil {
			t.Fatal(err)
		}
		c.TellTurn()
		a, b := net.Pipe()
		data := faults.Beside(c.Port().(*conv.NetPort).Conn, a)
		go func() {
			io.WriteString(data, text)
			data.Close()
		}()
		pieces, buf := 0, make([]byte, len(text))
		for {
			n, err := b.Read(buf)
			if err != nil {
				break
			}
			if pieces++; i == 0 && n > 3 {
				t.Errorf("a piece of %d bytes", n)
			}
		}
		if want := []int{(len(text) + 2) / 3, 1}[i]; pieces != want {
			t.Errorf("transfer %d came in %d pieces, want %d", i, pieces, want)
		}
		b.Close()
	}
}

// TestInAServer has the server of package server misbehave.
func TestInAServer(t *testing.T) {
	l := &log{}
	set := faults.NewSet(rules(t, "liner SAY after=3 dir=out do=reset n=2"), nil)
	srv := &server.Server{
		Handler: handler{},
		Layers:  []conv.Layer{set.Layer("liner")},
		Tap:     func(t *server.Talk) conv.Tap { return faults.Tap(t.Below(), l.fired) },
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, ln) }()
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(nc, "SAY a\r\nSAY b\r\n")
	got, err := io.ReadAll(nc)
	if string(got) != "said a\r\nsai" && string(got) != "sai" || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %q, %v", got, err)
	}
	nc.Close()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	l.want(t, "FAULT 1 liner SAY after=3 dir=out do=reset n=2")
}

// handler answers SAY.
type handler struct{}

func (handler) Mode() server.Mode { return server.Blocks }

func (handler) Open(_ context.Context, t *server.Talk) (server.Session, error) { return &talk{t}, nil }

type talk struct{ t *server.Talk }

func (s *talk) Turn(context.Context) error {
	line, err := s.t.R.Line()
	if err != nil {
		return err
	}
	return s.t.W.LineString("said " + strings.TrimPrefix(string(line), "SAY "))
}

func (s *talk) Close(error) error { return nil }
