package web

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/farend-go/farend/server"
)

// A Handler serves HTTP/1.0, HTTP/1.1 and HTTP/2 with an http.Handler. Its
// fields are set before it serves and not changed afterwards; one Handler may
// serve any number of listeners.
//
// HTTP/2 is spoken where TLS has agreed on it (ALPN "h2": see NextProtos). A
// connection is one Turn, which net/http runs: of the server's Limits, Idle
// bounds the wait for the first request, Turn each read and write, Drain the
// requests in flight when the server stops. Peers that wait then are hung up
// on; HTTP/2 says GOAWAY.
type Handler struct {
	HTTP   http.Handler
	Limits Limits
	// H2C also takes HTTP/2 in clear from peers that begin with it ("prior
	// knowledge", RFC 9113 section 3.3).
	H2C bool
	Log *slog.Logger // what net/http complains of, at level debug; nil: silent

	mu   sync.Mutex
	runs map[<-chan struct{}]*run
}

// Limits of a Handler. The zero value of each field is a limit too; a negative
// value is none.
type Limits struct {
	Header     int           // bytes of a request's line and header; 0: 64 KiB. 431 over it
	HeaderTime time.Duration // for a request's header to come; 0: 10 s
	Body       int64         // bytes of a request's content; 0: none. 413 over it
	Idle       time.Duration // between requests; 0: 1 min
}

func (l Limits) filled() Limits {
	if l.Header == 0 {
		l.Header = 64 << 10
	}
	if l.HeaderTime == 0 {
		l.HeaderTime = 10 * time.Second
	}
	if l.Idle == 0 {
		l.Idle = time.Minute
	}
	return l
}

// NextProtos are what a server's TLS offers by ALPN (RFC 7301) so that clients
// choose HTTP/2.
func NextProtos() []string { return []string{"h2", "http/1.1", "http/1.0"} }

var _ server.Handler = (*Handler)(nil)

// Mode is Streams: net/http has goroutines of its own.
func (h *Handler) Mode() server.Mode { return server.Streams }

// Open begins a talk.
func (h *Handler) Open(_ context.Context, t *server.Talk) (server.Session, error) {
	return &session{h, t}, nil
}

type session struct {
	h *Handler
	t *server.Talk
}

var _ server.Session = (*session)(nil)

func (s *session) Close(error) error { return nil }

// Turn is the whole connection.
func (s *session) Turn(ctx context.Context) error {
	r := s.h.enter(ctx)
	defer s.h.leave(r)
	c := newConn(ctx, s.t)
	srv := &r.clear
	if c.tls != nil {
		srv = &r.secure
	}
	l := &single{c: c, ctx: ctx}
	_ = srv.Serve(l) // it has taken the connection, or the server stops
	if l.c != nil {
		return io.EOF
	}
	select {
	case <-c.over:
	case <-c.stopping:
		r.stop()
		select {
		case <-c.over:
		case <-ctx.Done():
			c.Close()
			<-c.over
		}
	}
	return c.settle()
}

// run is what the talks of one Serve share.
type run struct {
	talks         int
	clear, secure http.Server
	shutdown      sync.Once
	ended         chan struct{}
}

// enter joins the run of the Serve that has ctx.
func (h *Handler) enter(ctx context.Context) *run {
	key := server.Stopping(ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.runs[key]
	if r == nil {
		r = &run{ended: make(chan struct{})}
		h.prepare(&r.clear, h.H2C)
		h.prepare(&r.secure, true)
		if h.runs == nil {
			h.runs = map[<-chan struct{}]*run{}
		}
		h.runs[key] = r
	}
	r.talks++
	return r
}

func (h *Handler) leave(r *run) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.talks--; r.talks > 0 {
		return
	}
	close(r.ended)
	for key, one := range h.runs {
		if one == r {
			delete(h.runs, key)
		}
	}
}

// stop has HTTP/2 say goodbye and HTTP/1.1 close after its responses, and
// hangs up on peers that wait.
func (r *run) stop() {
	r.shutdown.Do(func() {
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			<-r.ended
			cancel()
		}()
		for _, s := range []*http.Server{&r.clear, &r.secure} {
			go s.Shutdown(ctx) //nolint:errcheck // nobody waits for it but the talks themselves
		}
	})
}

// prepare makes an http.Server that never sees a listener but ours.
func (h *Handler) prepare(s *http.Server, h2 bool) {
	limits := h.Limits.filled()
	s.Handler = &entrance{h, limits.Body}
	s.MaxHeaderBytes = max(1, limits.Header)
	if limits.Header < 0 {
		s.MaxHeaderBytes = 1 << 30
	}
	s.ReadHeaderTimeout = max(0, limits.HeaderTime)
	s.IdleTimeout = limits.Idle
	s.Protocols = new(http.Protocols)
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(h2) // TLS is ours, and has ended below
	s.ConnState = func(nc net.Conn, state http.ConnState) { nc.(*conn).setState(state) }
	s.BaseContext = func(l net.Listener) context.Context { return l.(*single).ctx }
	s.ConnContext = func(ctx context.Context, nc net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, nc)
	}
	s.ErrorLog = slog.NewLogLogger(h.log().Handler(), slog.LevelDebug)
}

type connKey struct{}

func (h *Handler) log() *slog.Logger {
	if h.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return h.Log
}

// entrance is where every request comes in.
type entrance struct {
	h    *Handler
	body int64
}

func (e *entrance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := r.Context().Value(connKey{}).(*conn)
	if !c.begin() {
		panic(http.ErrAbortHandler)
	}
	defer c.end(e.h.log())
	r.TLS = c.tls
	if e.body > 0 && r.ContentLength != 0 {
		if r.ContentLength > e.body {
			w.Header()["Connection"] = closing
			refuse(w, http.StatusRequestEntityTooLarge, "")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, e.body)
	}
	e.h.HTTP.ServeHTTP(w, r)
	if r.ProtoMajor == 2 && r.ContentLength != 0 && r.Header.Get("Expect") == "" {
		drain(w, r.Body)
	}
}

// maxDrain is how much of a content that nobody wants is read.
const maxDrain = 16 << 20

// drain reads what a handler has left of a request's content. net/http does so
// in HTTP/1.1; in HTTP/2 it answers what still comes with an error, which some
// clients hear before the response.
func drain(w http.ResponseWriter, body io.Reader) {
	var one [1]byte
	if n, _ := body.Read(one[:]); n == 0 { // it is at its end, or broken
		return
	}
	if http.NewResponseController(w).Flush() == nil {
		_, _ = io.CopyN(io.Discard, body, maxDrain) // as much as comes
	}
}

var closing = []string{"close"}

// single is a listener with one connection.
type single struct {
	c   *conn
	ctx context.Context //nolint:containedctx // the Turn's, for http.Server.BaseContext
}

func (l *single) Accept() (net.Conn, error) {
	if l.c == nil {
		return nil, io.EOF
	}
	c := l.c
	l.c = nil
	return c, nil
}

func (l *single) Close() error   { return nil }
func (l *single) Addr() net.Addr { return nowhere{} }

type nowhere struct{}

func (nowhere) Network() string { return "tcp" }
func (nowhere) String() string  { return "" }
