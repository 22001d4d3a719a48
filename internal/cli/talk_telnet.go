package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/farend-go/farend/proto/telnet"
)

// isTelnet tells whether an endpoint is to be spoken to by the rules of Telnet:
// its scheme says so, and nobody wants the bare bytes.
func (t *talkCommand) isTelnet(endpoint string) bool {
	scheme, _, _ := strings.Cut(strings.ToLower(endpoint), ":")
	return (scheme == "telnet" || scheme == "telnets") && !t.listen && !t.hex && !t.json
}

// telnetTalk is a conversation with a Telnet server.
type telnetTalk struct {
	*talkCommand
	c     *telnet.Client
	keys  chan []byte // what is typed; closed at its end
	heard chan error  // the server's end
	done  chan struct{}
	edit  telnet.Editor
	echo  []byte

	menu []byte // what was typed behind the escape character; nil: nothing was
}

// telnetEscape is ^], which calls the menu.
const telnetEscape = 0x1d

// talkTelnet connects and talks. On a terminal it agrees to what terminals do;
// a pipe agrees to nothing, and its lines end with LF.
func (t *talkCommand) talkTelnet(ctx context.Context) error {
	limit, cancel := ctx, context.CancelFunc(func() {})
	if t.wait > 0 {
		limit, cancel = context.WithTimeout(ctx, time.Duration(t.wait))
	}
	defer cancel()
	o := telnet.ClientOptions{Dialer: *t.dialer()}
	if t.interactive() {
		name, _ := t.getenv("TERM")
		o.Options = telnet.Options{
			Will: []telnet.Option{telnet.SGA, telnet.Binary}, Do: []telnet.Option{telnet.Echo, telnet.SGA, telnet.Binary},
			Terminals: []string{strings.ToUpper(name)}, Window: true, TLS: true,
		}
	}
	c, err := telnet.Dial(limit, t.to.String(), o)
	if err != nil {
		return t.tooLong(ctx, limit, err)
	}
	defer c.Close()
	s := &telnetTalk{talkCommand: t, c: c, keys: make(chan []byte), heard: make(chan error, 1), done: make(chan struct{})}
	defer close(s.done)
	if t.interactive() {
		t.tell(fmt.Sprintf("connected to %s; the escape character is ^]", t.to))
		err = s.onTerminal(ctx)
	} else {
		err = s.piped(ctx)
	}
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("talk to %s: %w", t.to, err)
	}
	return err
}

// keysAtOnce is how much of what is typed is read at once.
const keysAtOnce = 4096

// read has what is typed go to keys, until its end or the conversation's.
func (s *telnetTalk) read() {
	defer close(s.keys)
	for {
		b := make([]byte, keysAtOnce)
		n, err := s.in.Read(b)
		if n > 0 {
			select {
			case s.keys <- b[:n]:
			case <-s.done:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// hear writes what the server says to out, until the server ends or says
// nothing for as long as -w.
func (s *telnetTalk) hear(ctx context.Context, translate func([]byte) []byte) {
	for {
		limit, cancel := ctx, context.CancelFunc(func() {})
		if s.wait > 0 {
			limit, cancel = context.WithTimeout(ctx, time.Duration(s.wait))
		}
		b, err := s.c.ReadSome(limit)
		cancel()
		if len(b) > 0 {
			if _, err := s.out.Write(translate(b)); err != nil {
				s.heard <- err
				return
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) || ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
				err = nil
			}
			s.heard <- err
			return
		}
	}
}

// piped sends lines and writes lines. The input's end is the end of our half.
func (s *telnetTalk) piped(ctx context.Context) error {
	var eol lineEnds
	go s.hear(ctx, eol.plain)
	go s.read()
	keys, held := s.keys, ""
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case err := <-s.heard:
			return err
		case b, ok := <-keys:
			text := held + string(b)
			held = ""
			if len(b) == keysAtOnce && b[len(b)-1] == '\r' { // there is more: its LF may come next
				text, held = text[:len(text)-1], "\r"
			}
			err := s.c.WriteText(text)
			if !ok {
				_ = s.c.CloseWrite()
			}
			if !ok || err != nil {
				keys = nil // why, or that the server has hung up, is told by who hears
			}
		}
	}
}

// lineEnds makes LF of CR LF, wherever that is cut.
type lineEnds struct{ cr bool }

func (l *lineEnds) plain(b []byte) []byte {
	var out []byte
	for _, c := range b {
		if l.cr && c != '\n' {
			out = append(out, '\r')
		}
		if l.cr = c == '\r'; !l.cr {
			out = append(out, c)
		}
	}
	return out
}

// onTerminal has a person talk: keys go as they are where the server echoes;
// else lines are edited here.
func (s *telnetTalk) onTerminal(ctx context.Context) error {
	in, out := int(s.in.(*os.File).Fd()), int(s.out.(*os.File).Fd())
	before, err := term.MakeRaw(in)
	if err != nil {
		return fmt.Errorf("take the terminal: %w", err)
	}
	defer term.Restore(in, before) //nolint:errcheck // there is nothing more to be done for it
	resized, stop := windowChanges()
	defer stop()
	resize := func() {
		if w, h, err := term.GetSize(out); err == nil {
			_ = s.c.SetSize(w, h) // a connection that is gone is told by who hears
		}
	}
	resize()
	s.edit.Most = 4096
	go s.hear(ctx, func(b []byte) []byte { return b })
	go s.read()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case err := <-s.heard:
			fmt.Fprint(s.out, "\r\n")
			return err
		case <-resized:
			resize()
		case b, ok := <-s.keys:
			if !ok {
				return nil
			}
			if more, err := s.typed(b); err != nil || !more {
				return err
			}
		}
	}
}

// typed takes keys; more is false when the person wants no more.
func (s *telnetTalk) typed(b []byte) (more bool, err error) {
	for _, c := range b {
		switch {
		case s.menu != nil:
			if more, err := s.choose(c); err != nil || !more {
				return more, err
			}
		case c == telnetEscape:
			s.menu = []byte{}
			fmt.Fprint(s.out, "\r\ntelnet> ")
		default:
			if err := s.key(c); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// key sends a key, or edits with it.
func (s *telnetTalk) key(c byte) error {
	var echoes bool
	err := s.c.Do(func(n *telnet.NVT) {
		if echoes = n.Theirs(telnet.Echo); echoes {
			_, _ = n.Write([]byte{c}) // it never fails
		}
	})
	if echoes || err != nil {
		return err
	}
	s.edit.Echo = true
	did, echo := s.edit.Take(c, s.echo[:0])
	s.echo = echo
	if _, err := s.out.Write(echo); err != nil {
		return err
	}
	switch did {
	case telnet.Entered:
		return s.c.WriteText(string(s.edit.Line()) + "\n")
	case telnet.Reprinted:
		_, err = s.out.Write(s.edit.Pending())
	case telnet.Cancelled:
		err = s.c.Do(func(n *telnet.NVT) { n.Tell(telnet.IP) })
	case telnet.HungUp:
		err = s.c.Do(func(n *telnet.NVT) { n.Tell(telnet.EOF) })
	}
	return err
}

// choose takes a key of the menu.
func (s *telnetTalk) choose(c byte) (more bool, err error) {
	switch {
	case c == '\r' || c == '\n':
		word := string(bytes.TrimSpace(s.menu))
		s.menu = nil
		fmt.Fprint(s.out, "\r\n")
		return s.command(word)
	case c == telnetEscape && len(s.menu) == 0: // twice is once
		s.menu = nil
		return true, s.key(telnetEscape)
	case c == '\b' || c == 0x7f:
		if n := len(s.menu); n > 0 {
			s.menu = s.menu[:n-1]
			fmt.Fprint(s.out, "\b \b")
		}
	case c >= ' ':
		s.menu = append(s.menu, c)
		_, err = s.out.Write([]byte{c})
	}
	return true, err
}

// command does what the menu says.
func (s *telnetTalk) command(word string) (more bool, err error) {
	commands := map[string]telnet.Command{
		"send ao": telnet.AO, "send ayt": telnet.AYT, "send brk": telnet.BRK, "send ec": telnet.EC, "send el": telnet.EL,
		"send ip": telnet.IP, "send eof": telnet.EOF, "send susp": telnet.SUSP, "send abort": telnet.ABORT, "send nop": telnet.NOP,
	}
	if c, ok := commands[strings.ToLower(word)]; ok {
		return true, s.c.Do(func(n *telnet.NVT) { n.Tell(c) })
	}
	switch strings.ToLower(word) {
	case "":
	case "close", "quit", "q":
		return false, nil
	case "send synch":
		return true, s.c.Synch()
	default:
		fmt.Fprint(s.out, "close; send ayt, ip, brk, ao, ec, el, eof, susp, abort, nop or synch; an empty line goes on\r\n")
	}
	return true, nil
}
