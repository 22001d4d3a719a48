package web_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/internal/testcert"
	"github.com/farend-go/farend/proto/web"
	"github.com/farend-go/farend/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var engines = map[string]func() server.Engine{"goroutines": server.Goroutines, "events": server.Events}

// running is a server that a test stops.
type running struct {
	*server.Server
	URL    string
	Client *http.Client
	stop   func()
}

// serve serves on loopback until the test ends.
func serve(t *testing.T, srv *server.Server) *running {
	t.Helper()
	l, err := server.Listen(t.Context(), "127.0.0.1:0", server.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	stop := servertest.Run(t, func(ctx context.Context) error { return srv.Serve(ctx, l) })
	transport := &http.Transport{ForceAttemptHTTP2: true, DisableCompression: true}
	r := &running{Server: srv, URL: "http://" + l.Addr().String(), Client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if srv.TLS != nil {
		r.URL = "https" + strings.TrimPrefix(r.URL, "http")
		transport.TLSClientConfig = testcert.Client(t)
	}
	r.stop = func() {
		stop()
		transport.CloseIdleConnections()
	}
	t.Cleanup(r.stop)
	return r
}

// get fetches a path.
func (r *running) get(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	return r.do(t, http.MethodGet, path, nil, "")
}

// do makes a request; header is "Name: value" lines.
func (r *running) do(t *testing.T, method, path string, header []string, body string) (*http.Response, string) {
	t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, r.URL+path, content)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Add(name, value)
	}
	resp, err := r.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

func tlsConfig(t *testing.T) *tls.Config {
	c := testcert.Server(t).Clone()
	c.NextProtos = web.NextProtos()
	return c
}

// hello tells what it sees of a request.
var hello = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	secure := "clear"
	if r.TLS != nil {
		secure = "TLS"
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, _ = io.WriteString(w, r.Method+" "+r.Proto+" "+secure+" "+string(b))
})

func TestVersions(t *testing.T) {
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			clear := serve(t, &server.Server{Handler: &web.Handler{HTTP: hello}, Engine: engine()})
			for range 3 {
				if _, got := clear.do(t, http.MethodPost, "/", nil, "body"); got != "POST HTTP/1.1 clear body" {
					t.Errorf("in clear: %q", got)
				}
			}
			secure := serve(t, &server.Server{Handler: &web.Handler{HTTP: hello}, Engine: engine(), TLS: tlsConfig(t)})
			for range 3 {
				if _, got := secure.do(t, http.MethodPost, "/", nil, "body"); got != "POST HTTP/2.0 TLS body" {
					t.Errorf("over TLS: %q", got)
				}
			}
			old := serve(t, &server.Server{Handler: &web.Handler{HTTP: hello}, Engine: engine(), TLS: testcert.Server(t)})
			if _, got := old.get(t, "/"); got != "GET HTTP/1.1 TLS " {
				t.Errorf("over TLS without ALPN: %q", got)
			}
			clear.stop()
			secure.stop()
			if n := clear.Counters().Active; n != 0 {
				t.Errorf("%d talks go on", n)
			}
		})
	}
}

func TestH2C(t *testing.T) {
	for _, allowed := range []bool{true, false} {
		r := serve(t, &server.Server{Handler: &web.Handler{HTTP: hello, H2C: allowed}})
		tr := &http.Transport{Protocols: new(http.Protocols)}
		tr.Protocols.SetUnencryptedHTTP2(true)
		c := &http.Client{Transport: tr}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		if got := err == nil && resp.ProtoMajor == 2; got != allowed {
			t.Errorf("H2C %v: %v, %v", allowed, resp, err)
		}
		tr.CloseIdleConnections()
	}
}

// raw says bytes and gives all that comes back.
func raw(t *testing.T, url, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(c)
	if err != nil {
		t.Logf("reading: %v", err)
	}
	return string(b)
}

func TestLimits(t *testing.T) {
	r := serve(t, &server.Server{Handler: &web.Handler{HTTP: hello, Limits: web.Limits{Header: 1024, Body: 10}}})
	if got := raw(t, r.URL, "GET / HTTP/1.1\r\nHost: h\r\nX: "+strings.Repeat("x", 8000)+"\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 431 ") {
		t.Errorf("a long header: %q", got)
	}
	if resp, _ := r.do(t, http.MethodPost, "/", nil, "0123456789"); resp.StatusCode != http.StatusOK {
		t.Errorf("ten bytes: %v", resp.Status)
	}
	if resp, _ := r.do(t, http.MethodPost, "/", nil, "0123456789+"); resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("eleven bytes: %v", resp.Status)
	}
	chunked := "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n0123456789+\r\n0\r\n\r\n"
	if got := raw(t, r.URL, chunked); !strings.HasPrefix(got, "HTTP/1.1 400 ") {
		t.Errorf("eleven bytes in a chunk: %q", got)
	}
	for _, smuggled := range []string{
		"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n1234",
		"GET / HTTP/1.1\r\nHost : h\r\n\r\n",
		"GET / HTTP/1.1\r\n\r\n",
	} {
		if got := raw(t, r.URL, smuggled); !strings.HasPrefix(got, "HTTP/1.1 400 ") && !strings.HasPrefix(got, "HTTP/1.1 501 ") {
			t.Errorf("%q: %q", smuggled, got)
		}
	}
}

// only is a listener that comes to a good end after its one connection.
type only struct {
	net.Listener
	taken bool
}

func (l *only) Accept() (net.Conn, error) {
	if l.taken {
		return nil, io.EOF
	}
	l.taken = true
	return l.Listener.Accept()
}

// inMemory serves one connection in a bubble of time.
func inMemory(t *testing.T, srv *server.Server) (peer *transcript.End, wait func()) {
	t.Helper()
	ours, peer := transcript.Pipe()
	done := make(chan error, 1)
	ctx, stop := context.WithCancel(context.Background())
	go func() { done <- srv.Serve(ctx, &only{Listener: transcript.Once(ours)}) }()
	return peer, func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		peer.Close()
	}
}

// A peer that sends its header slowly, or nothing after a request, is hung up
// on when its time is over, and not before.
func TestSlowPeers(t *testing.T) {
	for _, c := range []struct {
		name, say string
		byteEvery time.Duration
		after     time.Duration
	}{
		{"a header that never ends", "GET / HTTP/1.1\r\nHost: h\r\nX: ", time.Second, 10 * time.Second},
		{"half a request line", "GE", 0, 10 * time.Second},
		{"nothing after a request", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 0, time.Minute},
		{"nothing at all", "", 0, 5 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				peer, wait := inMemory(t, &server.Server{Handler: &web.Handler{HTTP: hello}})
				defer wait()
				began := time.Now()
				if _, err := io.WriteString(peer, c.say); err != nil {
					t.Fatal(err)
				}
				var slow sync.WaitGroup
				if c.byteEvery > 0 {
					tick := time.NewTicker(c.byteEvery)
					defer tick.Stop()
					slow.Go(func() {
						for range tick.C {
							if _, err := io.WriteString(peer, "x"); err != nil {
								return
							}
						}
					})
				}
				defer slow.Wait()
				defer peer.Close()
				if _, err := io.Copy(io.Discard, peer); err != nil && !errors.Is(err, io.EOF) {
					t.Log(err)
				}
				if took := time.Since(began); took < c.after || took > c.after+c.after/4+time.Second {
					t.Errorf("hung up on after %v, want %v", took, c.after)
				}
			})
		})
	}
}

// A server that stops lets requests in flight finish, says that the connection
// ends, and hangs up on peers that wait.
func TestStop(t *testing.T) {
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			begun, finish := make(chan struct{}), make(chan struct{})
			var canceled bool
			slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/slow" {
					close(begun)
					<-server.Stopping(r.Context())
					<-finish
					canceled = r.Context().Err() != nil
				}
				_, _ = io.WriteString(w, "done")
			})
			r := serve(t, &server.Server{Handler: &web.Handler{HTTP: slow}, Engine: engine(), Limits: server.Limits{Drain: time.Minute}})
			idle, err := net.Dial("tcp", strings.TrimPrefix(r.URL, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer idle.Close()
			if _, err := io.WriteString(idle, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			from := bufio.NewReader(idle)
			resp, err := http.ReadResponse(from, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			answered := make(chan string, 1)
			go func() {
				resp, body := r.get(t, "/slow")
				if resp.Close {
					body += ", and goodbye"
				}
				answered <- body
			}()
			<-begun
			stopped := make(chan struct{})
			go func() {
				r.stop()
				close(stopped)
			}()
			if b, err := io.ReadAll(from); err != nil || len(b) > 0 {
				t.Errorf("the peer that waits got %q, %v", b, err)
			}
			close(finish)
			if got := <-answered; got != "done, and goodbye" {
				t.Errorf("the request in flight got %q", got)
			}
			<-stopped
			if canceled {
				t.Error("the context of the request in flight ended")
			}
		})
	}
}

// A stop also ends HTTP/2, and what does not end in time is cut.
func TestStopCuts(t *testing.T) {
	for _, secure := range []bool{false, true} {
		begun := make(chan struct{})
		hang := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(begun)
			<-r.Context().Done()
		})
		srv := &server.Server{Handler: &web.Handler{HTTP: hang}, Limits: server.Limits{Drain: time.Millisecond}}
		if secure {
			srv.TLS = tlsConfig(t)
		}
		r := serve(t, srv)
		failed := make(chan error, 1)
		go func() {
			req, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, r.URL, nil)
			resp, err := r.Client.Do(req)
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			failed <- err
		}()
		<-begun
		r.stop()
		if err := <-failed; err == nil && !secure {
			t.Log("the handler returned before it was cut") // and net/http has sent an empty answer
		}
	}
}

// The context of a request ends when its client goes; pipelined requests are
// answered in order.
func TestPeers(t *testing.T) {
	gone := make(chan struct{})
	begun := make(chan struct{})
	r := serve(t, &server.Server{Handler: &web.Handler{HTTP: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			close(begun)
			<-r.Context().Done()
			close(gone)
			return
		}
		_, _ = io.WriteString(w, r.URL.Path)
	})}})
	one := "GET /%d HTTP/1.1\r\nHost: h\r\n\r\n"
	got := raw(t, r.URL, strings.ReplaceAll(one, "%d", "1")+strings.ReplaceAll(one, "%d", "2")+"GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	if first, rest, ok := strings.Cut(got, "/1HTTP"); !ok || first == "" || !strings.Contains(rest, "/2HTTP") || !strings.HasSuffix(rest, "/3") {
		t.Errorf("pipelined: %q", got)
	}
	c, err := net.Dial("tcp", strings.TrimPrefix(r.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-begun
	c.Close()
	<-gone
}

func TestPanic(t *testing.T) {
	r := serve(t, &server.Server{Handler: &web.Handler{HTTP: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oops") })}})
	if got := raw(t, r.URL, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"); got != "" {
		t.Errorf("%q", got)
	}
	r.stop()
	if n := r.Counters().Errors["panic"]; n != 1 {
		t.Errorf("counted %d panics: %+v", n, r.Counters())
	}
}

func TestHijack(t *testing.T) {
	r := serve(t, &server.Server{Handler: &web.Handler{HTTP: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, b, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, "mine ")
		_, _ = io.CopyN(c, b, 4)
	})}})
	if got := raw(t, r.URL, "GET / HTTP/1.1\r\nHost: h\r\n\r\nlast"); got != "mine last" {
		t.Errorf("%q", got)
	}
}
