package telnet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/telnet"
	"github.com/farend-go/farend/proto/telnet/telnettest"
	"github.com/farend-go/farend/server"
)

func opener() *http.Client {
	t := &http.Transport{}
	t.RegisterProtocol("telnet", &telnet.Transport{})
	return &http.Client{Transport: t}
}

// TestTransport types what a POST carries, and reads to the end.
func TestTransport(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			s := telnettest.New(t, again, telnettest.Options{Engine: e()})
			resp, err := opener().Post("telnet://nobody:secret@"+s.Addr, "", io.MultiReader(strings.NewReader("one\xff\r"), strings.NewReader("\ntwo\nexit\n")))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			b, err := io.ReadAll(resp.Body)
			const want = telnettest.Prompt + "[one\xff]\r\n" + telnettest.Prompt + "[two]\r\n" + telnettest.Prompt + "bye\r\n"
			if err != nil || resp.StatusCode != http.StatusOK || string(b) != want {
				t.Errorf("%s, %q, %v", resp.Status, b, err)
			}
		})
	}
}

// TestTransportTypesLineEndsWhole types more than is read at once, cut between the
// CR and the LF of a line's end: no NUL comes between them.
func TestTransportTypesLineEndsWhole(t *testing.T) {
	text := strings.Repeat("x", 16<<10-1) + "\r\ny\r"
	typed := make(chan string, 1)
	addr := servertest.Serve(t, &server.Server{Handler: server.Stream(func(_ context.Context, nc net.Conn) error {
		b, err := io.ReadAll(nc)
		typed <- string(b)
		return err
	})})
	resp, err := opener().Post("telnet://"+addr, "", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := <-typed; !strings.HasSuffix(got, strings.TrimLeft(text, "x")+"\x00") || strings.Count(got, "\x00") > 1 {
		t.Errorf("%d bytes, %q behind the x", len(got), got[strings.LastIndexByte(got, 'x')+1:])
	}
}

// TestTransportIsCut ends with the request's context, with somebody who types
// for ever, and with a URL that is none.
func TestTransportIsCut(t *testing.T) {
	s := telnettest.New(t, again, telnettest.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	never, typing := io.Pipe()
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, "telnet://"+s.Addr, never)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := opener().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	prompt := make([]byte, len(telnettest.Prompt))
	if _, err := io.ReadFull(resp.Body, prompt); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(resp.Body); !errors.Is(err, context.Canceled) {
		t.Errorf("a request that is over is %v", err)
	}
	resp.Body.Close()
	if _, err := typing.Write([]byte("x")); err == nil { // nobody reads it any more
		_, err = typing.Write([]byte("x"))
		if err == nil {
			t.Error("the body of the request is still read")
		}
	}
	for _, url := range []string{"telnet://" + s.Addr + "/path", "telnet://"} {
		if resp, err := opener().Get(url); err == nil {
			resp.Body.Close()
			t.Errorf("%s is opened", url)
		}
	}
	if resp, err := opener().Head("telnet://" + s.Addr); err == nil {
		resp.Body.Close()
		t.Error("there is a HEAD")
	}
}

// TestTransportHearsOnly has nothing to type, and reads what a server says that
// hangs up by itself.
func TestTransportHearsOnly(t *testing.T) {
	h := &telnet.Handler{Run: func(_ context.Context, c *telnet.Conn, _ string) error {
		_, err := io.WriteString(c, "the weather\r\nis fine\xff\r\n")
		return err
	}}
	resp, err := opener().Get("telnet://" + servertest.Serve(t, &server.Server{Handler: h}) + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || string(b) != "the weather\r\nis fine\xff\r\n" {
		t.Errorf("%q, %v", b, err)
	}
}

// TestTransportWithoutABody leaves the connection whole where there is nothing to
// type, whichever way that is said.
func TestTransportWithoutABody(t *testing.T) {
	for _, body := range []io.Reader{nil, http.NoBody} {
		read := make(chan error, 1)
		h := &telnet.Handler{Run: func(_ context.Context, c *telnet.Conn, _ string) error {
			if _, err := io.WriteString(c, "!"); err != nil {
				return err
			}
			_, err := c.Read(make([]byte, 1))
			read <- err
			return err
		}}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "telnet://"+servertest.Serve(t, &server.Server{Handler: h}), body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := opener().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, resp.Body, "!")
		for range 10_000 {
			runtime.Gosched() // our half would have ended by then
		}
		select {
		case err := <-read:
			t.Errorf("%v: our half has ended: %v", body, err)
		default:
		}
		resp.Body.Close()
	}
}
