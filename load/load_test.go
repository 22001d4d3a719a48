package load_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/load"
	"github.com/farend-go/farend/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs srv at address until the test ends, and gives where it is.
func serve(t *testing.T, srv *server.Server, address string) net.Addr {
	t.Helper()
	l, err := server.Listen(t.Context(), address, server.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	srv.Limits.Drain = 10 * time.Millisecond
	servertest.Run(t, func(ctx context.Context) error { return srv.Serve(ctx, l) })
	return l.Addr()
}

// serveFunc is serve for a function, on a TCP port.
func serveFunc(t *testing.T, f func(ctx context.Context, c net.Conn) error) string {
	t.Helper()
	return "tcp:" + serve(t, &server.Server{Handler: server.Stream(f)}, "127.0.0.1:0").String()
}

func echo(_ context.Context, c net.Conn) error {
	_, err := io.Copy(c, c)
	return err
}

// run carries out a plan that must be possible.
func run(t *testing.T, p load.Plan) *load.Result {
	t.Helper()
	r, err := load.Run(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// check tells what is wrong with a run that had to go well.
func check(t *testing.T, r *load.Result, replies uint64) {
	t.Helper()
	if n := r.TotalErrors(); n != 0 {
		t.Errorf("%d errors: %v %v", n, r.Errors, r.Examples)
	}
	if r.Replies != replies || r.Sent != replies || r.Latency.Count != replies {
		t.Errorf("sent %d, replies %d, latencies %d; want %d", r.Sent, r.Replies, r.Latency.Count, replies)
	}
}

func TestEveryKindOfLoad(t *testing.T) {
	tcp := serveFunc(t, echo)
	unix := "unix:" + serve(t, &server.Server{Handler: server.Stream(echo)}, "unix:"+filepath.Join(t.TempDir(), "s")).String()
	tls := "tls:" + serve(t, &server.Server{Handler: server.Stream(echo), TLS: testcert.Server(t)}, "127.0.0.1:0").String()
	dialer := &dial.Dialer{TLS: testcert.Client(t)}
	hello := load.Message{Send: []byte("hello\n"), Expect: load.Line()}
	large := load.Message{Send: load.Pattern(3 << 20)}
	for name, p := range map[string]load.Plan{
		"closed":          {Target: tcp, Connections: 4, Message: hello},
		"pipelined":       {Target: tcp, Connections: 3, Depth: 7, Message: hello},
		"unix":            {Target: unix, Connections: 2, Message: hello},
		"tls":             {Target: tls, Connections: 2, Depth: 2, Message: hello},
		"open":            {Target: tcp, Connections: 5, Rate: 20000, Message: hello},
		"open, deep":      {Target: tcp, Connections: 2, Depth: 5, Rate: 20000, Message: hello},
		"reconnect":       {Target: tcp, Connections: 3, Reconnect: true, Message: hello},
		"reconnect, open": {Target: tls, Connections: 3, Reconnect: true, Rate: 2000, Message: hello},
		"large":           {Target: tcp, Connections: 2, Requests: 6, Message: large},
		"large, deep":     {Target: tcp, Connections: 1, Depth: 3, Requests: 9, Message: large},
		"large, open":     {Target: tcp, Connections: 2, Rate: 1000, Requests: 6, Message: large},
		"large, anew":     {Target: tcp, Connections: 2, Reconnect: true, Requests: 4, Message: large},
		"conversation":    {Target: tcp, Connections: 2, Conversation: lines{}},
		"talk, open":      {Target: tcp, Connections: 2, Conversation: lines{}, Rate: 20000},
	} {
		t.Run(name, func(t *testing.T) {
			if p.Requests == 0 {
				p.Requests = 300
			}
			p.Dialer = dialer
			r := run(t, p)
			check(t, r, p.Requests)
			if r.BytesOut == 0 || r.BytesIn != r.BytesOut {
				t.Errorf("%d bytes out, %d in", r.BytesOut, r.BytesIn)
			}
			if n := uint64(p.Connections); r.Connect.Count < n || p.Reconnect && r.Connect.Count != p.Requests {
				t.Errorf("%d connects", r.Connect.Count)
			}
		})
	}
}

// lines is a conversation in which each request is a line.
type lines struct{}

func (lines) Open(_ context.Context, c net.Conn) (load.Exchanger, error) {
	return &lineTalk{c, bufio.NewReader(c)}, nil
}

type lineTalk struct {
	c net.Conn
	r *bufio.Reader
}

func (l *lineTalk) Exchange(context.Context) error {
	if _, err := l.c.Write([]byte("ping\n")); err != nil {
		return err
	}
	s, err := l.r.ReadString('\n')
	if err == nil && s != "ping\n" {
		return load.ErrWrong
	}
	return err
}

// faults are what a server of the next test does with a request.
var faults = map[load.Failure]func(c net.Conn, b []byte){
	load.Reset:   func(c net.Conn, _ []byte) { c.(interface{ NetConn() net.Conn }).NetConn().(*net.TCPConn).SetLinger(0) },
	load.EOF:     func(net.Conn, []byte) {},
	load.Wrong:   func(c net.Conn, _ []byte) { c.Write([]byte("hellO")) },
	load.Timeout: func(c net.Conn, b []byte) { c.Read(b) },
}

func TestFailuresByKind(t *testing.T) {
	for want, fault := range faults {
		target := serveFunc(t, func(_ context.Context, c net.Conn) error {
			b := make([]byte, 5)
			for range 2 {
				if _, err := io.ReadFull(c, b); err != nil {
					return nil
				}
				if b[0] == 'x' {
					fault(c, b)
					return c.(interface{ NetConn() net.Conn }).NetConn().Close()
				}
				c.Write(b)
			}
			return nil
		})
		for name, p := range map[string]load.Plan{
			"closed":       {},
			"open":         {Rate: 10000},
			"reconnect":    {Reconnect: true},
			"conversation": {Conversation: fiveBytes{}},
		} {
			t.Run(string(want)+", "+name, func(t *testing.T) {
				t.Parallel()
				p.Target, p.Requests, p.Timeout = target, 3, 20*time.Second
				if want == load.Timeout {
					p.Timeout = 300 * time.Millisecond
				}
				p.Message = load.Message{Send: []byte("xello")}
				r, err := load.Run(t.Context(), p)
				for want == load.Timeout && err != nil && t.Context().Err() == nil { // on a busy machine connecting may take as long
					r, err = load.Run(t.Context(), p)
				}
				if err != nil {
					t.Fatal(err)
				}
				if r.Replies != 0 || r.TotalErrors() < 3 || r.Errors[want] < 3 {
					t.Errorf("replies %d, errors %v %v; want 3 %s", r.Replies, r.Errors, r.Examples, want)
				}
			})
		}
	}
}

// fiveBytes is a conversation of five bytes and the same back.
type fiveBytes struct{}

func (fiveBytes) Open(_ context.Context, c net.Conn) (load.Exchanger, error) { return fiveTalk{c}, nil }

type fiveTalk struct{ c net.Conn }

func (f fiveTalk) Exchange(context.Context) error {
	b := []byte("xello")
	if _, err := f.c.Write(b); err != nil {
		return err
	}
	if _, err := io.ReadFull(f.c, b); err != nil {
		return err
	}
	if string(b) != "xello" {
		return load.ErrWrong
	}
	return nil
}

func TestNobodyThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	target := "tcp:" + l.Addr().String()
	l.Close()
	hello := load.Message{Send: []byte("hello")}
	if _, err := load.Run(t.Context(), load.Plan{Target: target, Message: hello, Connections: 3}); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v", err)
	}
	r := run(t, load.Plan{Target: target, Message: hello, Requests: 2, Reconnect: true})
	if r.Errors[load.Refused] != 2 || r.Replies != 0 {
		t.Errorf("%+v", r.Errors)
	}
}

func TestAnswersNobodyAskedFor(t *testing.T) {
	target := serveFunc(t, func(ctx context.Context, c net.Conn) error {
		b := make([]byte, 6)
		if _, err := io.ReadFull(c, b); err != nil {
			return nil
		}
		c.Write([]byte("hello\nhello\n"))
		return echo(ctx, c)
	})
	for _, p := range []load.Plan{{}, {Reconnect: true}} {
		p.Target, p.Requests, p.Message = target, 1, load.Message{Send: []byte("hello\n"), Expect: load.Line()}
		if r := run(t, p); r.Errors[load.Wrong] != 1 {
			t.Errorf("reconnect %v: %v", p.Reconnect, r.Errors)
		}
	}
}

// TestAServerThatStands is what a fixed rate is for: the requests that are
// planned while the server does nothing are late, and charged to it.
func TestAServerThatStands(t *testing.T) {
	stand := make(chan struct{})
	var n atomic.Int64
	target := serveFunc(t, func(_ context.Context, c net.Conn) error {
		b := make([]byte, 1)
		for {
			if _, err := io.ReadFull(c, b); err != nil {
				return nil
			}
			if n.Add(1) == 10 {
				<-stand
			}
			c.Write(b)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := load.Plan{
		Target: target, Rate: 1000, Requests: 60, Message: load.Message{Send: []byte("x")}, Timeout: time.Minute,
		Ready: func(load.Setup) { time.AfterFunc(100*time.Millisecond, func() { close(stand) }) },
	}
	r, err := load.Run(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	check(t, r, 60)
	if r.Late == 0 || r.Starved == 0 || r.MaxLate < time.Millisecond || r.Latency.P50 < time.Millisecond {
		t.Errorf("late %d, of these %d starved, %v at most, p50 %v", r.Late, r.Starved, r.MaxLate, r.Latency.P50)
	}
}

func TestInterrupted(t *testing.T) {
	for name, p := range map[string]load.Plan{
		"closed":       {Message: load.Message{Send: []byte("x")}},
		"open":         {Message: load.Message{Send: []byte("x")}, Rate: 100},
		"open, idle":   {Message: load.Message{Send: []byte("x")}, Rate: 0.001},
		"conversation": {Conversation: fiveBytes{}},
		"large":        {Message: load.Message{Send: load.Pattern(8 << 20)}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			stalled := serveFunc(t, func(ctx context.Context, c net.Conn) error { // takes one byte, and no more
				c.Read(make([]byte, 1))
				cancel()
				<-ctx.Done()
				return nil
			})
			p.Target, p.Connections, p.Duration, p.Timeout = stalled, 2, time.Hour, time.Hour
			p.Ready = func(load.Setup) {
				if p.Rate == 0.001 {
					cancel()
				}
			}
			r, err := load.Run(ctx, p)
			if err != nil {
				t.Fatal(err)
			}
			if !r.Interrupted || r.TotalErrors() != 0 {
				t.Errorf("interrupted %v, errors %v", r.Interrupted, r.Errors)
			}
		})
	}
}

func TestSourcesAreSpread(t *testing.T) {
	var seen [4]atomic.Int64
	target := serveFunc(t, func(ctx context.Context, c net.Conn) error {
		from := netip.MustParseAddrPort(c.RemoteAddr().String()).Addr().As4()
		seen[from[3]%4].Add(1)
		return echo(ctx, c)
	})
	var setup load.Setup
	p := load.Plan{
		Target: target, Connections: 12, PortsPerSource: 5, Requests: 100, Message: load.Message{Send: []byte("x")},
		Ready: func(s load.Setup) { setup = s },
	}
	r, err := load.Run(t.Context(), p)
	if err != nil {
		t.Skip("no further addresses in 127.0.0.0/8 here:", err)
	}
	check(t, r, 100)
	if setup.Connections != 12 {
		t.Errorf("setup %+v", setup)
	}
	if setup.Short {
		t.Skip("this system has one loopback address")
	}
	want := []string{"127.0.0.2", "127.0.0.3", "127.0.0.4"}
	for i, a := range setup.Sources {
		if i >= len(want) || a.String() != want[i] {
			t.Errorf("sources %v", setup.Sources)
		}
	}
	if seen[2].Load() != 4 || seen[3].Load() != 4 || seen[0].Load() != 4 {
		t.Error("the server did not see four connections from each of", want)
	}
}

func TestPlansThatCannotBe(t *testing.T) {
	x := load.Message{Send: []byte("x")}
	for name, p := range map[string]load.Plan{
		"nothing to send":   {Target: "tcp:localhost:1"},
		"no such scheme":    {Target: "smtp:localhost:1", Message: x},
		"unixgram":          {Target: "unixgram:/x", Message: x},
		"negative":          {Target: "tcp:localhost:1", Message: x, Rate: -1},
		"short and counted": {Target: "udp:localhost:1", Message: load.Message{Send: []byte("x"), Numbered: true}},
		"depth, reconnect":  {Target: "tcp:localhost:1", Message: x, Depth: 2, Reconnect: true},
		"depth, talk":       {Target: "tcp:localhost:1", Conversation: lines{}, Depth: 2},
		"udp, reconnect":    {Target: "udp:localhost:1", Message: x, Reconnect: true},
		"nothing expected":  {Target: "tcp:localhost:1", Message: load.Message{Send: []byte("x"), Expect: load.Bytes(0)}},
		"depth of a well":   {Target: "tcp:localhost:1", Message: x, Depth: 1 << 17},
		"too fast":          {Target: "tcp:localhost:1", Message: x, Rate: 2e9},
		"long datagram":     {Target: "udp:localhost:1", Message: load.Message{Send: load.Pattern(65508)}},
	} {
		if _, err := load.Run(t.Context(), p); err == nil {
			t.Errorf("%s: it ran", name)
		}
	}
}
