// Package xmlrpctest is a far end for the tests of programs that speak
// XML-RPC, in the manner of net/http/httptest, and the heir of a
// SimpleXMLRPCServer in a thread of the test.
package xmlrpctest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/farend-go/farend/proto/xmlrpc"
)

// Server is a server on a port of loopback. Its methods may be called
// concurrently.
type Server struct {
	URL string // for a client

	mu    sync.Mutex
	calls []Call
	fails map[string][]error
}

// Call is one that came.
type Call struct {
	Method string
	Args   []any
}

// New starts a server with those methods; it ends with the test. When the test
// fails, it tells what was asked.
func New(t testing.TB, methods xmlrpc.Methods, o xmlrpc.Options) *Server {
	s := &Server{fails: map[string][]error{}}
	rpc := &xmlrpc.Server{Methods: methods, Options: o}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client went away
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if fault := s.note(body, o); fault != nil {
			w.Header().Set("Content-Type", "text/xml")
			if err := xmlrpc.EncodeResponse(w, nil, fault, o); err != nil {
				t.Errorf("xmlrpctest: %v", err)
			}
			return
		}
		rpc.ServeHTTP(w, r)
	}))
	s.URL = srv.URL + "/RPC2"
	t.Cleanup(func() {
		srv.Close()
		if t.Failed() {
			for _, c := range s.Calls() {
				t.Logf("xmlrpctest: %s%v", c.Method, c.Args)
			}
		}
	})
	return s
}

// note writes a call down and gives the fault that waits for it.
func (s *Server) note(body []byte, o xmlrpc.Options) *xmlrpc.Fault {
	method, args, err := xmlrpc.DecodeCall(bytes.NewReader(body), o)
	if err != nil {
		return nil // the server says what is wrong
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, Call{method, args})
	waiting := s.fails[method]
	if len(waiting) == 0 {
		return nil
	}
	s.fails[method] = waiting[1:]
	fault := &xmlrpc.Fault{}
	ok := errors.As(waiting[0], &fault)
	if !ok {
		fault = &xmlrpc.Fault{Code: xmlrpc.CodeApplication, String: waiting[0].Error()}
	}
	return fault
}

// Fail makes the next call of method fail; said again, the one after it too. A
// *xmlrpc.Fault is sent as it is.
func (s *Server) Fail(method string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails[method] = append(s.fails[method], err)
}

// Calls are those that came, in order.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}
