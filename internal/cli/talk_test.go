package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/farend-go/farend/dial"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/socket"
)

// call is one command line in process.
type call struct {
	code     int
	out, err string
}

func farend(t *testing.T, in string, args ...string) call {
	t.Helper()
	var out, errs bytes.Buffer
	code := Main(t.Context(), args, strings.NewReader(in), &out, &errs, nil)
	return call{code, out.String(), errs.String()}
}

// serveCapitals serves upper's answer, chunk by chunk, until the peer's end.
func serveCapitals(t *testing.T, config *tls.Config, listeners ...net.Listener) {
	t.Helper()
	srv := &server.Server{TLS: config, Handler: server.Stream(func(_ context.Context, c net.Conn) error {
		b := make([]byte, 4096)
		for {
			n, err := c.Read(b)
			if _, err := c.Write(bytes.ToUpper(b[:n])); err != nil {
				return err
			}
			if err != nil {
				return err
			}
		}
	})}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for _, l := range listeners {
		all.Go(func() { _ = srv.Serve(ctx, l) })
	}
	t.Cleanup(func() { cancel(); all.Wait() })
}

func listenOn(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := socket.Listen(t.Context(), network, address, socket.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestTalkPipesThroughStreams(t *testing.T) {
	l := listenOn(t, "tcp4", "127.0.0.1:0")
	path := filepath.Join(t.TempDir(), "s")
	serveCapitals(t, nil, l, listenOn(t, "unix", path))
	address := l.Addr().String()
	host, port, _ := net.SplitHostPort(address)
	big := strings.Repeat("all of it, and nothing more\n", 50_000)
	for _, args := range [][]string{
		{"talk", "tcp:" + address}, {"talk", "tcp://" + address}, {"talk", address}, {"talk", "--", host, port},
		{"talk", "-4", "localhost:" + port}, {"talk", ":" + port}, {"talk", "unix:" + path}, {"talk", "-w", "20", address},
	} {
		for _, in := range []string{"", "no line", "a\nb\r\n\x00", big} {
			if got := farend(t, in, args...); got.code != 0 || got.out != strings.ToUpper(in) || got.err != "" {
				t.Errorf("%q: %d, %d bytes for %d, stderr %q", args, got.code, len(got.out), len(in), got.err)
			}
		}
	}
	if got := farend(t, "a\nb\r\nc", "talk", address, "-C"); got.out != "A\r\nB\r\nC" {
		t.Errorf("-C: %q", got.out)
	}
	got := farend(t, "hi", "talk", "-x", "-v", address)
	want := "connected " + address
	for _, line := range []string{want, "> 00000000  68 69  ", "< 00000000  48 49  ", "the peer closed"} {
		if got.out != "HI" || !strings.Contains(got.err, line) {
			t.Errorf("-x -v: %q on stdout, no %q in\n%s", got.out, line, got.err)
		}
	}
}

func TestTalkOverTLS(t *testing.T) {
	pair, err := testcert.New()
	if err != nil {
		t.Fatal(err)
	}
	l := listenOn(t, "tcp4", "127.0.0.1:0")
	serveCapitals(t, &tls.Config{Certificates: []tls.Certificate{pair.Certificate}}, l)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	to := "tls:localhost:" + port
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pair.PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	good := farend(t, "hi\n", "talk", "-4", "-v", "--cacert", ca, to)
	if good.code != 0 || good.out != "HI\n" || !strings.Contains(good.err, "AES_128_GCM  localhost, expires in 59 minutes, chain ok") {
		t.Errorf("trusted: %+v", good)
	}
	any := farend(t, "hi\n", "talk", "-4", "-k", "-v", to)
	if any.code != 0 || any.out != "HI\n" || !strings.Contains(any.err, "NOT VERIFIED") {
		t.Errorf("-k: %+v", any)
	}
	bad := farend(t, "hi\n", "talk", "-4", to)
	if bad.code != 1 || bad.out != "" || strings.Count(bad.err, "\n") != 1 || !strings.Contains(bad.err, "--cacert FILE") {
		t.Errorf("not trusted: %+v", bad)
	}
}

func TestTalkInDatagrams(t *testing.T) {
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "s")
	gram, err := socket.ListenPacket(t.Context(), "unixgram", path, socket.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	srv := &server.Server{Packets: server.Datagram(func(_ context.Context, p *server.Packet) error {
		return p.Reply(bytes.ToUpper(p.Data))
	})}
	ctx, cancel := context.WithCancel(t.Context())
	var both sync.WaitGroup
	both.Go(func() { _ = srv.ServePacket(ctx, pc) })
	both.Go(func() { _ = srv.ServePacket(ctx, gram) })
	defer both.Wait()
	defer cancel()
	address := pc.LocalAddr().String()
	ways := [][]string{{"udp:" + address}, {"-u", address}}
	if hasAutobind {
		ways = append(ways, []string{"unixgram:" + path}, []string{"-u", "unix:" + path})
	}
	for _, args := range ways {
		got := until(t, "ONE DATAGRAM", "one datagram", args...)
		if got.code != exitInterrupted || got.out != "ONE DATAGRAM" || got.err != "" {
			t.Errorf("%q: %+v", args, got)
		}
	}
}

// until is farend talk, interrupted when it has written what is wanted: the end
// of datagrams is silence, and how long that is depends on the machine.
func until(t *testing.T, want, in string, args ...string) call {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &interrupting{want: want, interrupt: cancel}
	var errs bytes.Buffer
	code := Main(ctx, append([]string{"talk", "-w", "20s"}, args...), strings.NewReader(in), out, &errs, nil)
	return call{code, out.String(), errs.String()}
}

// interrupting interrupts when all that is wanted is there.
type interrupting struct {
	bytes.Buffer
	want      string
	interrupt func()
}

func (w *interrupting) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if strings.Contains(w.String(), w.want) {
		w.interrupt()
	}
	return n, err
}

// listening runs farend talk -l in the background and gives its address, and
// what it came to. An input that can be closed is when the peer has said a line.
func listening(t *testing.T, in io.Reader, args ...string) (address string, done <-chan call) {
	t.Helper()
	ready := &watched{found: make(chan string, 1)}
	out, end := &untilLine{}, make(chan call, 1)
	out.input, _ = in.(io.Closer)
	go func() {
		code := Main(t.Context(), append([]string{"talk", "-l"}, args...), in, out, ready, nil)
		end <- call{code, out.String(), ready.text()}
	}()
	select {
	case address = <-ready.found:
		return address, end
	case c := <-end:
		t.Fatalf("%+v", c)
		return "", nil
	}
}

// untilLine closes the input at the end of the first line.
type untilLine struct {
	bytes.Buffer
	input io.Closer
}

func (w *untilLine) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if w.input != nil && bytes.IndexByte(w.Bytes(), '\n') >= 0 {
		err = errors.Join(err, w.input.Close())
	}
	return n, err
}

// watched waits for the line that says where talk listens.
type watched struct {
	mu    sync.Mutex
	b     bytes.Buffer
	found chan string
}

var listeningLine = regexp.MustCompile(`listening on \w+:(\S+)\n`)

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.b.Write(p)
	if m := listeningLine.FindSubmatch(p); m != nil {
		w.found <- string(m[1])
	}
	return len(p), nil
}

func (w *watched) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

func TestTalkListensForTalk(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ listen, connect []string }{
		{[]string{":0"}, []string{"tcp:%"}}, {[]string{"0"}, []string{"%"}}, {[]string{"-4", "tcp:localhost:0"}, []string{"%"}},
		{[]string{"tls::0"}, []string{"-k", "tls:%"}}, {[]string{"unix:" + dir + "/s"}, []string{"unix:%"}},
	} {
		address, done := listening(t, strings.NewReader("from the server"), c.listen...)
		args := append([]string{"talk"}, c.connect...)
		args[len(args)-1] = strings.Replace(args[len(args)-1], "%", address, 1)
		client := farend(t, "from the client", args...)
		srv := <-done
		if client.code != 0 || client.out != "from the server" || srv.code != 0 || srv.out != "from the client" {
			t.Errorf("%q: client %+v, server %+v", c.listen, client, srv)
		}
	}
}

func TestTalkListensInDatagrams(t *testing.T) {
	address, done := listening(t, strings.NewReader("from the server"), "-w", "2s", "udp::0")
	client := until(t, "from the server", "from the client", "udp:"+address)
	srv := <-done
	if client.code != exitInterrupted || client.out != "from the server" || srv.code != 0 || srv.out != "from the client" {
		t.Errorf("client %+v, server %+v", client, srv)
	}
}

func TestTalkInEvents(t *testing.T) {
	l := listenOn(t, "tcp4", "127.0.0.1:0")
	serveCapitals(t, nil, l)
	got := farend(t, "h\xff", "talk", "--json", l.Addr().String())
	want := "opened said ours aP8= said theirs H\ufffd closed"
	if events := eventsOf(t, got.out); got.code != 0 || got.err != "" || events != want {
		t.Errorf("%+v: %q, want %q", got, events, want)
	}
	full := errorWriter{errors.New("no room")}
	var errs bytes.Buffer
	if code := Main(t.Context(), []string{"talk", "--json", l.Addr().String()}, strings.NewReader("x"), full, &errs, nil); code != 1 || !strings.Contains(errs.String(), "no room") {
		t.Errorf("%d, %q", code, errs.String())
	}
}

// eventsOf gives the events of newline-delimited JSON: their names, who spoke
// and what.
func eventsOf(t *testing.T, out string) string {
	t.Helper()
	var events []string
	for line := range strings.Lines(out) {
		var e struct{ Event, By, Text, Base64 string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		for _, word := range []string{e.Event, e.By, e.Text, e.Base64} {
			if word != "" {
				events = append(events, word)
			}
		}
	}
	return strings.Join(events, " ")
}

func TestTalkListensInEvents(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ready := &watched{found: make(chan string, 1)}
	var out lockedBuffer
	done := make(chan int, 1)
	go func() {
		done <- Main(ctx, []string{"talk", "-l", "--json", "-w", "1h", "udp::0"}, strings.NewReader("from the server"), &out, ready, nil)
	}()
	c, err := net.Dial("udp", <-ready.found)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "from the client"); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 64)
	if n, err := c.Read(b); err != nil || string(b[:n]) != "from the server" {
		t.Errorf("%q, %v", b[:n], err)
	}
	want := "listening opened said theirs from the client said ours from the server"
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); eventsOf(t, out.String()) != want && time.Now().Before(end); {
		<-tick.C // an event is told when its bytes have gone
	}
	cancel()
	code := <-done
	if events := eventsOf(t, out.String()); code != exitInterrupted || events != want {
		t.Errorf("%d: %q, want %q", code, events, want)
	}
}

// errorWriter is a stdout that cannot be written to.
type errorWriter struct{ err error }

func (w errorWriter) Write([]byte) (int, error) { return 0, w.err }

func TestTalkKeepsListening(t *testing.T) {
	in, typing := io.Pipe()
	defer typing.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ready := &watched{found: make(chan string, 1)}
	var out lockedBuffer
	done := make(chan int, 1)
	go func() { done <- Main(ctx, []string{"talk", "-lk", ":0"}, in, &out, ready, nil) }()
	address := <-ready.found
	for _, word := range []string{"one ", "two ", "three "} {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, word); err != nil {
			t.Fatal(err)
		}
		_ = c.(*net.TCPConn).CloseWrite()
		if b, err := io.ReadAll(c); err != nil || len(b) > 0 {
			t.Errorf("%q, %v", b, err)
		}
		c.Close()
	}
	cancel()
	if code := <-done; code != exitInterrupted || out.String() != "one two three " {
		t.Errorf("%d, %q", code, out.String())
	}
}

func TestTalkSaysWhatIsWrong(t *testing.T) {
	l := listenOn(t, "tcp4", "127.0.0.1:0")
	gone := l.Addr().String()
	l.Close()
	notPEM := filepath.Join(t.TempDir(), "ca")
	if err := os.WriteFile(notPEM, pem.EncodeToMemory(&pem.Block{Type: "X"}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"", 2, "to whom?"}, {"a b c", 2, "one endpoint"}, {"host", 2, "is no endpoint"}, {"gopherd://h", 2, "neither a scheme"},
		{"tcp:h:", 2, "port"}, {"smtp://u@h", 2, "nothing more of a URL"}, {"-u tls:h:1", 2, "no datagrams"}, {"-4 -6 h:1", 2, "either"},
		{"-w soon h:1", 2, "want a time above 0"}, {"-w -1 h:1", 2, "want a time"}, {"--keep-open h:1", 2, "goes with -l"},
		{"starttls:h:25", 2, "type :starttls"}, {"-l starttls::0", 2, "type :starttls"},
		{"tcp://127.1:9", 2, "only in full (127.0.0.1)"}, {"smtp://0x7f.1", 2, "only in full (127.0.0.1)"},
		{"-l --insecure :0", 2, "connecting"}, {"--key k h:1", 2, "goes with --cert"}, {"--frob h:1", 2, "no such flag"},
		{"--cacert /nowhere/ca h:1", 2, "no such file"}, {"--cacert " + notPEM + " h:1", 2, "no PEM certificate"},
		{gone, 1, "refused"}, {"udp:" + gone, 1, "refused"}, {"unix:/nowhere/s", 1, "no such file"}, {"-l unix:/nowhere/s", 1, "no such file"},
	} {
		got := farend(t, "x", append([]string{"talk"}, strings.Fields(c.args)...)...)
		if got.code != c.code || got.out != "" || strings.Count(got.err, "\n") != 1 ||
			!strings.HasPrefix(got.err, "farend: ") || !strings.Contains(got.err, c.want) {
			t.Errorf("%q: %d, want %d; stdout %q, stderr %q, want %q", c.args, got.code, c.code, got.out, got.err, c.want)
		}
	}
}

func TestTalkTakesEveryFormOfEndpoint(t *testing.T) {
	for s, want := range map[string]string{
		"localhost:25": "tcp:localhost:25", "[::1]:25": "tcp:[::1]:25", ":9999": "tcp::9999", "smtp:25": "tcp:smtp:25",
		"TLS://h:443": "tls:h:443", "tcp://h:25/": "tcp:h:25", "udp::7": "udp::7", "unix:/a:b": "unix:/a:b", "unixgram:@x": "unixgram:@x",
		"smtp://h": "tcp:h:25", "smtp://h/": "tcp:h:25", "smtp:h:2525": "tcp:h:2525", "imaps://[::1]": "tls:[::1]:993", "smtps://h": "tls:h:465",
		"pop://h": "tcp:h:110", "pops://h": "tls:h:995", "gophers://h": "tls:h:70", "greet://localhost": "tcp:localhost:12345",
		"127.1:ftp": "tcp:127.1:ftp", "udp:127.1:9": "udp:127.1:9", "smtp:127.1:25": "tcp:127.1:25",
		"unix:///run/x": "unix:/run/x",
	} {
		if e, err := talkEndpoint(s, false); err != nil || e.String() != want {
			t.Errorf("%q: %q, %v; want %q", s, e, err, want)
		}
	}
	for _, s := range []string{"tcp://2130706433:80", "udp://127.1:9", "tls://:443", "smtp://127.1", "https://0x7f.1:8443", "", ":", "h", "9999", "tcp:", "tcp:h", "fe80::1:25", "://h", "nosuch://h", "imap://h/INBOX", "smtp://h:"} {
		if e, err := talkEndpoint(s, false); err == nil {
			t.Errorf("%q: taken as %q", s, e)
		}
	}
}

func FuzzTalkEndpoint(f *testing.F) {
	for _, s := range []string{"smtp://h", "tcp:[::1]:25", ":9", "unix:/x", "tls://[fe80::1%lo]:443"} {
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, listen bool) {
		e, err := talkEndpoint(s, listen)
		if err != nil {
			return
		}
		again, err := dial.Parse(e.String())
		if err != nil || again != e {
			t.Fatalf("%q is %+v, which is written %q and read %+v, %v", s, e, e, again, err)
		}
	})
}
