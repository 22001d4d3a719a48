package transcript

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"syscall"
	"time"
)

// maxLine is how long a line may be that a pattern is to fit.
const maxLine = 64 << 10

// Play says the lines of one side on nc and checks that the other side says
// its own, byte for byte. It returns when the script is over or at the first
// difference, which the error names with its line. Lines in a row are sent
// together. ctx ends waiting (errors.Is finds its error). nc is left as the
// script leaves it; the caller closes it.
func Play(ctx context.Context, nc net.Conn, s *Script, side Side) error {
	p := &player{nc: nc, r: bufio.NewReaderSize(nc, maxLine), script: s, side: side}
	if err := p.play(ctx); err != nil {
		return err
	}
	if n := p.r.Buffered(); n > 0 {
		rest, _ := p.r.Peek(n) // lies here, so it cannot fail
		return fmt.Errorf("%s: the %s said more: %q", s.Name, who(side.Other()), rest)
	}
	return nil
}

type player struct {
	nc     net.Conn
	r      *bufio.Reader
	script *Script
	side   Side
	out    []byte
}

// past is a deadline that has expired.
var past = time.Unix(1, 0)

func (p *player) play(ctx context.Context) error {
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(fired)
		_ = p.nc.SetDeadline(past) // fails only where the connection is closed
	})
	err := p.steps()
	if !stop() {
		<-fired
		if err != nil {
			err = fmt.Errorf("%w: %w", ctx.Err(), err)
		}
	}
	return err
}

func (p *player) steps() error {
	for i := range p.script.Steps {
		step := &p.script.Steps[i]
		var err error
		if step.Side == p.side {
			err = p.say(step)
		} else if err = p.flush(); err == nil {
			err = p.hear(step)
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", p.script.Name, step.Line, err)
		}
		if step.Act == Resets { // nothing can be said or heard any more
			return nil
		}
	}
	if err := p.flush(); err != nil {
		return fmt.Errorf("%s: %w", p.script.Name, err)
	}
	return nil
}

func (p *player) flush() error {
	if len(p.out) == 0 {
		return nil
	}
	_, err := p.nc.Write(p.out)
	p.out = p.out[:0]
	if err != nil {
		return fmt.Errorf("the %s does not listen: %w", who(p.side.Other()), err)
	}
	return nil
}

// say says a line of ours.
func (p *player) say(step *Step) error {
	switch step.Act {
	case Says, Fits:
		b, err := step.spoken()
		p.out = append(p.out, b...)
		return err
	case Resets:
		if l, ok := p.nc.(interface{ SetLinger(int) error }); ok {
			if err := l.SetLinger(0); err != nil {
				return err
			}
		}
		return errors.Join(p.flush(), p.nc.Close())
	}
	if err := p.flush(); err != nil {
		return err
	}
	return closeWrite(p.nc)
}

// closeWrite ends our half, or all where there are no halves.
func closeWrite(nc net.Conn) error {
	if half, ok := nc.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nc.Close()
}

// spoken is what the step says when its side is played.
func (s *Step) spoken() ([]byte, error) {
	switch {
	case s.Act == Fits && s.Bytes == nil:
		return nil, fmt.Errorf("%c~ cannot be said: write an example under it (%c= ...)", s.Side, s.Side)
	case s.Masked:
		return append(slices.Clip(s.Bytes), "***\r\n"...), nil
	}
	return s.Bytes, nil
}

// hear checks a line of the other side.
func (p *player) hear(step *Step) error {
	switch step.Act {
	case Fits:
		line, err := p.r.ReadSlice('\n')
		if err != nil || !step.fit(line) {
			return p.differs(step, fmt.Sprintf("a line that fits %q", step.Pattern), line, err)
		}
		return nil
	case Says:
		return p.hearBytes(step)
	}
	_, err := p.r.ReadByte()
	switch {
	case err == nil:
		_ = p.r.UnreadByte() // cannot fail after ReadByte
		return p.differs(step, "the end", p.rest(), nil)
	case step.Act == Ends && err != io.EOF:
		return p.differs(step, "the end", nil, err)
	case step.Act == Resets && !errors.Is(err, syscall.ECONNRESET):
		return p.differs(step, "a reset", nil, err)
	}
	return nil
}

// hearBytes compares one by one, so as not to wait for what never comes.
func (p *player) hearBytes(step *Step) error {
	for i, want := range step.Bytes {
		got, err := p.r.ReadByte()
		if err == nil && got == want {
			continue
		}
		heard := append([]byte(nil), step.Bytes[:i]...)
		if err == nil {
			heard = append(append(heard, got), p.rest()...)
		}
		return p.differs(step, fmt.Sprintf("%q", step.Bytes), heard, err)
	}
	if step.Masked {
		if line, err := p.r.ReadSlice('\n'); err != nil {
			return p.differs(step, fmt.Sprintf("%q and a secret", step.Bytes), line, err)
		}
	}
	return nil
}

// rest is what lies here of the line.
func (p *player) rest() []byte {
	b, _ := p.r.Peek(p.r.Buffered()) // lies here, so it cannot fail
	for i, c := range b {
		if c == '\n' {
			return b[:i+1]
		}
	}
	return b
}

func (p *player) differs(step *Step, want string, got []byte, err error) error {
	if err == nil {
		return fmt.Errorf("the %s: want %s, got %q", who(step.Side), want, got)
	}
	if len(got) > 0 {
		return fmt.Errorf("the %s: want %s, got %q and then: %w", who(step.Side), want, got, err)
	}
	return fmt.Errorf("the %s: want %s, got: %w", who(step.Side), want, err)
}

func who(s Side) string {
	if s == ClientSide {
		return "client"
	}
	return "server"
}
