package talk

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Console is a conversation at a terminal.
type Console struct {
	Options
	Terminal *Terminal
	Hex      bool                                   // show what is said in hexadecimal
	TLS      func(name string) (*tls.Config, error) // for :starttls; name is its argument or empty
	Roots    *x509.CertPool                         // what TLS checks against; nil: the system's
}

// heard is what the reading goroutine hands over.
type heard struct {
	b   []byte
	err error
}

// conversation is a Console with its peer.
type conversation struct {
	Console
	p      *Peer
	heard  chan heard
	reader chan struct{} // closed when the reading goroutine has ended
	quiet  *quiet
	record record
	hex    *Dump
	closed bool // our half
}

// errQuit ends a conversation at the user's wish.
var errQuit = errors.New("quit")

// Hold holds the conversation until one side ends it, and closes p. The error
// is nil after a good end, a failed read or write's, or the context's cause.
func (c Console) Hold(ctx context.Context, p *Peer) (err error) {
	s := &conversation{Console: c, p: p, quiet: newQuiet(), record: record{server: p.Accepted}}
	s.hex = NewDump(shower{s})
	release := context.AfterFunc(ctx, func() { _ = p.Abort() })
	defer release()
	defer s.quiet.limit(0)
	if p.known() {
		s.quiet.limit(c.Idle)
	}
	s.listen()
	s.prompt()
	err = s.loop(ctx)
	s.Terminal.leave()
	if err == nil && ctx.Err() == nil {
		_ = p.Close() // a goodbye that fails changes nothing
	} else {
		_ = p.Abort()
	}
	s.drain()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return errors.Join(err, s.record.close())
}

// listen starts the reading goroutine.
func (s *conversation) listen() {
	out, done := make(chan heard), make(chan struct{})
	s.heard, s.reader = out, done
	go func() {
		defer close(done)
		for {
			b := make([]byte, 64<<10)
			n, err := s.p.Read(b)
			out <- heard{b[:n], err}
			if err != nil {
				return
			}
		}
	}()
}

// drain waits for the reading goroutine and gives what it heard last.
func (s *conversation) drain() (last []heard) {
	for {
		select {
		case h := <-s.heard:
			last = append(last, h)
		case <-s.reader:
			return last
		}
	}
}

func (s *conversation) loop(ctx context.Context) error {
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.quiet.C:
			s.Terminal.Say("nothing was said for a while")
			return nil
		case h := <-s.heard:
			err = s.hear(h)
		case t := <-s.Terminal.lines():
			err = s.enter(ctx, t)
		}
		if errors.Is(err, errQuit) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// hear shows what came.
func (s *conversation) hear(h heard) error {
	if len(h.b) > 0 {
		s.quiet.limit(s.Idle)
		s.note(s.record.add(false, h.b))
		switch {
		case s.Hex:
			s.hex.Show(false, h.b)
		case s.p.Packet && h.b[len(h.b)-1] != '\n': // the next one is another
			s.Terminal.receive(append(h.b, '\n'))
		default:
			s.Terminal.receive(h.b)
		}
	}
	switch {
	case h.err == nil:
		return nil
	case errors.Is(h.err, io.EOF):
		s.Terminal.flush()
		s.Terminal.Say("the peer closed")
		return errQuit
	}
	return fmt.Errorf("receive: %w", plain(h.err))
}

// enter does what the user typed.
func (s *conversation) enter(ctx context.Context, t typed) error {
	if t.err != nil { // hung up
		return errQuit
	}
	if t.end {
		return s.end()
	}
	s.Terminal.entered()
	if len(t.line) > 0 && t.line[0] == ':' {
		if len(t.line) < 2 || t.line[1] != ':' {
			return s.command(ctx, t.line[1:])
		}
		t.line = t.line[1:]
	}
	return s.send(t.line)
}

func (s *conversation) send(line string) error {
	if s.closed {
		s.Terminal.Say("our half is closed; :quit leaves")
		return nil
	}
	if !s.p.known() {
		s.Terminal.Say("nobody to speak to before the first datagram")
		return nil
	}
	end := "\n"
	if s.CRLF {
		end = "\r\n"
	}
	b := []byte(line + end)
	if _, err := s.p.Write(b); err != nil {
		return fmt.Errorf("send: %w", plain(err))
	}
	s.quiet.heard()
	s.note(s.record.add(true, b))
	if s.Hex {
		s.hex.Show(true, b)
	}
	return nil
}

// end is Ctrl-D or :close: the first closes our half, the second leaves.
func (s *conversation) end() error {
	if s.closed || s.p.Packet {
		return errQuit
	}
	s.closed = true
	if err := s.p.CloseWrite(); err != nil {
		return errQuit
	}
	s.note(s.record.remark("our half is closed"))
	s.Terminal.Say("our half is closed; the peer may still speak, :quit leaves")
	return nil
}

// startTLS stops listening, shakes hands, and listens again.
func (s *conversation) startTLS(ctx context.Context, name string) error {
	if _, already := s.p.TLS(); already || s.p.Packet {
		s.Terminal.Say(ErrTLS.Error())
		return nil
	}
	cfg, err := s.TLS(name)
	if err != nil {
		s.Terminal.Say(err.Error())
		return nil
	}
	if err := s.p.SetReadDeadline(time.Unix(1, 0)); err != nil {
		return err
	}
	for _, h := range s.drain() {
		if errors.Is(h.err, os.ErrDeadlineExceeded) {
			h.err = nil
		}
		if err := s.hear(h); err != nil {
			s.listenNoMore()
			return err
		}
	}
	if err := s.p.SetReadDeadline(time.Time{}); err != nil {
		s.listenNoMore()
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	if err := s.p.StartTLS(ctx, cfg); err != nil {
		s.listenNoMore()
		return fmt.Errorf("TLS handshake: %w", plain(err))
	}
	state, _ := s.p.TLS()
	line := DescribeTLS(state, s.Roots, time.Now())
	s.note(s.record.remark(line))
	s.Terminal.Say(line)
	s.listen()
	return nil
}

const handshakeTime = 30 * time.Second

// listenNoMore leaves the conversation without a reading goroutine.
func (s *conversation) listenNoMore() {
	s.heard = nil // reader is closed already
}

// note tells that the record failed; the conversation goes on.
func (s *conversation) note(err error) {
	if err != nil {
		s.Terminal.Say("save: " + err.Error())
		_ = s.record.file.Close()
		s.record.file = nil
	}
}

func (s *conversation) prompt() {
	if s.CRLF {
		s.Terminal.ask("crlf> ")
		return
	}
	s.Terminal.ask("> ")
}

// shower shows a dump above the prompt.
type shower struct{ s *conversation }

func (w shower) Write(p []byte) (int, error) {
	w.s.Terminal.flush()
	w.s.Terminal.receive(p)
	return len(p), nil
}
