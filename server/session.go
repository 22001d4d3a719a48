package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"
	"syscall"

	"github.com/farend-go/farend/conv"
)

// Mode is what a Turn may do. It is a property of the handler.
type Mode uint8

const (
	// Blocks is a Turn that may wait for anything. The events engine runs it
	// on pooled goroutines.
	Blocks Mode = iota
	// Waits is a Turn that waits on its own connection only (and computes
	// little). The events engine runs it as a coroutine on its loop.
	Waits
	// Inline is a Turn that never waits: it sees what has come, and when a
	// read needs more the Turn is undone and runs again later. It changes
	// nothing before it has read its whole request.
	Inline
	// Streams is a Turn that has the connection to itself until it hangs up,
	// with several goroutines if it likes (Talk.NetConn). Every engine gives
	// such a talk a goroutine.
	Streams
)

// String is the mode's name.
func (m Mode) String() string { return [...]string{"blocks", "waits", "inline", "streams"}[m] }

// A Handler opens a Session for each connection.
type Handler interface {
	// Mode is asked once per listener.
	Mode() Mode
	// Open begins a talk and may greet. In Waits and Inline it must not wait.
	// An error ends the talk; io.EOF ends it in good order, after what was
	// written has left.
	Open(ctx context.Context, t *Talk) (Session, error)
}

// A Session answers the requests of one talk. Its methods are called one at a
// time, on no particular goroutine.
type Session interface {
	// Turn answers one request. io.EOF hangs up in good order; any other error
	// ends the talk. The context is the server's: it ends when the time for
	// draining has passed (Stopping tells earlier).
	Turn(ctx context.Context) error
	// Close ends the session, once: why is nil after a good end (a hang-up of
	// either side). It may write last words.
	Close(why error) error
}

// A Pusher is a Session that says something on its own: Talk.Wake has Push
// called between two Turns. Push writes and reads nothing.
type Pusher interface {
	Push(ctx context.Context) error
}

// A Completer is a Session that knows when a request is whole. Complete gets
// what has come and answers how many bytes are missing at least; 0: a Turn
// can begin. Without it a request is a line.
type Completer interface{ Complete(buf []byte) (need int) }

// A Farewell is a Session that says goodbye when the server stops while the
// peer waits.
type Farewell interface{ Farewell(ctx context.Context) }

// A Talk is one connection being served: its end of the conversation and what
// the engine knows of it.
type Talk struct {
	conv.Conn
	sess  Session
	comp  Completer
	owner owner
	id    uint64
}

// owner is the engine's side of a talk.
type owner interface {
	wake()
	netConn() net.Conn
	// detour runs f where it may block, if the Turn may not.
	detour(f func() error) error
	// progress begins the Turn's time anew; sendFile has the kernel send up to
	// n bytes from offset, or nil: from where the file stands (errCopy: it
	// cannot); reset cuts the connection with a reset.
	progress()
	sendFile(f *os.File, offset *int64, n int64) (int64, error)
	reset()
	syscallConn() (syscall.RawConn, error)
}

// ID is the talk's number: 1, 2, 3 ... in the order in which the server
// accepted.
func (t *Talk) ID() uint64 { return t.id }

// Wake has the session's Push called soon, on a talk that waits or after the
// Turn that runs. Several Wakes may become one Push. It never blocks and may
// be called from any goroutine, also after the talk has ended.
func (t *Talk) Wake() { t.owner.wake() }

// Below is the connection under the conversation, with the server's Layers;
// nil on the events engine, which has none.
func (t *Talk) Below() net.Conn { return t.owner.netConn() }

// SyscallConn is the socket under the conversation, below TLS, for what a Turn
// wants of it that no other method does: urgent data, an option. The function
// given to Control or Write must not keep the descriptor; Write's may answer
// false until the socket can take more, and what it sends stands behind what
// was flushed. Read is errors.ErrUnsupported on the events engine. So is
// SyscallConn where there is no socket, or a Layer stands before it.
func (t *Talk) SyscallConn() (syscall.RawConn, error) { return t.owner.syscallConn() }

// Detour runs f, which may block, in a Turn whose mode is Waits: meanwhile the
// loop serves other talks. f must not use the talk. In Blocks it simply runs;
// in Inline it is ErrMode.
func (t *Talk) Detour(f func() error) error { return t.owner.detour(f) }

// Upgrade is conv.Conn's, on a goroutine where the Turn is a coroutine: a
// handshake computes too much for a loop.
func (t *Talk) Upgrade(ctx context.Context, wrap func(net.Conn) (net.Conn, error)) error {
	if t.Here {
		return ErrMode
	}
	return t.owner.detour(func() error { return t.Conn.Upgrade(ctx, wrap) })
}

// Progress begins the time of the Turn anew (Limits.Turn): for one that is
// long because its peer wants much of it. It may be called by any goroutine of
// the Turn.
func (t *Talk) Progress() { t.owner.progress() }

// open begins the session.
func (t *Talk) open(r *run) (err error) {
	defer r.rescue(t, &err)
	if t.sess, err = r.Handler.Open(r.ctx, t); err != nil {
		return err
	}
	if t.comp, _ = t.sess.(Completer); t.comp == nil {
		t.comp = lines{}
	}
	return nil
}

// lines completes a request at its first line end.
type lines struct{}

func (lines) Complete(b []byte) int {
	if bytes.IndexByte(b, '\n') >= 0 {
		return 0
	}
	return 1
}

// Anything, embedded in a Session, makes any byte a whole request.
type Anything struct{}

// Complete is satisfied with what has come.
func (Anything) Complete([]byte) int { return 0 }

// push runs the session's Push.
func (t *Talk) push(ctx context.Context) error {
	if p, ok := t.sess.(Pusher); ok {
		return p.Push(ctx)
	}
	return nil
}

// farewell says goodbye.
func (t *Talk) farewell(ctx context.Context) {
	if f, ok := t.sess.(Farewell); ok {
		f.Farewell(ctx)
	}
}

// goodbye is farewell where a panic ends the talk.
func (t *Talk) goodbye(r *run) (err error) {
	defer r.rescue(t, &err)
	t.farewell(r.ctx)
	return nil
}

// finish closes the session, flushes, and counts why the talk ended.
func (t *Talk) finish(r *run, why error) error {
	if errors.Is(why, io.EOF) || errors.Is(why, ErrStopping) {
		why = nil
	}
	r.count.failed(why)
	if s := t.sess; s != nil {
		t.sess = nil
		if err := closeSession(r, t, s, why); err != nil && why == nil {
			r.count.failed(err)
			why = err
		}
	}
	err := t.Finish()
	if why != nil {
		return why
	}
	return err
}

func closeSession(r *run, t *Talk, s Session, why error) (err error) {
	defer r.rescue(t, &err)
	return s.Close(why)
}

// rescue makes a panic the end of one talk.
func (r *run) rescue(t *Talk, err *error) {
	v := recover()
	if v == nil {
		return
	}
	*err = fmt.Errorf("%w: %v", ErrPanic, v)
	r.log().Error("panic", "server", r.Name, "talk", t.id, "panic", v, "stack", string(debug.Stack()))
}

// begin makes a talk ready, before its first byte.
func (t *Talk) begin(r *run, o owner, p conv.Port) {
	t.owner, t.id = o, r.nextID.Add(1)
	t.Init(p, r.Limits.Line, nil)
	if r.Tap != nil {
		if tap := r.Tap(t); tap != nil {
			t.SetTap(tap)
			t.Tell(conv.Utterance{Event: conv.Opened})
		}
	}
}
