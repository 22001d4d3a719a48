package telnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
)

// A Transport opens telnet: and telnets: URLs for an http.Client: the body of
// the answer is what the server says, until it hangs up, without the commands
// and with its line ends as they are. The body of the request, where there is
// one, is typed meanwhile: LF is sent as CR LF, and its end is the end of our
// half. The methods are GET, PUT and POST, which mean the same.
//
// It is for whoever wants the whole of what is said; who waits for prompts uses
// a Client. Its fields are set before the first request; it may be used by
// several goroutines.
type Transport struct {
	Options ClientOptions
}

var _ http.RoundTripper = (*Transport)(nil)

// RoundTrip connects. The caller closes the answer's body, which hangs up; the
// request's context bounds it. The error is a *dial.Error, or of the URL.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	c, err := t.dial(req)
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	ctx := req.Context()
	s := &said{c: c, over: ctx.Err, typed: req.Body, done: make(chan struct{})}
	s.stop = context.AfterFunc(ctx, func() { _ = c.Interrupt() }) // fails only where the connection is closed
	if req.Body == nil || req.Body == http.NoBody {
		close(s.done)
	} else {
		go s.typeIn()
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "TELNET/1.0", ProtoMajor: 1,
		Header: http.Header{"Content-Type": {"text/plain"}}, Body: s, ContentLength: -1, Close: true, Request: req,
	}, nil
}

func (t *Transport) dial(req *http.Request) (*Client, error) {
	switch req.Method {
	case "", http.MethodGet, http.MethodPut, http.MethodPost:
	default:
		return nil, fmt.Errorf("telnet: %s: there are only GET, PUT and POST", req.Method)
	}
	bare := *req.URL
	bare.Fragment, bare.RawFragment = "", ""
	u, err := ParseURL(bare.String())
	if err != nil {
		return nil, err
	}
	return Dial(req.Context(), u.Endpoint(), t.Options)
}

// said is what the server says.
type said struct {
	c     *Client
	over  func() error // why it may go on no longer; nil: it may
	stop  func() bool
	typed io.ReadCloser
	done  chan struct{} // closed: nothing more is typed
	close sync.Once     // of typed
}

func (s *said) Read(p []byte) (int, error) {
	n, err := s.c.Read(p)
	if over := s.over(); over != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		err = over
	}
	return n, err
}

// Close hangs up, in good order where nobody is typing.
func (s *said) Close() error {
	s.stop()
	select {
	case <-s.done:
		return s.c.Close()
	default:
	}
	s.endTyping()
	err := s.c.c.Abort()
	s.c.fail(net.ErrClosed) // who waits to type
	return err
}

func (s *said) endTyping() {
	s.close.Do(func() { _ = s.typed.Close() }) // it is the caller's to care
}

// typeIn types the body of the request. It may outlive the answer for as long
// as a read of that body takes, as in net/http.
func (s *said) typeIn() {
	defer close(s.done)
	defer s.endTyping()
	buf := make([]byte, 16<<10)
	for held := 0; ; {
		n, err := s.typed.Read(buf[held:])
		n, held = n+held, 0
		if err == nil && n == len(buf) && buf[n-1] == '\r' { // more is to come: what it is sent as depends on that
			n, held = n-1, 1
		}
		if n > 0 && s.c.WriteText(string(buf[:n])) != nil {
			return // why is told to whoever reads
		}
		if held > 0 {
			buf[0] = '\r'
		}
		if err != nil {
			_ = s.c.CloseWrite() // as above
			return
		}
	}
}
