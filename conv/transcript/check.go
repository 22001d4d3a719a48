package transcript

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"time"
)

// TB is what of testing.TB is used.
type TB interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
}

// patience is how long one playing may take.
const patience = 20 * time.Second

// Server plays the client of a script at a server: serve answers nc until the
// conversation is over, as in
//
//	err := srv.Serve(ctx, transcript.Once(nc)) // net.ErrClosed: nobody else will come
//
// It is called anew for each playing, with a state of its own: once as the
// script stands; once for each byte that the client says, with the input cut in
// two there; and once for each with the input ended there, when only returning
// is asked of it. What the server says beyond the script is an error; what serve
// returns is not looked at. Errors are reported to t.
func Server(t TB, s *Script, serve func(ctx context.Context, nc net.Conn) error) {
	t.Helper()
	check(t, s, ClientSide, serve)
}

// Client plays the server of a script at a client, in the same manner: client
// does on nc what the script has it do, and need not close it. Where the script
// is played to its end, it is an error if client returns one.
func Client(t TB, s *Script, client func(ctx context.Context, nc net.Conn) error) {
	t.Helper()
	check(t, s, ServerSide, func(ctx context.Context, nc net.Conn) error {
		if err := client(ctx, nc); err != nil {
			return &clientError{err}
		}
		return nil
	})
}

// clientError is an error that counts.
type clientError struct{ error }

// check plays side against peer in every way.
func check(t TB, s *Script, side Side, peer func(context.Context, net.Conn) error) {
	t.Helper()
	if err := s.against(t.Context(), side, peer, -1); err != nil {
		t.Errorf("%v", err)
		return
	}
	said, err := s.Said(side)
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	for at := range len(said) {
		if err := s.against(t.Context(), side, peer, at); err != nil {
			t.Errorf("cut at byte %d (%q): %v", at, said[max(0, at-20):at], err)
			return
		}
		if err := ended(t.Context(), said[:at], peer); err != nil {
			t.Errorf("ended at byte %d (%q): %v", at, said[max(0, at-20):at], err)
			return
		}
	}
}

// Said is all that a side says. It is an error where a pattern has no example.
func (s *Script) Said(side Side) ([]byte, error) {
	var all []byte
	for i := range s.Steps {
		step := &s.Steps[i]
		if step.Side != side || step.Act != Says && step.Act != Fits {
			continue
		}
		b, err := step.spoken()
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", s.Name, step.Line, err)
		}
		all = append(all, b...)
	}
	return all, nil
}

// against plays side against peer, whose input is cut at a byte (below 0: not;
// 0: at each).
func (s *Script) against(ctx context.Context, side Side, peer func(context.Context, net.Conn) error, at int) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ours, theirs := Pipe()
	done := make(chan error, 1)
	go func() { done <- begin(ctx, peer, &cutConn{End: theirs, at: at}) }()
	p := &playing{player{nc: ours, r: bufio.NewReaderSize(ours, maxLine), script: s, side: side}}
	err := p.whole(ctx)
	if err != nil {
		_ = ours.Close() // the peer need not wait any more
	}
	theirErr := <-done
	_ = ours.Close() // is closed already after an error
	if err != nil && theirErr != nil {
		return fmt.Errorf("%w (the other side: %v)", err, theirErr) //nolint:errorlint // one of them leads
	}
	if c, ok := theirErr.(*clientError); err == nil && ok { //nolint:errorlint // it comes bare from Client
		return fmt.Errorf("%s: the client: %w", s.Name, c.error)
	}
	return err
}

// begin runs the peer and closes its end.
func begin(ctx context.Context, peer func(context.Context, net.Conn) error, nc net.Conn) error {
	defer nc.Close()
	return peer(ctx, nc)
}

// playing is a player that sees the conversation to its end.
type playing struct{ player }

func (p *playing) whole(ctx context.Context) error {
	if err := p.play(ctx); err != nil {
		return err
	}
	if slices.ContainsFunc(p.script.Steps, func(s Step) bool { return s.Act == Resets }) {
		return nil
	}
	_ = closeWrite(p.nc) // closed already where the script said so
	stop := context.AfterFunc(ctx, func() { _ = p.nc.SetDeadline(past) })
	defer stop()
	rest, err := io.ReadAll(p.r)
	if len(rest) > 0 {
		return fmt.Errorf("%s: the %s said more: %q", p.script.Name, who(p.side.Other()), rest)
	}
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%s: the %s does not end: %w", p.script.Name, who(p.side.Other()), err)
	}
	return nil
}

// ended lets the peer's input end after said, and waits for it to return.
func ended(ctx context.Context, said []byte, peer func(context.Context, net.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ours, theirs := Pipe()
	defer ours.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = begin(ctx, peer, theirs) // what it returns is its own affair
	}()
	stop := context.AfterFunc(ctx, func() { _ = ours.SetDeadline(past) })
	defer stop()
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		if _, err := ours.Write(said); err == nil {
			_ = ours.CloseWrite() // fails where the peer has closed: so much the better
		}
	}()
	_, readErr := io.Copy(io.Discard, ours)
	<-wrote
	<-done // peer obeys ctx
	if ctx.Err() != nil {
		return fmt.Errorf("it does not end: %w", readErr)
	}
	return nil
}

// cutConn ends a Read at a byte.
type cutConn struct {
	*End
	at   int
	read int
}

func (c *cutConn) Read(p []byte) (int, error) {
	switch {
	case c.at == 0 && len(p) > 1:
		p = p[:1]
	case c.at > c.read && len(p) > c.at-c.read:
		p = p[:c.at-c.read]
	}
	n, err := c.End.Read(p)
	c.read += n
	return n, err
}
