package talk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Options of a conversation. The zero value is good.
type Options struct {
	CRLF bool          // send every line feed as CR LF
	Dump *Dump         // hears both directions; nil: nobody
	JSON *Events       // are written instead of what the peer says; nil: none
	Idle time.Duration // the conversation ends when nobody said anything for so long; 0: no limit
	Keep bool          // of datagrams: go on after the input's end
	Note func(string)  // hears, in a line, what is worth knowing; nil: nobody
}

const (
	// answers is how long the answers to datagrams are waited for after the
	// input's end, where Idle says nothing: datagrams have no end of their own.
	answers = time.Second
	// lastWords is how long the input may pause after the peer's end: what is
	// there is still sent, for a peer that closed only its own half.
	lastWords = 200 * time.Millisecond
)

// pipe is a conversation that runs.
type pipe struct {
	p       *Peer
	in      *Input
	out     io.Writer
	o       Options
	quiet   *quiet
	stop    chan struct{} // closed when nothing more is to be said
	first   chan struct{} // closed when the peer has said something, where it must be the first; nil elsewhere
	saidAll atomic.Bool   // the input has ended
	sending atomic.Bool   // a Write is under way
}

// Pipe sends p what in gives and writes to out what p says, both at once, until
// the peer ends. The end of in closes our half of a stream, as nc -N does; with
// datagrams answers are waited for as long as Options.Idle says, or a second.
// It closes p.
//
// The error is nil after a good end, a failed read or write's, or the context's
// cause. After the last the goroutine that writes to out may still be in there.
func Pipe(ctx context.Context, p *Peer, in *Input, out io.Writer, o Options) error {
	s := &pipe{p: p, in: in, out: out, o: o, quiet: newQuiet(), stop: make(chan struct{})}
	defer s.quiet.limit(0)
	release := context.AfterFunc(ctx, func() { _ = p.Abort() })
	defer release()
	if p.known() {
		s.quiet.limit(o.Idle)
	} else {
		s.first = make(chan struct{})
	}
	var both sync.WaitGroup
	heard, said := make(chan error, 1), make(chan error, 1)
	both.Go(func() { heard <- s.hear() })
	both.Go(func() { said <- s.say() })
	err := s.wait(ctx, heard, said)
	close(s.stop)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if s.sending.Load() || err != nil {
		_ = p.Abort() // a goodbye would wait for that Write
	} else {
		_ = p.Close() // all is said; a goodbye that fails changes nothing
	}
	both.Wait()
	return err
}

// wait returns when the conversation is over.
func (s *pipe) wait(ctx context.Context, heard, said <-chan error) error {
	saying := said
	var failed error
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.quiet.C:
			s.note("nothing was said for a while")
			return failed
		case failed = <-saying:
			saying = nil
			if _, ours := errors.AsType[inputError](failed); ours {
				return failed
			}
			s.ended(failed)
		case err := <-heard:
			if err != nil {
				return err
			}
			s.note("the peer closed")
			if failed == nil && saying != nil {
				failed = s.finish(ctx, saying)
			}
			return failed
		}
	}
}

// ended is the end of what we had to say. Whoever does not listen any more may
// still speak.
func (s *pipe) ended(err error) {
	if !s.p.Packet {
		if err == nil {
			_ = s.p.CloseWrite() // a connection that is gone is told by the reader
		}
		return
	}
	s.saidAll.Store(true)
	if s.o.Idle == 0 && !s.o.Keep && s.p.known() {
		s.quiet.limit(answers)
	}
}

// finish sends what the input still has when the peer has closed its half,
// until the input pauses. A Write that fails tells that it closed both.
func (s *pipe) finish(ctx context.Context, saying <-chan error) error {
	for {
		s.quiet.limit(lastWords)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.quiet.C:
			if !s.sending.Load() || s.o.Idle > 0 {
				return nil
			}
		case err := <-saying:
			if _, ours := errors.AsType[inputError](err); ours {
				return err
			}
			return nil
		}
	}
}

// hear copies from the peer to the output. nil is the peer's end.
func (s *pipe) hear() error {
	buf := make([]byte, 64<<10)
	first := s.first
	for {
		n, err := s.p.Read(buf)
		if n > 0 || err == nil {
			s.heard()
		}
		if n > 0 {
			if s.o.Dump != nil {
				s.o.Dump.Show(false, buf[:n])
			}
			if err := s.put(buf[:n]); err != nil {
				return fmt.Errorf("write what was received: %w", err)
			}
		}
		if first != nil && err == nil {
			close(first)
			first = nil
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("receive: %w", plain(err))
		}
	}
}

// put writes what the peer said to the output.
func (s *pipe) put(b []byte) error {
	if s.o.JSON != nil {
		return s.o.JSON.said(false, b)
	}
	_, err := s.out.Write(b)
	return err
}

// heard keeps the clock; where the peer had to come first, its first datagram
// starts it.
func (s *pipe) heard() {
	switch {
	case s.o.Idle > 0:
		s.quiet.limit(s.o.Idle)
	case s.saidAll.Load() && !s.o.Keep:
		s.quiet.limit(answers)
	}
}

// say copies from the input to the peer. nil is the input's end.
func (s *pipe) say() error {
	eol := crlf{on: s.o.CRLF}
	for {
		b, err := s.in.next(s.stop)
		if errors.Is(err, io.EOF) || errors.Is(err, errStopped) {
			return nil
		}
		if err != nil {
			return inputError{fmt.Errorf("read the input: %w", err)}
		}
		b = eol.translate(b)
		if s.o.JSON != nil { // before the answer is told
			if !s.begun() {
				return nil
			}
			if err := s.o.JSON.said(true, b); err != nil {
				return inputError{fmt.Errorf("write what is sent: %w", err)}
			}
		}
		s.sending.Store(true)
		_, err = s.p.Write(b)
		s.sending.Store(false)
		if err != nil {
			return fmt.Errorf("send: %w", plain(err))
		}
		if s.o.Dump != nil {
			s.o.Dump.Show(true, b)
		}
		s.quiet.heard()
	}
}

// begun waits until the peer has spoken, where it must be the first; false when
// all is over before.
func (s *pipe) begun() bool {
	if s.first == nil {
		return true
	}
	select {
	case <-s.first:
		return true
	case <-s.stop:
		return false
	}
}

func (s *pipe) note(text string) {
	if s.o.Note != nil {
		s.o.Note(text)
	}
}

// inputError is a failure on our own side, not of the conversation.
type inputError struct{ err error }

func (e inputError) Error() string { return e.err.Error() }
func (e inputError) Unwrap() error { return e.err }

// plain is what went wrong without the addresses around it, which the line of
// the error names already.
func plain(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	if call, ok := errors.AsType[*os.SyscallError](err); ok {
		err = call.Err
	}
	return err
}
