package transfer

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// quickly is a quick over plain connections.
func quickly(most int) *quick {
	var d net.Dialer
	return &quick{next: refuse{}, dial: d.DialContext, most: most, idle: map[string][]*quickConn{}}
}

type refuse struct{}

func (refuse) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("handed on") }

// counting is a server that counts connections.
func counting(t *testing.T, h http.HandlerFunc) (s *httptest.Server, conns *atomic.Int32) {
	t.Helper()
	s, conns = httptest.NewUnstartedServer(h), &atomic.Int32{}
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s, conns
}

func asked(t *testing.T, q http.RoundTripper, method, url string) (*http.Response, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := q.RoundTrip(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp, string(b), err
}

func TestQuickKeepsConnections(t *testing.T) {
	s, conns := counting(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/chunked":
			w.(http.Flusher).Flush()
		case "/none":
			w.WriteHeader(http.StatusNoContent)
			return
		case "/early":
			w.WriteHeader(http.StatusEarlyHints)
		case "/bye":
			w.Header().Set("Connection", "close")
		}
		fmt.Fprint(w, r.URL.Path)
	})
	q := quickly(2)
	defer q.close()
	for _, path := range []string{"/sized", "/chunked", "/none", "/early", "/bye", "/after"} {
		resp, body, err := asked(t, q, http.MethodGet, s.URL+path)
		if want := map[bool]string{true: "", false: path}[path == "/none"]; err != nil || body != want || resp.StatusCode/100 != 2 {
			t.Errorf("%s: %q, %v", path, body, err)
		}
	}
	if resp, body, err := asked(t, q, http.MethodHead, s.URL+"/sized"); err != nil || body != "" || resp.ContentLength != 6 {
		t.Errorf("HEAD: %q, %v", body, err)
	}
	if n := conns.Load(); n != 2 { // one more behind Connection: close
		t.Errorf("%d connections", n)
	}
	for _, other := range []string{"https://h/", "ftp://h/", "http://bücher.example/"} {
		if _, _, err := asked(t, q, http.MethodGet, other); err == nil || err.Error() != "handed on" {
			t.Errorf("%s: %v", other, err)
		}
	}
}

// TestQuickGoesToANewConnection has servers hang up on idle connections.
func TestQuickGoesToANewConnection(t *testing.T) {
	s, conns := counting(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	q := quickly(8)
	defer q.close()
	for i := range 5 {
		if _, body, err := asked(t, q, http.MethodGet, s.URL); err != nil || body != "ok" {
			t.Errorf("time %d: %q, %v", i, body, err)
		}
		s.CloseClientConnections()
	}
	if n := conns.Load(); n != 5 {
		t.Errorf("%d connections", n)
	}
}

// TestQuickFails answers as no server should.
func TestQuickFails(t *testing.T) {
	for answer, want := range map[string]func(body string, err error) bool{
		"": func(_ string, err error) bool { return Code(err) == CodeEmpty },
		"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort":                    func(_ string, err error) bool { return Code(err) == CodePartial },
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n":  func(_ string, err error) bool { return Code(err) == CodePartial },
		"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", headLimit) + "\r\n\r\n": func(_ string, err error) bool { return err != nil },
		"SSH-2.0-x\r\n":                                        func(_ string, err error) bool { return err != nil },
		"HTTP/1.0 200 OK\r\n\r\nto the end":                    func(body string, err error) bool { return err == nil && body == "to the end" },
		strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 10):    func(_ string, err error) bool { return err != nil },
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok, more": func(body string, err error) bool { return err == nil && body == "ok" },
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		all.Go(func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				_, _ = io.WriteString(c, answer) // it may have hung up
			}
		})
		q := quickly(1)
		if _, body, err := asked(t, q, http.MethodGet, "http://"+l.Addr().String()+"/"); !want(body, err) {
			t.Errorf("%.40q: %q, %v", answer, body, err)
		}
		if len(q.idle[l.Addr().String()]) > 0 {
			t.Errorf("%.40q: the connection is kept", answer)
		}
		q.close()
		l.Close()
		all.Wait()
	}
}

// TestQuickEndsWithItsContext cancels before the head, and within the body.
func TestQuickEndsWithItsContext(t *testing.T) {
	over := make(chan struct{})
	here := make(chan struct{}, 2)
	s, _ := counting(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "begun")
			w.(http.Flusher).Flush()
		}
		here <- struct{}{}
		<-over
	})
	defer close(over)
	for _, path := range []string{"/head", "/body"} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-here
			cancel()
		}()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		q := quickly(1)
		resp, err := q.RoundTrip(req)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestQuickFewConnections gets many files over no more connections than work at
// once, also where each file has a context of its own.
func TestQuickFewConnections(t *testing.T) {
	for _, limit := range []time.Duration{0, time.Hour} {
		t.Run(limit.String(), func(t *testing.T) { fewConnections(t, Options{Parallel: 6, Limit: limit}) })
	}
}

func fewConnections(t *testing.T, o Options) {
	t.Helper()
	s, conns := counting(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, r.URL.Path) })
	var jobs []Job
	var urls []*url.URL
	var want, got bytes.Buffer
	for i := range 200 {
		u, err := ParseURL(fmt.Sprintf("%s/%d", s.URL, i))
		if err != nil {
			t.Fatal(err)
		}
		jobs, urls = append(jobs, Job{URL: u}), append(urls, u)
		fmt.Fprintf(&want, "/%d\n", i)
	}
	o.Out = &got
	c, err := New(o, urls)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Get(t.Context(), jobs, func(_ int, r Result) {
		if r.Err != nil {
			t.Error(r.URL, r.Err)
		}
	})
	if got.String() != want.String() || conns.Load() > 6 {
		t.Errorf("%d bytes of %d, %d connections", got.Len(), want.Len(), conns.Load())
	}
}
