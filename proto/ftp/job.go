package ftp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// A job runs beside the session: a transfer, a login, a hash. Meanwhile the
// session hears ABOR, STAT and QUIT; its end is said by Push.
type job struct {
	about   string
	began   time.Time
	moved   atomic.Int64
	cancel  context.CancelFunc
	done    chan struct{}
	after   func(*session) error // what is to be said and done then; set before done closes
	aborted bool                 // by the session: ABOR came
}

// begin starts f, which gives what the session does at its end. f must not
// touch the session.
func (s *session) begin(ctx context.Context, about string, f func(ctx context.Context, j *job) func(*session) error) {
	ctx, cancel := context.WithCancel(ctx)
	j := &job{about: about, began: time.Now(), cancel: cancel, done: make(chan struct{})}
	s.job = j
	wake := s.talk.Wake
	run := func() {
		stop := j.keepAwake(wake)
		defer wake()
		defer close(j.done)
		defer stop()
		defer cancel()
		defer func() {
			if v := recover(); v != nil {
				err := fmt.Errorf("ftp: panic while %s: %v\n%s", about, v, debug.Stack())
				j.after = func(s *session) error {
					s.reply(451, "Internal error")
					return err
				}
			}
		}()
		j.after = f(ctx, j)
	}
	if s.prompt { // which may start no goroutine
		s.begun = run
		wake()
		return
	}
	go run()
}

// awake is how often a running job reminds the engine that its session is not
// idle.
const awake = time.Second

// keepAwake wakes the talk now and then, if something has moved.
func (j *job) keepAwake(wake func()) (stop func()) {
	var mu sync.Mutex
	mu.Lock()
	defer mu.Unlock()
	var timer *time.Timer
	ended, last := false, int64(-1)
	timer = time.AfterFunc(awake, func() {
		mu.Lock()
		defer mu.Unlock()
		if ended {
			return
		}
		if moved := j.moved.Load(); moved != last {
			last = moved
			wake()
		}
		timer.Reset(awake)
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		ended = true
		timer.Stop()
	}
}

func (j *job) over() bool {
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}

// settle says how the job ended, and to an ABOR that it was heard (RFC 959
// section 4.1.3).
func (j *job) settle(s *session) error {
	if err := j.after(s); err != nil {
		return err
	}
	if j.aborted {
		s.reply(226, "Abort successful")
	}
	return nil
}

// dialing is all that a job needs for its data connection.
type dialing struct {
	plan    dataPlan
	limits  Limits
	tls     *tls.Config // nil: in clear
	reuse   bool
	control net.Conn
	layer   func(control, data net.Conn) net.Conn
}

// dialing takes the plan for the next data connection; nil, and a reply, when
// there is none.
func (s *session) dialing() *dialing {
	if s.data == nil {
		s.reply(425, "Use PASV, EPSV, PORT or EPRT first")
		return nil
	}
	if s.h.RequireTLS && !s.private {
		s.reply(521, "Data connections must be protected: PROT P")
		return nil
	}
	d := &dialing{plan: s.data, limits: s.limits, reuse: s.h.RequireReuse, layer: s.h.Layer}
	if d.layer != nil {
		d.control = s.talk.Below()
	}
	if s.private && s.sec != nil {
		d.tls = s.sec.data()
	}
	s.data = nil
	return d
}

// dataConn is a data connection that stands.
type dataConn struct {
	net.Conn          // TLS or not
	below    net.Conn // what carries it
	stall    time.Duration
}

// open waits for the connection, or makes it. The error's reply is that of
// dataReply.
func (d *dialing) open(ctx context.Context) (*dataConn, error) {
	wait, cancel := context.WithTimeout(ctx, d.limits.Open)
	defer cancel()
	nc, err := d.plan.open(wait)
	if err != nil {
		return nil, &openError{err}
	}
	below := nc
	if d.layer != nil {
		nc = d.layer(d.control, nc)
	}
	if d.tls == nil {
		return &dataConn{nc, below, d.limits.Stall}, nil
	}
	t := tls.Server(nc, d.tls)
	if err := t.HandshakeContext(wait); err != nil {
		nc.Close()
		return nil, &openError{err}
	}
	if d.reuse && !t.ConnectionState().DidResume {
		t.Close()
		return nil, errReuse
	}
	return &dataConn{t, below, d.limits.Stall}, nil
}

// openError is a data connection that did not come about.
type openError struct{ error }

func (e *openError) Unwrap() error { return e.error }

// progress moves the limit for a stall.
func (c *dataConn) progress() { _ = c.SetDeadline(time.Now().Add(c.stall)) }

// transfer says 150 and runs move on the data connection. undo, if not nil,
// ends what was begun for it if there is no connection to be had.
func (s *session) transfer(ctx context.Context, code int, text, about string, undo func(), move func(ctx context.Context, j *job, c *dataConn) error) error {
	d := s.dialing()
	if d == nil {
		undo()
		return nil
	}
	s.reply(code, text)
	if err := s.talk.W.Flush(); err != nil { // it leaves before anybody waits for the connection
		undo()
		d.plan.release()
		return err
	}
	s.begin(ctx, about, func(ctx context.Context, j *job) func(*session) error {
		err := d.run(ctx, j, undo, move)
		return func(s *session) error {
			s.transferred(j, err)
			return nil
		}
	})
	return nil
}

// run is a transfer beside the session.
func (d *dialing) run(ctx context.Context, j *job, undo func(), move func(ctx context.Context, j *job, c *dataConn) error) error {
	c, err := d.open(ctx)
	if err != nil {
		undo()
		return err
	}
	stop := context.AfterFunc(ctx, func() { c.below.Close() }) // also a sendfile(2) ends then
	defer stop()
	c.progress()
	if err = move(ctx, j, c); err != nil {
		undo()
	}
	if closeErr := c.Close(); err == nil && closeErr != nil && ctx.Err() == nil {
		err = closeErr
	}
	if ctx.Err() != nil {
		return errors.Join(ctx.Err(), err)
	}
	return err
}

// transferred is the reply at a transfer's end.
func (s *session) transferred(j *job, err error) {
	var fault *fileError
	var open *openError
	switch {
	case j.aborted && err != nil:
		s.reply(426, "Transfer aborted")
	case err == nil:
		s.reply(226, "Transfer complete")
	case errors.Is(err, errReuse):
		s.reply(522, "TLS session of data connection not resumed")
	case errors.As(err, &open):
		s.reply(425, "Cannot open data connection")
	case errors.As(err, &fault):
		s.refuse(fault.error)
	case errors.Is(err, errEntries):
		s.reply(451, "Listing is too long; not complete")
	default:
		s.reply(426, "Connection closed; transfer aborted")
	}
}

// fileError is a failure of the files, not of the connection.
type fileError struct{ error }

func (e *fileError) Unwrap() error { return e.error }
